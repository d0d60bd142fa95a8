package training

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// imagesKey is the key of a checkpoint's metadata that has the data.Description of the images that the network
// was trained on. Older checkpoints lack it.
const imagesKey = "images"

// ErrOtherImages says that a run cannot go on with other images than it began with.
var ErrOtherImages = errors.New("other images than those of the run")

// DescribeImages returns what a checkpoint, whose configuration is c, says of its network's images. One that
// says nothing, being older, was trained on images as its data set has them; what a data set does not tell is
// left out: the names of a folder's classes, and which images there are.
func DescribeImages(f *safetensors.File, c Config) (data.Description, error) {
	spec, err := c.Spec()
	if err != nil {
		return data.Description{}, err
	}
	d := data.Description{Classes: data.ClassNames(c.Data)}.Of(spec.Data.Shape())
	if len(d.Classes) != spec.Data.Classes {
		d.Classes = nil
	}
	text, ok := f.Metadata[imagesKey]
	if !ok {
		if d.Mean, d.Std, err = data.Normalisation(c.Data); err != nil {
			return d, fmt.Errorf("%s: %w", f.Path, err)
		}
		return d, nil
	}
	d = data.Description{}
	if err := decodeStrictly(text, &d); err != nil {
		return d, fmt.Errorf("%s: metadata %s: %w", f.Path, imagesKey, err)
	}
	switch err := d.Check(); {
	case err != nil:
		return d, fmt.Errorf("%s: metadata %s: %w", f.Path, imagesKey, err)
	case d.Classes != nil && len(d.Classes) != spec.Data.Classes:
		return d, fmt.Errorf("%s: metadata %s: %d names of %d classes", f.Path, imagesKey, len(d.Classes), spec.Data.Classes)
	case d.Shape() != spec.Data.Shape():
		return d, fmt.Errorf("%s: metadata %s: images of %s, the network's have %s", f.Path, imagesKey, data.ShapeText(d.Shape()), data.ShapeText(spec.Data.Shape()))
	}
	return d, nil
}

// describe puts a description into a checkpoint's metadata.
func describe(f *safetensors.File, d data.Description) error {
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	f.Metadata[imagesKey] = string(text)
	return nil
}

// compare refuses images that are not those of a run's checkpoint, and returns what they are.
func compare(was data.Description, d data.Dataset) (now *data.Description, err error) {
	is, err := d.Describe()
	if err != nil {
		return nil, err
	}
	return &is, different(was.Differences(is))
}

// note notes what there is to know about the run's images beside those of its checkpoint.
func (r *Run[T]) note(was data.Description) {
	if was.Train == nil {
		r.Notes = append(r.Notes, "the checkpoint, of an older version, does not say which images the run began with, so that they are not compared")
	}
	if list := was.TestDifferences(r.about); len(list) > 0 {
		r.Notes = append(r.Notes, "the test images are not those that the run began with: "+strings.Join(list, "; "))
	}
}

func different(list []string) error {
	if len(list) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrOtherImages, strings.Join(list, "; "))
}

// classRows tells which rows of another network's linear layer a run's network takes over: those of the same
// names if the classes have the same names, none if they do not. What is not known is taken as it stands.
func (r *Run[T]) classRows(was data.Description, path string) (rows []int, take bool) {
	now := r.about.Classes
	switch {
	case was.Classes == nil || now == nil:
		r.Notes = append(r.Notes, path+" does not name its classes; they are taken for the same in the same order if there are as many")
		return nil, true
	case slices.Equal(was.Classes, now):
		return nil, true
	case len(was.Classes) == len(now) && len(data.Lacking(now, was.Classes)) == 0:
		r.Notes = append(r.Notes, path+" has the classes in another order; the linear layer's rows are taken by name")
		for _, name := range now {
			rows = append(rows, slices.Index(was.Classes, name))
		}
		return rows, true
	}
	r.Notes = append(r.Notes, fmt.Sprintf("%s has other classes (%s); the linear layer begins anew", path, strings.Join(was.ClassDifferences(r.about), "; ")))
	return nil, false
}

// takeRows copies a tensor of the linear layer, row by row if these are listed.
func takeRows[T tensor.Float](to, from sdnet.Named[T], rows []int) {
	if rows == nil {
		copy(to.Data, from.Data)
		return
	}
	each := to.Len() / len(rows)
	for i, row := range rows {
		copy(to.Data[i*each:][:each], from.Data[row*each:][:each])
	}
}
