package clitest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/data"
)

// CIFAR10 writes CIFAR-10 files with 10 training and 4 test images, and returns their folder.
func CIFAR10(t testing.TB) string {
	t.Helper()
	dir, d := t.TempDir(), data.Shapes(10, 4, 1)
	for i, file := range []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"} {
		Put(t, filepath.Join(dir, file), records(t, d.Train.Slice(2*i, 2*i+2)))
	}
	Put(t, filepath.Join(dir, "test_batch.bin"), records(t, d.Test))
	return dir
}

// CIFAR100 is CIFAR10 for CIFAR-100.
func CIFAR100(t testing.TB) string {
	t.Helper()
	dir, d := t.TempDir(), data.Shapes(10, 4, 1)
	for file, set := range map[string]*data.Set{"train.bin": d.Train, "test.bin": d.Test} {
		set.Coarse = make([]uint8, set.Len())
		Put(t, filepath.Join(dir, file), records(t, set))
	}
	return dir
}

func records(t testing.TB, s *data.Set) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Put writes a file.
func Put(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o666); err != nil {
		t.Fatal(err)
	}
}

// Content is what a file holds.
func Content(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Remove removes a file.
func Remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// Mkdir makes a folder.
func Mkdir(t *testing.T, path string) {
	t.Helper()
	if err := os.Mkdir(path, 0o777); err != nil {
		t.Fatal(err)
	}
}

// Open opens the images that are in a folder.
func Open(t testing.TB, folder string) data.Dataset {
	t.Helper()
	d, err := cli.OpenImages(folder)
	if err != nil {
		t.Fatal(err)
	}
	return d.Dataset()
}
