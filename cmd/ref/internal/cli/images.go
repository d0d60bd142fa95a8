package cli

import (
	"fmt"
	"io"

	"sdref/sdnet/data"
)

// The drawn images: their name as a value of -data, how many there are, and from which seed. They are the same in every run.
const (
	ShapesName  = "shapes"
	ShapesSeed  = 1
	shapesTrain = 10_000
	shapesTest  = 2_000
)

// DataUsage describes a flag whose value OpenData reads.
const DataUsage = "a `folder` with CIFAR-10 or CIFAR-100 in the binary layout, or with train/CLASS and val/CLASS of JPEG and PNG files; or \"shapes\" for the drawn images"

// OpenImages returns the drawn images for the name shapes, and CIFAR from a folder otherwise.
func OpenImages(where string) (*data.Sets, error) {
	if where == ShapesName {
		return data.Shapes(shapesTrain, shapesTest, ShapesSeed), nil
	}
	return data.OpenCIFAR(where)
}

// OpenData returns the images that OpenImages does, or those of a folder with a folder for each class, brought to the given extent. Of
// these it looks at every file's beginning first, showing on out how far it is. The notes are for the log.
func OpenData(c *Call, where string, extent int, out io.Writer) (set data.Dataset, notes []string, err error) {
	if where == ShapesName || !data.IsFolder(where) {
		d, err := OpenImages(where)
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
	if err := checkImages(c, d, NewProgress(out, 0)); err != nil {
		return set, nil, err
	}
	if d.Ignored > 0 {
		notes = append(notes, fmt.Sprintf("%d files in the folders of the classes are left out, being neither JPEG nor PNG by their names", d.Ignored))
	}
	return d.Dataset(), notes, nil
}

// checkImages looks at the beginning of every file.
func checkImages(c *Call, d *data.Folder, p *Progress) error {
	defer p.End()
	all, before := d.Train.Len()+d.Test.Len(), 0
	for _, s := range []*data.Files{d.Train, d.Test} {
		err := s.Check(c.Context, func(done int) {
			if done < s.Len() {
				p.Show(float64(before+done)/float64(all), fmt.Sprintf("looked at %d of %d files", before+done, all))
			}
		})
		if err != nil && c.Context.Err() != nil {
			return ErrInterrupted
		}
		if err != nil {
			return err
		}
		before += s.Len()
	}
	return nil
}
