package golden

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const (
	caseSuffix    = ".json"
	tensorsSuffix = ".safetensors"
)

func tensorsBeside(path string) string {
	return strings.TrimSuffix(path, caseSuffix) + tensorsSuffix
}

// Open loads every case under dir, see Find, sorted by path. If any cannot be
// loaded, or two have the same name, it returns no case and an error that lists
// them all.
func Open(dir string) ([]*Case, error) {
	paths, err := Find(dir)
	if err != nil {
		return nil, err
	}
	return open(paths, Load)
}

// OpenFS is Open for a folder of a file system, such as one that is embedded in the program; "." is all of it.
func OpenFS(fsys fs.FS, dir string) ([]*Case, error) {
	names, err := FindFS(fsys, dir)
	if err != nil {
		return nil, err
	}
	return open(names, func(name string) (*Case, error) { return LoadFS(fsys, name) })
}

func open(paths []string, load func(string) (*Case, error)) ([]*Case, error) {
	var cases []*Case
	var broken []error
	first := map[string]string{}
	for _, path := range paths {
		c, err := load(path)
		if err != nil {
			broken = append(broken, err)
			continue
		}
		if other, ok := first[c.Name]; ok {
			broken = append(broken, fmt.Errorf("%s: name: %q is also the name of %s", path, c.Name, other))
		}
		first[c.Name] = path
		cases = append(cases, c)
	}
	if len(broken) > 0 {
		return nil, errors.Join(broken...)
	}
	return cases, nil
}

// Find returns the paths of the cases in dir and all folders below it, sorted,
// for Load. Each .json file is a case; names that begin with a dot are passed
// over. Half a case, a .json or .safetensors without the other, is an error,
// and so is a folder without any case: whoever judges nothing has not passed.
func Find(dir string) ([]string, error) {
	// Not filepath.WalkDir, which does not enter a dir that is a symbolic link.
	return find(os.DirFS(dir), ".", dir, func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) })
}

// FindFS is Find for a folder of a file system; the names are for LoadFS.
func FindFS(fsys fs.FS, dir string) ([]string, error) {
	return find(fsys, dir, dir, func(name string) string { return name })
}

// find lists the cases below root, which messages call dir, each by the path that a name has.
func find(fsys fs.FS, root, dir string, pathOf func(name string) string) ([]string, error) {
	found := map[string]bool{}
	err := fs.WalkDir(fsys, root, func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != root && strings.HasPrefix(entry.Name(), "."):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir():
			found[name] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("cases in %s: %w", dir, err)
	}
	var paths []string
	var halves []error
	for name := range found {
		path := pathOf(name)
		switch {
		case strings.HasSuffix(name, caseSuffix):
			paths = append(paths, path)
			if !found[tensorsBeside(name)] {
				halves = append(halves, fmt.Errorf("%s: no %s beside it", path,
					filepath.Base(tensorsBeside(path))))
			}
		case strings.HasSuffix(name, tensorsSuffix) && !found[strings.TrimSuffix(name,
			tensorsSuffix)+caseSuffix]:
			halves = append(halves, fmt.Errorf("%s: no %s file beside it", path, caseSuffix))
		}
	}
	if len(halves) > 0 {
		slices.SortFunc(halves, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
		return nil, errors.Join(halves...)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no case (*%s) in this folder or below", dir, caseSuffix)
	}
	slices.Sort(paths)
	return paths, nil
}
