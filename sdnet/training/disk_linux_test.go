package training

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// A checkpoint that does not fit on the disk leaves the old one as it was. A limit on the size of files
// stands for the disk.
func TestSaveOnAFullDisk(t *testing.T) {
	r := start[float32](t, short(), drawn())
	path := filepath.Join(t.TempDir(), "run.safetensors")
	if err := r.Save(path); err != nil {
		t.Fatal(err)
	}
	before := string(content(t, path))
	step(t, r)
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Skip(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE,
		&syscall.Rlimit{Cur: 1 << 17, Max: old.Max}); err != nil {
		t.Skip(err)
	}
	err := r.Save(path)
	if restore := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); restore != nil {
		t.Fatal(restore)
	}
	says(t, err, path)
	if !errors.Is(err, syscall.EFBIG) {
		t.Errorf("error %v does not wrap the system's", err)
	}
	if string(content(t, path)) != before {
		t.Error("the old checkpoint was touched")
	}
	if r, err := Resume[float32](reread(t, path), drawn().Dataset()); err != nil || r.Iteration != 0 {
		t.Errorf("the old checkpoint: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}
