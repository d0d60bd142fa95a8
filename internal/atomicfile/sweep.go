package atomicfile

import (
	"os"
	"path/filepath"
	"regexp"
)

// temporary matches the names that create gives.
var temporary = regexp.MustCompile(`^\.tmp-[0-9a-f]{16}$`)

// Sweep removes from a folder the temporary files of writers that were killed. The folder must have no writer
// at work.
func Sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !temporary.MatchString(e.Name()) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
