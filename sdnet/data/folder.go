package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"
)

// OpenFolder lists the images of a folder of the disk with one folder for each class:
//
//	DIR/train/CLASS/IMAGE       DIR/val/CLASS/IMAGE        or valid, validation or test in place of val
//	DIR/train/CLASS/IMAGE                                  alone: no test images
//	DIR/val/CLASS/IMAGE                                    alone: no training images
//	DIR/CLASS/IMAGE                                        no test images either
//
// An image is a file whose name ends in .jpg, .jpeg, .png, .gif, .bmp, .tif, .tiff or .webp, in the folder of
// its class or any folder in that. BMP, TIFF and WebP can be read if the program has registered these formats
// with package image, as cmd/ref does. The sets write images of the given shape, channels x height x width (see
// Pixels). OpenFolder does not open the images; Files.Check does. FindFS does the same in other file systems.
//
// The classes are the folders in the order of their names, those of the training images if there are some; each
// needs an image there. Names that begin with a dot are passed over. An error names the folder. OpenFolder
// panics if CheckShape does not approve of the shape.
func OpenFolder(dir string, shape [3]int) (*Folder, error) {
	mustBeShape("OpenFolder", shape)
	s, err := Find(dir)
	if err != nil {
		return nil, err
	}
	if !s.IsFolder() {
		return nil, fmt.Errorf("%s holds CIFAR and no folders of classes: %w", dir, fs.ErrNotExist)
	}
	return s.OpenFolder(shape)
}

// OpenFolder lists the images that were found, which are of any form but CIFAR, as the function of that name does.
func (s *Source) OpenFolder(shape [3]int) (*Folder, error) {
	mustBeShape("OpenFolder", shape)
	d := &Folder{Others: s.others}
	var err error
	if d.Train, err = s.part(s.train, "training images", shape); err != nil {
		return nil, err
	}
	if d.Test, err = s.part(s.test, "test images", shape); err != nil {
		return nil, err
	}
	if s.train == "" {
		d.Train.classify(d.Test.folders)
	}
	for _, name := range d.Test.folders {
		if !slices.Contains(d.Train.folders, name) {
			return nil, fmt.Errorf("%s is no class: there is no %s", s.at.join(s.test, name), s.at.join(s.train, name))
		}
	}
	d.Test.classify(d.Train.folders)
	for _, set := range []*Files{d.Train, d.Test} {
		ignored, err := set.list()
		if err != nil {
			return nil, err
		}
		d.Ignored += ignored
	}
	first := d.Train
	if s.train == "" {
		first = d.Test
	}
	return d, first.needAll()
}

// part is the images in a folder of a source, not listed yet, or none.
func (s *Source) part(dir, what string, shape [3]int) (*Files, error) {
	f := &Files{Name: "no " + what + " in " + s.Path, at: s.at, folder: dir, shape: shape, margin: true, failures: &failures{}}
	if dir == "" {
		return f, nil
	}
	f.Name = dir
	if dir != s.Path {
		_, part := s.at.split(dir)
		f.Name = part + " of " + s.Path
	}
	classes, err := s.at.subfolders(dir)
	f.classify(classes)
	return f, err
}

// classify gives the set the classes of folders. A name that is no text is quoted.
func (s *Files) classify(folders []string) {
	s.folders, s.Classes = folders, make([]string, len(folders))
	for i, name := range folders {
		if s.Classes[i] = name; !utf8.ValidString(name) {
			s.Classes[i] = strconv.QuoteToASCII(name)
		}
	}
}

// needAll is an error unless each class has an image.
func (s *Files) needAll() error {
	present := slices.Compact(slices.Clone(s.labels)) // the labels ascend
	for label, name := range s.folders {
		if label >= len(present) || present[label] != int32(label) {
			return fmt.Errorf("%s holds no image of %s", s.at.join(s.folder, name), Formats)
		}
	}
	return nil
}

// subfolders returns the names of the folders in a folder, in order; links to folders are included.
func (t tree) subfolders(dir string) (names []string, err error) {
	entries, err := fs.ReadDir(t.fsys, dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if e.Name()[0] != '.' && t.isDir(t.join(dir, e.Name())) {
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
	for label, class := range s.folders {
		files, others, err := s.at.listImages(s.at.join(s.folder, class))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return ignored, err
		}
		ignored += others
		for _, file := range files {
			s.files, s.labels = append(s.files, s.at.join(class, file)), append(s.labels, int32(label))
		}
	}
	return ignored, nil
}

// extensions are those of images.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp"}

// IsImageFile tells by its name whether a file is an image.
func IsImageFile(name string) bool {
	return slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

// maxDepth bounds the folders in each other, among which a link may lead back.
const maxDepth = 20

// listImages returns the images in a folder and the folders in it, relative to it and in the order of their
// names, and how many other files there are. Names that begin with a dot are passed over.
func (t tree) listImages(dir string) (files []string, others int, err error) {
	return t.listBelow(dir, "", 0)
}

func (t tree) listBelow(root, below string, depth int) (files []string, others int, err error) {
	if depth > maxDepth {
		return nil, 0, fmt.Errorf("%s: more than %d folders in each other, among which a link may lead back", t.join(root, below), maxDepth)
	}
	entries, err := fs.ReadDir(t.fsys, t.join(root, below))
	if err != nil {
		return nil, 0, err
	}
	for _, e := range entries {
		name := t.join(below, e.Name())
		image := IsImageFile(e.Name())
		switch {
		case e.Name()[0] == '.':
		case !image && (e.IsDir() || e.Type()&fs.ModeSymlink != 0 && t.isDir(t.join(root, name))):
			more, rest, err := t.listBelow(root, name, depth+1)
			if err != nil {
				return nil, 0, err
			}
			files, others = append(files, more...), others+rest
		case image:
			files = append(files, name)
		default:
			others++
		}
	}
	return files, others, nil
}

// Check reads the beginning of every file, many at a time, and the rest if whole is set, and returns the
// errors, each of which names its file, of those that are no images that can be read. After each thousand it
// calls progress with the number of files read. It stops early with the context's error.
func (s *Files) Check(ctx context.Context, whole bool, progress func(done int)) (broken []error, err error) {
	const portion = 1000
	sums := make([]sum, s.Len())
	for first := 0; first < s.Len(); first += portion {
		failed := make([]error, min(portion, s.Len()-first))
		var group errgroup.Group
		group.SetLimit(4 * runtime.GOMAXPROCS(0)) // they mostly wait for the disk
		for k := range failed {
			group.Go(func() error {
				sums[first+k], failed[k] = s.checkFile(ctx, first+k, whole)
				return nil
			})
		}
		_ = group.Wait() // failed has the errors, in the order of the files
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		for _, err := range failed {
			if err != nil {
				broken = append(broken, err)
			}
		}
		progress(first + len(failed))
	}
	s.sums = sums
	return broken, nil
}

func (s *Files) checkFile(ctx context.Context, i int, whole bool) (sum sum, err error) {
	if err := ctx.Err(); err != nil {
		return sum, err
	}
	file, size, err := s.at.openImage(s.File(i))
	if err != nil {
		return sum, err
	}
	defer file.Close()
	if sum, err = sumFile(file, size); err != nil {
		return sum, fmt.Errorf("%s: %w", s.File(i), err)
	}
	if _, err = checkHeader(file, size); err == nil && whole {
		err = decode(file, size, func(image.Image) {})
	}
	if err != nil {
		return sum, fmt.Errorf("%s: %w", s.File(i), err)
	}
	return sum, nil
}

// fileSums are the sums of the files, which Check has computed or are computed now.
func (s *Files) fileSums() []sum {
	if s.sums == nil {
		_, _ = s.Check(context.Background(), false, func(int) {}) // broken files are reported when they are read
	}
	return s.sums
}
