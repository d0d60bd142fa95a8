package golden

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
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
	var cases []*Case
	var broken []error
	first := map[string]string{}
	for _, path := range paths {
		c, err := Load(path)
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
	found := map[string]bool{}
	// Not filepath.WalkDir, which does not enter a dir that is a symbolic link.
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && strings.HasPrefix(entry.Name(), "."):
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
		path := filepath.Join(dir, filepath.FromSlash(name))
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
		sort.Slice(halves, func(i, j int) bool { return halves[i].Error() < halves[j].Error() })
		return nil, errors.Join(halves...)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("%s: no case (*%s) in this folder or below", dir, caseSuffix)
	}
	sort.Strings(paths)
	return paths, nil
}
