package data

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sdref/internal/filekind"
)

// Layouts says, for messages, which layouts Find knows.
const Layouts = "CIFAR-10 or CIFAR-100, binary (data_batch_1.bin ..., train.bin) or of Python (cifar-10-batches-py, cifar-100-python), " +
	"also as .tar.gz; or a folder for each class, in train/ and val/ (or valid/, test/), in train/ alone or alone, with images of " + Formats

// Source is where images are and in which layout, before they are read.
type Source struct {
	Path  string
	at    tree
	cifar *cifar // nil for folders of classes

	// The folders with a folder for each class, "" where there is none; others are not read.
	train, test string
	others      []string
}

// IsFolder tells whether the images are files in folders of classes.
func (s *Source) IsFolder() bool { return s.cifar == nil }

// IsFolder tells whether path holds folders of classes.
func IsFolder(path string) bool {
	s, err := Find(path)
	return err == nil && s.IsFolder()
}

// Find tells in which layout images are at a path, a folder or an archive. If it knows none, the error names
// what is there and the layouts that are read; errors.Is finds fs.ErrNotExist in it.
func Find(path string) (*Source, error) { return find(disk, path) }

// FindFS is Find for a folder or an archive of a file system, such as an embed.FS or a zip archive; "." is all of it.
func FindFS(fsys fs.FS, name string) (*Source, error) { return find(treeOf(fsys), name) }

func find(at tree, path string) (*Source, error) {
	info, err := fs.Stat(at.fsys, path)
	if err != nil {
		return nil, fmt.Errorf("%w; data are read from %s", err, Layouts)
	}
	if !info.IsDir() {
		return findArchive(at, path)
	}
	if c := findCIFAR(at, path); c != nil {
		return &Source{Path: path, at: at, cifar: c}, nil
	}
	s := &Source{Path: path, at: at}
	for _, part := range []string{"train", "val", "valid", "validation", "test"} {
		switch dir := at.join(path, part); {
		case !at.isDir(dir):
		case part == "train":
			s.train = dir
		case s.test == "":
			s.test = dir
		default:
			s.others = append(s.others, part)
		}
	}
	if s.train == "" && s.test == "" && at.hasClasses(path) {
		s.train = path
	}
	if s.train == "" && s.test == "" {
		return nil, fmt.Errorf("%s holds %s; data are read from %s: %w", path, at.contents(path), Layouts, fs.ErrNotExist)
	}
	return s, nil
}

// findArchive takes a file for an archive if it begins like one.
func findArchive(at tree, path string) (*Source, error) {
	beginning, err := filekind.PeekFS(at.fsys, path)
	if err != nil {
		return nil, err
	}
	kind := filekind.Describe(beginning)
	if kind == filekind.Gzip || kind == "a tar archive" {
		return &Source{Path: path, at: at, cifar: &cifar{at: &archive{tree: at, file: path, limit: maxUnpacked}}}, nil
	}
	if kind == "" {
		kind = "a file of another kind"
	}
	return nil, fmt.Errorf("%s is %s; data are read from %s: %w", path, kind, Layouts, fs.ErrNotExist)
}

// findCIFAR returns the first form of a data set that a folder, or the official folder in it, has a file of,
// else an official archive in it; nil if there is none.
func findCIFAR(t tree, dir string) *cifar {
	for _, l := range layouts {
		for _, m := range []members{l.members, l.python} {
			for _, at := range []string{dir, t.join(dir, m.folder)} {
				for _, file := range m.files() {
					// Python's files of CIFAR-100 are called train and test, as the folders of classes are.
					if info, err := fs.Stat(t.fsys, t.join(at, file)); err == nil && !(m.pickled && info.IsDir()) {
						return &cifar{l, m, folder{t, at}}
					}
				}
			}
		}
	}
	for _, l := range layouts {
		for _, m := range []members{l.members, l.python} {
			if info, err := fs.Stat(t.fsys, t.join(dir, m.archive)); err == nil && info.Mode().IsRegular() {
				return &cifar{at: &archive{tree: t, file: t.join(dir, m.archive), limit: maxUnpacked}}
			}
		}
	}
	return nil
}

// hasClasses tells whether a folder has a folder with an image in it.
func (t tree) hasClasses(dir string) bool {
	classes, err := t.subfolders(dir)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(classes, func(class string) bool {
		files, _, err := t.listImages(t.join(dir, class))
		return err == nil && len(files) > 0
	})
}

// contents names what is in a folder, for a message.
func (t tree) contents(dir string) string {
	entries, err := fs.ReadDir(t.fsys, dir)
	if err != nil {
		return err.Error()
	}
	var folders, files []string
	for _, e := range entries {
		if e.IsDir() {
			folders = append(folders, e.Name()+"/")
		} else {
			files = append(files, e.Name())
		}
	}
	if len(entries) == 0 {
		return "nothing"
	}
	return strings.TrimSpace(some(append(folders, files...)))
}
