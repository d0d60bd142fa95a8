package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
)

// IsFolder tells whether a folder seems to have the layout that OpenFolder reads: whether there is a folder
// train in it.
func IsFolder(dir string) bool {
	info, err := os.Stat(filepath.Join(dir, "train"))
	return err == nil && info.IsDir()
}

// OpenFolder lists the images of a folder with one folder for each class:
//
//	DIR/train/CLASS/*.JPEG      DIR/val/CLASS/*.JPEG        also .jpg, .jpeg and .png
//
// The sets write images of the given height and width. OpenFolder does not open the images; Files.Check does.
//
// The classes are the folders in DIR/train in the order of their names; each needs an image. DIR/val may lack
// some. Names that begin with a dot are ignored. An error names the folder. OpenFolder panics if extent is
// not positive.
func OpenFolder(dir string, extent int) (*Folder, error) {
	if extent < 1 {
		panic(fmt.Sprintf("data: OpenFolder: images of %d x %d", extent, extent))
	}
	classes, err := subfolders(filepath.Join(dir, "train"))
	if err != nil {
		return nil, fmt.Errorf("imagenet: %w", err)
	}
	tested, err := subfolders(filepath.Join(dir, "val"))
	if err != nil {
		return nil, fmt.Errorf("imagenet: %w", err)
	}
	for _, name := range tested {
		if !slices.Contains(classes, name) {
			return nil, fmt.Errorf("imagenet: %s is no class: there is no %s",
				filepath.Join(dir, "val", name), filepath.Join(dir, "train", name))
		}
	}
	d := &Folder{Train: &Files{Classes: classes, extent: extent},
		Test: &Files{Classes: classes, extent: extent}}
	for _, s := range []*Files{d.Train, d.Test} {
		part := "train"
		if s == d.Test {
			part = "val"
		}
		s.Name, s.folder = part+" of "+dir, filepath.Join(dir, part)
		ignored, err := s.list()
		if err != nil {
			return nil, fmt.Errorf("imagenet: %w", err)
		}
		d.Ignored += ignored
	}
	present := slices.Compact(slices.Clone(d.Train.labels)) // the labels ascend
	for label, name := range classes {
		if label >= len(present) || present[label] != int32(label) {
			return nil, fmt.Errorf("imagenet: %s holds no image", filepath.Join(dir, "train", name))
		}
	}
	return d, nil
}

// subfolders returns the names of the folders in a folder, in order; links to folders are included.
func subfolders(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if info, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && info.IsDir() &&
			e.Name()[0] != '.' {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s holds no folder: %w", dir, fs.ErrNotExist)
	}
	return names, nil
}

// list fills the set with the images in its classes' folders, and counts the files whose names are not those
// of images.
func (s *Files) list() (ignored int, err error) {
	for label, class := range s.Classes {
		entries, err := os.ReadDir(filepath.Join(s.folder, class))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ignored, err
		}
		for _, e := range entries {
			switch strings.ToLower(filepath.Ext(e.Name())) {
			case ".jpg", ".jpeg", ".png":
				s.files, s.labels = append(s.files, e.Name()), append(s.labels, int32(label))
			default:
				ignored++
			}
		}
	}
	return ignored, nil
}

// Check reads the beginning of every file, many at a time, and returns the error of the first one that is not
// an image, which names the file. After each thousand it calls progress with the number of files read. It
// stops early with the context's error.
func (s *Files) Check(ctx context.Context, progress func(done int)) error {
	const portion = 1000
	for first := 0; first < s.Len(); first += portion {
		failed := make([]error, min(portion, s.Len()-first))
		var group errgroup.Group
		group.SetLimit(4 * runtime.GOMAXPROCS(0)) // they mostly wait for the disk
		for k := range failed {
			group.Go(func() error { failed[k] = s.checkFile(first + k); return nil })
		}
		_ = group.Wait() // failed has the errors, in the order of the files
		for _, err := range failed {
			if err != nil {
				return err
			}
		}
		progress(first + len(failed))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

func (s *Files) checkFile(i int) error {
	file, err := os.Open(s.File(i))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := checkHeader(file); err != nil {
		return fmt.Errorf("%s: %w", s.File(i), err)
	}
	return nil
}
