package data

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Folders of classes in all layouts: which sets there are, and of which images.
func TestFolderLayouts(t *testing.T) {
	picture := encodePNG(t, asImage(randomPixels(1, 5, 5), 5, 5))
	for name, c := range map[string]struct {
		files       []string
		train, test string
		names       string
	}{
		"train and val": {[]string{"train/a/1.png", "train/b/2.png", "val/b/3.png"}, "a/1.png b/2.png", "b/3.png", "train of DIR, val of DIR"},
		"valid":         {[]string{"train/a/1.png", "valid/a/3.png"}, "a/1.png", "a/3.png", "train of DIR, valid of DIR"},
		"test":          {[]string{"train/a/1.png", "test/a/3.png"}, "a/1.png", "a/3.png", "train of DIR, test of DIR"},
		"val and test":  {[]string{"train/a/1.png", "val/a/3.png", "test/a/4.png"}, "a/1.png", "a/3.png", "train of DIR, val of DIR"},
		"train alone":   {[]string{"train/a/1.png", "train/b/2.png"}, "a/1.png b/2.png", "", "train of DIR, no test images in DIR"},
		"test alone":    {[]string{"test/a/1.png", "test/b/2.png"}, "", "a/1.png b/2.png", "no training images in DIR, test of DIR"},
		"classes alone": {[]string{"a/1.png", "b/2.png", "notes.txt"}, "a/1.png b/2.png", "", "DIR, no test images in DIR"},
		"in folders": {[]string{"a/x/y/1.png", "a/0.png", "a/z.png", "b/x/2.png", "b/.x/3.png", "b/x/.3.png", "b/x/._2.png"},
			"a/0.png a/x/y/1.png a/z.png b/x/2.png", "", "DIR, no test images in DIR"},
		"all formats": {[]string{"a/1.png", "a/2.JPG", "a/3.jpeg", "a/4.gif", "a/5.BMP", "a/6.tif", "a/7.tiff", "a/8.webp", "a/9.heic"},
			"a/1.png a/2.JPG a/3.jpeg a/4.gif a/5.BMP a/6.tif a/7.tiff a/8.webp", "", "DIR, no test images in DIR"},
	} {
		dir := t.TempDir()
		for _, file := range c.files {
			put(t, filepath.Join(dir, file), picture)
		}
		d := openFolder(t, dir)
		list := func(s *Files) string {
			var names []string
			for i := range s.Len() {
				names = append(names, filepath.ToSlash(s.ImageName(i)))
				if want := int(s.ImageName(i)[0] - 'a'); s.Label(i) != want || s.Classes[want] != s.ImageName(i)[:1] {
					t.Errorf("%s: %s has label %d", name, s.ImageName(i), s.Label(i))
				}
			}
			return strings.Join(names, " ")
		}
		if got, test := list(d.Train), list(d.Test); got != c.train || test != c.test {
			t.Errorf("%s: train %q, test %q", name, got, test)
		}
		if got := strings.ReplaceAll(fmt.Sprintf("%s, %s", d.Train, d.Test), dir, "DIR"); got != c.names {
			t.Errorf("%s: %s", name, got)
		}
		if others := []string{"test"}; (name == "val and test") != slices.Equal(d.Others, others) {
			t.Errorf("%s: others %q", name, d.Others)
		}
	}
}

// Where nothing fits, the message names what is there and what is read.
func TestFindNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "some/table.csv"), nil)
	put(t, filepath.Join(dir, "zip.txt"), []byte("a text"))
	put(t, filepath.Join(dir, "line\nfeed"), nil)
	put(t, filepath.Join(dir, "a.zip"), []byte("PK\x03\x04 and so on"))
	for path, says := range map[string][]string{
		dir:                              {`some/, a.zip, "line\nfeed", zip.txt`, "CIFAR-10 or CIFAR-100", "train/ and val/", ".tar.gz"},
		filepath.Join(dir, "some"):       {"holds table.csv"},
		filepath.Join(dir, "zip.txt"):    {"is a text"},
		filepath.Join(dir, "a.zip"):      {"is a zip archive"},
		filepath.Join(dir, "absent"):     {"absent", "no such file", "CIFAR-10"},
		t.TempDir():                      {"holds nothing"},
		filepath.Join(dir, "line\nfeed"): {"is an empty file"},
	} {
		_, err := Find(path)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
		for _, text := range append(says, path) {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%v does not say %q", err, text)
			}
		}
	}
}

// tarFile packs files, compressed or not.
func tarFile(t testing.TB, compressed bool, files map[string][]byte) []byte {
	t.Helper()
	var b, z bytes.Buffer
	w := tar.NewWriter(&b)
	for name, content := range files {
		err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644, Typeflag: tar.TypeReg})
		if _, write := w.Write(content); err != nil || write != nil {
			t.Fatal(err, write)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !compressed {
		return b.Bytes()
	}
	g := gzip.NewWriter(&z)
	if _, err := g.Write(b.Bytes()); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	return z.Bytes()
}

// CIFAR in both forms, in its folder, beside it, and in archives, is the same images.
func TestCIFARForms(t *testing.T) {
	for _, l := range layouts {
		want := numberedSet(3, len(l.classes), l.coarse)
		for _, m := range []members{l.members, l.python} {
			files := map[string][]byte{m.folder + "/readme.html": []byte("<html>")}
			for _, file := range m.files() {
				files[m.folder+"/"+file] = encodeRecords(t, want)
				if m.pickled {
					files[m.folder+"/"+file] = pickled(t, want, 4)
				}
			}
			names := strings.Join(l.classes, "\n")
			files[m.folder+"/"+m.names] = []byte(names)
			if m.pickled {
				files[m.folder+"/"+m.names] = pickledMeta(l, 2)
			}
			dir := t.TempDir()
			for name, content := range files {
				put(t, filepath.Join(dir, "folder", name), content)
			}
			put(t, filepath.Join(dir, "archive", m.archive), tarFile(t, true, files))
			put(t, filepath.Join(dir, "plain.tar"), tarFile(t, false, files))
			for _, place := range []string{"folder", "folder/" + m.folder, "archive", "archive/" + m.archive, "plain.tar"} {
				d, err := OpenCIFAR(filepath.Join(dir, place))
				if err != nil {
					t.Errorf("%s, %s: %v", m.folder, place, err)
					continue
				}
				if d.Name != l.name || !slices.Equal(d.Test.Classes, l.classes) || !slices.Equal(d.Unknown, m.files()) ||
					!bytes.Equal(d.Test.Images, want.Images) || !bytes.Equal(d.Test.Labels, want.Labels) || !bytes.Equal(d.Test.Coarse, want.Coarse) ||
					d.Train.Len() != 3*len(m.train) {
					t.Errorf("%s, %s: %s, %d and %d images, unknown %q", m.folder, place, d.Name, d.Train.Len(), d.Test.Len(), d.Unknown)
				}
			}
		}
	}
}

// The official sums hold for the records, in whichever form they come.
func TestCIFARVerified(t *testing.T) {
	l := *layouts[0]
	set := numberedSet(3, 10, 0)
	l.sums = map[string]string{"test_batch.bin": fmt.Sprintf("%x", sha(encodeRecords(t, set)))}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "test_batch"), pickled(t, set, 4))
	o, err := cifar{&l, l.python, folder{disk, dir}}.readSet(l.python.test, &Set{})
	if err != nil || !slices.Equal(o.verified, []string{"test_batch"}) {
		t.Errorf("%+v, %v", o, err)
	}
}

// Archives that are cut, that unpack to more than they may, and that hold something else.
func TestBadArchives(t *testing.T) {
	l, dir := layouts[0], t.TempDir()
	files := map[string][]byte{}
	for _, file := range l.files() {
		files[l.folder+"/"+file] = encodeRecords(t, numberedSet(50, 10, 0))
	}
	whole := tarFile(t, true, files)
	missing := map[string][]byte{l.folder + "/data_batch_1.bin": encodeRecords(t, numberedSet(1, 10, 0))}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"cut.tar.gz":     {whole[:len(whole)/2], "not complete"},
		"other.tar.gz":   {tarFile(t, true, map[string][]byte{"photos/\x1b[2Ja.png": nil}), `of "photos/\x1b[2Ja.png", of no files of CIFAR`},
		"missing.tar.gz": {tarFile(t, true, missing), ".bin: file does not exist"},
		"broken.tar.gz":  {[]byte("\x1f\x8b\x08nothing of it"), "broken.tar.gz"},
	} {
		path := filepath.Join(dir, name)
		put(t, path, c.content)
		if _, err := OpenCIFAR(path); err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	path := filepath.Join(dir, "bomb.tar.gz")
	put(t, path, tarFile(t, true, map[string][]byte{l.folder + "/test_batch.bin": make([]byte, 1<<20)}))
	a := &archive{tree: disk, file: path, limit: 1 << 19}
	if _, err := a.unpack(); err == nil || !strings.Contains(err.Error(), "more than the limit of 524288 bytes") {
		t.Errorf("a bomb: %v", err)
	}
}
