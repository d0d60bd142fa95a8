package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// NetworkImages are images for the network of a checkpoint: under its labels, which the names of the classes tell, and normalised as it
// was trained.
type NetworkImages struct {
	data.Dataset
	Known bool     // whether the network knows the classes; it does not know those of the drawn images if it was trained on others
	Notes []string // for the log

	own    data.Dataset // under its own labels
	was    data.Description
	path   string
	config training.Config
}

// OpenFor opens images like OpenData for the network of a checkpoint. Images of classes that the network does not know are left out; it
// is an error if in addition the network knows some that the images lack, which then are the same by other names, or others altogether.
func OpenFor(c *Call, where string, f *safetensors.File, config training.Config, out io.Writer) (*NetworkImages, error) {
	spec, err := config.Spec()
	if err != nil {
		return nil, err
	}
	n := &NetworkImages{path: f.Path, config: config}
	if n.was, err = training.DescribeImages(f, config); err != nil {
		return nil, err
	}
	n.own, n.Notes, err = openData(c, where, spec.Data.Shape(), out, func(d *data.Folder) {
		if config.Data != "imagenet" { // the network's images were of one size, and none was scaled
			d.Train, d.Test = d.Train.WithoutMargin(), d.Test.WithoutMargin()
		}
	})
	if err != nil {
		return nil, err
	}
	n.Dataset = n.own
	n.Mean, n.Std = n.was.Mean, n.was.Std
	if where == ShapesName && config.Data != ShapesName {
		n.Dataset = n.Unlabelled()
		return n, nil
	}
	n.Known = true
	if err := n.adapt(where, spec.Data.Classes); err != nil {
		return nil, err
	}
	if shape := n.Train.Shape(); shape != spec.Data.Shape() {
		return nil, fmt.Errorf("%s takes images of %s, %s has %s", f.Path, data.ShapeText(spec.Data.Shape()), where, data.ShapeText(shape))
	}
	n.Name = config.Data
	return n, nil
}

// adapt brings the images under the network's labels.
func (n *NetworkImages) adapt(where string, classes int) error {
	was := fmt.Sprintf("%s was trained on %s of %d classes, -data %s is %s of %d", n.path, n.config.Data, classes, where, n.own.Name, n.own.Classes)
	if n.was.Classes == nil || n.own.Names == nil {
		if n.own.Name != n.config.Data || n.own.Classes != classes {
			return fmt.Errorf("%s", was)
		}
		n.Notes = append(n.Notes, n.path+" does not name its classes, so that they are not compared: the labels are taken in their order")
		return nil
	}
	unknown, missing := data.Lacking(n.own.Names, n.was.Classes), data.Lacking(n.was.Classes, n.own.Names)
	switch {
	case slices.Equal(n.own.Names, n.was.Classes):
		return nil
	case len(unknown) > 0 && len(missing) > 0:
		return fmt.Errorf("%s; other classes: %s", was, strings.Join(n.was.ClassDifferences(data.Description{Classes: n.own.Names}), "; "))
	}
	n.Dataset = n.Dataset.ByName(n.was.Classes)
	switch {
	case len(unknown) > 0:
		left := n.own.Train.Len() + n.own.Test.Len() - n.Train.Len() - n.Test.Len()
		n.Notes = append(n.Notes, fmt.Sprintf("%d images are left out, being of classes that the network does not know: %s", left, listNames(unknown)))
	case len(missing) > 0:
		n.Notes = append(n.Notes, fmt.Sprintf("labels are mapped by the names of the classes; there are no images of %s", listNames(missing)))
	default:
		n.Notes = append(n.Notes, "labels are mapped by the names of the classes, which come in another order")
	}
	return nil
}

// Held is the training images that the network's run held out. They must be the very images of the run.
func (n *NetworkImages) Held() (data.Images, error) {
	if n.was.Train != nil {
		now, err := n.own.Describe()
		if err != nil {
			return nil, err
		}
		if list := n.was.Differences(now); len(list) > 0 {
			return nil, fmt.Errorf("%s held images of its run out, and these are others: %s", n.path, strings.Join(list, "; "))
		}
	}
	return n.config.HoldoutImages(n.own)
}

// listNames joins names, as a terminal can show them, the first of them if there are many.
func listNames(names []string) string {
	var shown []string
	for _, name := range names[:min(len(names), maxListed)] {
		shown = append(shown, data.Shown(name))
	}
	text := strings.Join(shown, ", ")
	if more := len(names) - maxListed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
