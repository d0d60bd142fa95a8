package main

import (
	"fmt"
	"io"

	"sdref/sdnet/data"
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
func openImages(where string) (*data.Sets, error) {
	if where == shapesName {
		return data.Shapes(shapesTrain, shapesTest, shapesSeed), nil
	}
	return data.OpenCIFAR(where)
}

// openData returns the images that openImages does, or those of a folder with a folder for each class, brought to the given extent. Of
// these it looks at every file's beginning first, showing on out how far it is. The notes are for the log.
func openData(c *call, where string, extent int, out io.Writer) (set data.Dataset, notes []string, err error) {
	if where == shapesName || !data.IsFolder(where) {
		d, err := openImages(where)
		if err != nil {
			return set, nil, err
		}
		if len(d.Unknown) > 0 {
			notes = append(notes, fmt.Sprintf("these files are not the official ones: %v", d.Unknown))
		}
		return d.Dataset(), notes, nil
	}
	d, err := data.OpenFolder(where, extent)
	if err != nil {
		return set, nil, err
	}
	if err := checkImages(c, d, newProgress(out, 0)); err != nil {
		return set, nil, err
	}
	if d.Ignored > 0 {
		notes = append(notes, fmt.Sprintf("%d files in the folders of the classes are left out, being neither JPEG nor PNG by their names", d.Ignored))
	}
	return d.Dataset(), notes, nil
}

// checkImages looks at the beginning of every file.
func checkImages(c *call, d *data.Folder, p *progress) error {
	defer p.end()
	all, before := d.Train.Len()+d.Test.Len(), 0
	for _, s := range []*data.Files{d.Train, d.Test} {
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
