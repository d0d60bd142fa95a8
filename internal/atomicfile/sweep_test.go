package atomicfile

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestSweep: the temporary files of a killed writer are removed, everything else stays.
func TestSweep(t *testing.T) {
	folder := t.TempDir()
	left, err := create(folder, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := left.Close(); err != nil {
		t.Fatal(err)
	}
	keep := []string{".tmp-", ".tmp-0123456789abcdeg", ".tmp-0123456789abcdef0", "a.tmp-0123456789abcdef",
		"checkpoint"}
	for _, name := range keep {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	keep = append(keep, ".tmp-0123456789abcdef") // a folder
	if err := os.Mkdir(filepath.Join(folder, ".tmp-0123456789abcdef"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(folder); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if slices.Sort(keep); err != nil || !slices.Equal(names, keep) {
		t.Errorf("%q, want %q, %v", names, keep, err)
	}
	if err := Sweep(filepath.Join(folder, "missing")); err == nil {
		t.Error("a missing folder")
	}
}
