package main

import (
	"fmt"
	"io"

	"sdref/sdnet/cifar"
	"sdref/sdnet/imagenet"
	"sdref/sdnet/shapes"
	"sdref/sdnet/training"
)

// The drawn images: how many, and from which seed. They are the same in every run.
const (
	shapesName  = "shapes"
	shapesTrain = 10_000
	shapesTest  = 2_000
	shapesSeed  = 1
)

// dataUsage describes a flag whose value openData reads.
const dataUsage = "a `folder` with CIFAR-10 or CIFAR-100 in the binary layout, or with train/CLASS and val/CLASS of JPEG and PNG files; or \"shapes\" for the drawn images"

// openImages returns the drawn images for the name shapes, and CIFAR from a folder otherwise.
func openImages(where string) (*cifar.Data, error) {
	if where == shapesName {
		return shapes.Data(shapesTrain, shapesTest, shapesSeed), nil
	}
	return cifar.Open(where)
}

// openData returns the images that openImages does, or those of a folder with a folder for each class, brought to the given extent. Of
// these it looks at every file's beginning first, showing on out how far it is. The notes are for the log.
func openData(c *call, where string, extent int, out io.Writer) (data training.Data, notes []string, err error) {
	if where == shapesName || !imagenet.Is(where) {
		d, err := openImages(where)
		if err != nil {
			return data, nil, err
		}
		if len(d.Unknown) > 0 {
			notes = append(notes, fmt.Sprintf("these files are not the official ones: %v", d.Unknown))
		}
		return training.CIFAR(d), notes, nil
	}
	d, err := imagenet.Open(where, extent)
	if err != nil {
		return data, nil, err
	}
	if err := checkImages(c, d, newProgress(out, 0)); err != nil {
		return data, nil, err
	}
	if d.Ignored > 0 {
		notes = append(notes, fmt.Sprintf("%d files in the folders of the classes are left out, being neither JPEG nor PNG by their names", d.Ignored))
	}
	return training.Folder(d), notes, nil
}

// checkImages looks at the beginning of every file.
func checkImages(c *call, d *imagenet.Data, p *progress) error {
	defer p.end()
	all, before := d.Train.Len()+d.Test.Len(), 0
	for _, s := range []*imagenet.Set{d.Train, d.Test} {
		err := s.Check(c.ctx, func(done int) {
			if done < s.Len() {
				p.show(float64(before+done)/float64(all), fmt.Sprintf("looked at %d of %d files", before+done, all))
			}
		})
		if err != nil && c.ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			return err
		}
		before += s.Len()
	}
	return nil
}
