package data

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// fileSystems are the files of a folder as several kinds of file system; those of the zip archive cannot be read here and there.
func fileSystems(t *testing.T, dir string) map[string]fs.FS {
	t.Helper()
	var packed bytes.Buffer
	z, memory := zip.NewWriter(&packed), fstest.MapFS{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		memory[filepath.ToSlash(name)] = &fstest.MapFile{Data: content}
		w, err := z.Create(filepath.ToSlash(name))
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	})
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.NewReader(bytes.NewReader(packed.Bytes()), int64(packed.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]fs.FS{"memory": memory, "zip": archive, "disk": os.DirFS(dir)}
}

// A folder of classes is the same images and has the same digest in every file system.
func TestFolderInFileSystems(t *testing.T) {
	dir := classFolder(t)
	want := openFolder(t, dir)
	wanted, err := want.Dataset().Describe()
	if err != nil {
		t.Fatal(err)
	}
	for kind, fsys := range fileSystems(t, dir) {
		s, err := FindFS(fsys, ".")
		if err != nil {
			t.Fatal(kind, err)
		}
		f, err := s.OpenFolder(want.Train.Shape())
		if err != nil {
			t.Fatal(kind, err)
		}
		got, err := f.Dataset().Describe()
		if err != nil || got.Train.Ordered != wanted.Train.Ordered || got.Test.Contents != wanted.Test.Contents {
			t.Errorf("%s: %v, other images", kind, err)
		}
		for _, sets := range [][2]*Files{{want.Train, f.Train}, {want.Test, f.Test}} {
			a, b := make([]byte, elements(sets[0].Shape())), make([]byte, elements(sets[0].Shape()))
			for i := range sets[0].Len() {
				if err := errors.Join(sets[0].Plain(a, i), sets[1].Plain(b, i)); err != nil || !slices.Equal(a, b) {
					t.Errorf("%s: image %d of %s, %v", kind, i, sets[1], err)
				}
			}
		}
		pictures, _, err := OpenPicturesFS(fsys, "val", rgb(8))
		if err != nil || pictures.Len() != f.Test.Len() || !strings.HasPrefix(pictures.File(0), "val/") {
			t.Errorf("%s: %d pictures, %v", kind, pictures.Len(), err)
		}
		one, _, err := OpenPicturesFS(fsys, pictures.File(0), rgb(8))
		if err != nil || one.Len() != 1 || one.File(0) != pictures.File(0) {
			t.Errorf("%s: %v, %v", kind, one, err)
		}
		if _, err := FindFS(fsys, "nowhere"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "nowhere") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// CIFAR is the same in every file system, as files, in an archive, and read from a stream.
func TestCIFARInFileSystems(t *testing.T) {
	l := *layouts[0]
	dir := cifarFolder(t, &l, "", 3)
	want, err := OpenCIFAR(dir)
	if err != nil {
		t.Fatal(err)
	}
	same := func(kind string, got *Sets, err error) {
		t.Helper()
		if err != nil || !bytes.Equal(got.Train.Images, want.Train.Images) || !bytes.Equal(got.Test.Labels, want.Test.Labels) || !slices.Equal(got.Unknown, want.Unknown) {
			t.Errorf("%s: %v, other images", kind, err)
		}
	}
	files := map[string][]byte{}
	for _, name := range l.files() {
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[l.folder+"/"+name] = content
	}
	packed := tarFile(t, true, files)
	put(t, filepath.Join(dir, "more", l.archive), packed)
	for kind, fsys := range fileSystems(t, dir) {
		for _, name := range []string{".", "more", "more/" + l.archive} {
			s, err := FindFS(fsys, name)
			if err != nil {
				t.Fatal(kind, err)
			}
			got, err := s.OpenCIFAR()
			same(kind+" "+name, got, err)
		}
	}
	got, err := ReadCIFAR(bytes.NewReader(packed))
	same("stream", got, err)
	for name, r := range map[string]io.Reader{"not complete": bytes.NewReader(packed[:len(packed)/2]), "no files of CIFAR": bytes.NewReader(tarFile(t, false, map[string][]byte{"a": nil}))} {
		if _, err := ReadCIFAR(r); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
