package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"sdref/sdnet/data"
	"sdref/sdnet/training"
)

// The drawn images: their name as a value of -data, how many there are, and from which seed. They are the same in every run.
const (
	ShapesName  = "shapes"
	ShapesSeed  = 1
	shapesTrain = 10_000
	shapesTest  = 2_000
)

// DataUsage describes a flag whose value OpenData reads. Parse gives a verb that has one the flags -verify and -broken too.
const DataUsage = "a `folder` with CIFAR-10 or CIFAR-100, binary or of Python, or its .tar.gz; or with train/CLASS and val/CLASS (or valid, test), " +
	"train/CLASS alone or CLASS alone, of " + data.Formats + " files; or \"shapes\" for the drawn images"

// OpenImages returns the drawn images for the name shapes, and CIFAR from a folder otherwise.
func OpenImages(where string) (*data.Sets, error) {
	if where == ShapesName {
		return drawn(), nil
	}
	return data.OpenCIFAR(where)
}

// drawn draws the images once in a process: tests call many verbs. Nobody changes them.
var drawn = sync.OnceValue(func() *data.Sets { return data.Shapes(shapesTrain, shapesTest, ShapesSeed) })

// OpenData returns the images that OpenImages does, or those of folders with a folder for each class, brought to the given shape. Of
// these it looks at every file first, showing on out how far it is: at its beginning, or, with -verify, at all of it. The notes are for
// the log.
func OpenData(c *Call, where string, shape [3]int, out io.Writer) (set data.Dataset, notes []string, err error) {
	return openData(c, where, shape, out, func(f *data.Folder) {})
}

// OpenToTrain opens images like OpenData for a network of one's own that is made for data of the given name: images in a folder of
// classes bear it, and unless it is imagenet they are scaled for evaluation to cover what the network sees and no more, as OpenFor has it.
// Without a name it is OpenData.
func OpenToTrain(c *Call, where string, shape [3]int, name string, out io.Writer) (set data.Dataset, notes []string, err error) {
	folder := false
	set, notes, err = openData(c, where, shape, out, func(d *data.Folder) {
		if folder = name != ""; folder && name != "imagenet" {
			d.Train, d.Test = d.Train.WithoutMargin(), d.Test.WithoutMargin()
		}
	})
	if folder {
		set.Name = name
	}
	return set, notes, err
}

// openData is OpenData, which shows a folder to prepare before it is used.
func openData(c *Call, where string, shape [3]int, out io.Writer, prepare func(*data.Folder)) (set data.Dataset, notes []string, err error) {
	var source *data.Source
	if where != ShapesName {
		if source, err = data.Find(where); err != nil {
			return set, nil, err
		}
	}
	if err := data.CheckShape(shape); err != nil {
		return set, nil, err
	}
	if source == nil || !source.IsFolder() {
		d, err := OpenImages(where)
		if err != nil {
			return set, nil, err
		}
		if len(d.Unknown) > 0 {
			notes = append(notes, fmt.Sprintf("these files are not the official ones: %v", d.Unknown))
		}
		return d.Dataset(), notes, nil
	}
	d, err := source.OpenFolder(shape)
	if err != nil {
		return set, nil, err
	}
	prepare(d)
	for _, s := range []*data.Files{d.Train, d.Test} {
		s.Tolerate(c.broken)
	}
	if err := c.checkImages(out, d.Train, d.Test); err != nil {
		return set, nil, err
	}
	if d.Ignored > 0 {
		notes = append(notes, fmt.Sprintf("%d files in the folders of the classes are left out, being none of %s by their names", d.Ignored, data.Formats))
	}
	if len(d.Others) > 0 {
		notes = append(notes, fmt.Sprintf("not read: %s, as %s has the test images", strings.Join(d.Others, ", "), d.Test))
	}
	return d.Dataset(), notes, nil
}

// NoTest refuses to train on images without any to test on, unless the user has said what is to be done.
func NoTest(c *Call, d data.Dataset, holdout int) error {
	if d.Train.Len() == 0 {
		return errors.New(d.Train.String())
	}
	if d.Test.Len() > 0 || holdout > 0 || c.Given("test") {
		return nil
	}
	return fmt.Errorf("%s: -holdout N holds N of the training images out and evaluates these, -test=false evaluates none", d.Test)
}

// checkImages looks at every file of some sets.
func (c *Call) checkImages(out io.Writer, sets ...*data.Files) error {
	p := NewProgress(out, 0)
	defer p.End()
	all, before := 0, 0
	for _, s := range sets {
		all += s.Len()
	}
	var broken []error
	for _, s := range sets {
		c.sets = append(c.sets, s)
		list, err := s.Check(c.Context, c.verify, func(done int) {
			if done < s.Len() {
				p.Show(float64(before+done)/float64(all), fmt.Sprintf("looked at %d of %d files", before+done, all))
			}
		})
		if err != nil {
			return ErrInterrupted
		}
		before += s.Len()
		broken = append(broken, list...)
	}
	switch {
	case len(broken) == 0:
		return nil
	case c.broken == data.Skip:
		p.Say("note: %d of %d images cannot be read and are passed over: %s", len(broken), all, listed(broken))
		return nil
	}
	return fmt.Errorf("%d of %d images cannot be read: %s; repair them or take them away, or have them passed over by -broken skip", len(broken), all, listed(broken))
}

// maxListed is the greatest number of errors that a message lists.
const maxListed = 10

// listed joins errors, the first of them if there are many.
func listed(errs []error) string {
	var texts []string
	for _, err := range errs[:min(len(errs), maxListed)] {
		texts = append(texts, err.Error())
	}
	if more := len(errs) - maxListed; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "; ")
}

// SayPassedOver tells which images could not be read and were passed over, if there are any.
func (c *Call) SayPassedOver(p *Progress) {
	var broken []error
	for _, s := range c.sets {
		broken = append(broken, s.Failures()...)
	}
	if len(broken) > 0 {
		p.Say("note: passed over: %d images: %s", len(broken), listed(broken))
	}
}

// HowToGoOn adds to the error of an image that cannot be read what can be done.
func HowToGoOn(err error, command string) error {
	if !errors.Is(err, data.ErrBroken) {
		return err
	}
	return fmt.Errorf("%w; to pass it over: %s -broken skip", err, command)
}

// PicturesUsage describes a flag whose value OpenPictures reads. Parse gives a verb that has one the flags -verify and -broken too.
const PicturesUsage = "a picture, or a `folder` of pictures: " + data.Formats

// OpenPictures opens one picture, or all in a folder, brought to the given shape as the images are that a network was trained on.
func OpenPictures(c *Call, where string, shape [3]int, config training.Config, out io.Writer) (*data.Files, error) {
	if err := data.CheckShape(shape); err != nil {
		return nil, err
	}
	s, ignored, err := data.OpenPictures(where, shape)
	if err != nil {
		return nil, err
	}
	if config.Data != "imagenet" {
		s = s.WithoutMargin()
	}
	s.Tolerate(c.broken)
	if err := c.checkImages(out, s); err != nil {
		return nil, err
	}
	if ignored > 0 {
		fmt.Fprintf(out, "note: %d files are left out, being none of %s by their names\n", ignored, data.Formats)
	}
	return s, nil
}
