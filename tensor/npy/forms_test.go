package npy

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// file puts a file together: a version, a header and values.
func file(version byte, header, values string) []byte {
	length := []byte{byte(len(header)), byte(len(header) >> 8), 0, 0}
	if version == 1 {
		length = length[:2]
	}
	return []byte(magic + string([]byte{version, 0}) + string(length) + header + values)
}

// described is a header of two values.
func described(descr, order string) string {
	return fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': (2,), }\n", descr, order)
}

// forms are arrays of 1 and 2 in the forms that NumPy writes.
func forms() map[string][]byte {
	list := map[string][]byte{
		"version 2":  file(2, described("<f4", "False"), "\x00\x00\x80\x3f\x00\x00\x00\x40"),
		"version 3":  file(3, described("<f4", "False"), "\x00\x00\x80\x3f\x00\x00\x00\x40"),
		"Python 2":   file(1, "{u'descr': u'<f4', 'fortran_order': False, 'shape': (2L,), }", "\x00\x00\x80\x3f\x00\x00\x00\x40"),
		"other keys": file(1, `{"shape": (2,), "fortran_order": False, "descr": "<f4"}`, "\x00\x00\x80\x3f\x00\x00\x00\x40"),
	}
	for descr, values := range map[string]string{
		">f8": "\x3f\xf0\x00\x00\x00\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00", "=f4": "\x00\x00\x80\x3f\x00\x00\x00\x40",
		"f2": "\x00\x3c\x00\x40", ">f2": "\x3c\x00\x40\x00", "|i1": "\x01\x02", "<i1": "\x01\x02", "|u1": "\x01\x02", "<i2": "\x01\x00\x02\x00",
		">i4": "\x00\x00\x00\x01\x00\x00\x00\x02", ">u8": "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02", "<H": "\x01\x00\x02\x00",
		"<d": "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\x40",
	} {
		list[descr] = file(1, described(descr, "True"), values)
	}
	return list
}

func TestForms(t *testing.T) {
	for name, file := range forms() {
		a, err := Decode(file)
		if err != nil || !slices.Equal(a.Data, []float64{1, 2}) || !slices.Equal(a.Shape, []int{2}) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
	}
	if a, err := Decode(file(1, described("|b1", "False"), "\x00\x05")); err != nil || !slices.Equal(a.Data, []float64{0, 1}) {
		t.Errorf("bool: %v, %v", a, err)
	}
}

// In Fortran order the first index runs fastest.
func TestFortranOrder(t *testing.T) {
	for shape, want := range map[string][]float64{
		"2, 3":    {0, 2, 4, 1, 3, 5},
		"1, 2, 3": {0, 2, 4, 1, 3, 5},
		"6,":      {0, 1, 2, 3, 4, 5},
		"2, 1, 3": {0, 2, 4, 1, 3, 5},
		"3, 2":    {0, 3, 1, 4, 2, 5},
	} {
		a, err := Decode(file(1, fmt.Sprintf("{'descr': '|u1', 'fortran_order': True, 'shape': (%s), }", shape), "\x00\x01\x02\x03\x04\x05"))
		if err != nil || !slices.Equal(a.Data, want) {
			t.Errorf("(%s): %v, %v, want %v", shape, a.Data, err, want)
		}
	}
	// Element (i, j, k) is 100 i + 10 j + k, whatever the order.
	var values []byte
	for k := range 4 {
		for j := range 3 {
			for i := range 2 {
				values = append(values, byte(100*i+10*j+k))
			}
		}
	}
	a, err := Decode(file(1, "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3, 4), }", string(values)))
	if err != nil {
		t.Fatal(err)
	}
	for n, v := range a.Data {
		if want := float64(100*(n/12) + 10*(n/4%3) + n%4); v != want {
			t.Errorf("element %d is %v, want %v", n, v, want)
		}
	}
}

// An integer that float64 does not hold exactly is refused.
func TestExactIntegers(t *testing.T) {
	for _, c := range []struct {
		descr, bytes string
		want         float64 // NaN: refused
	}{
		{"<i8", "\x00\x00\x00\x00\x00\x00\x40\x00", 1 << 54}, {"<i8", "\x01\x00\x00\x00\x00\x00\x20\x00", math.NaN()},
		{"<i8", "\xff\xff\xff\xff\xff\xff\xff\x7f", math.NaN()}, {"<i8", "\x00\x00\x00\x00\x00\x00\x00\x80", -1 << 63},
		{"<u8", "\x00\x00\x00\x00\x00\x00\x00\x80", 1 << 63}, {"<u8", "\xff\xff\xff\xff\xff\xff\xff\xff", math.NaN()},
	} {
		a, err := Decode(file(1, fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (), }", c.descr), c.bytes))
		if refused := c.want != c.want; refused != (err != nil) || !refused && a.Data[0] != c.want || refused && !strings.Contains(err.Error(), "2^53") {
			t.Errorf("%s %q: %v, %v, want %v", c.descr, c.bytes, a, err, c.want)
		}
	}
}

// packed is an archive of files, compressed or not.
func packed(t testing.TB, method uint16, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.CreateHeader(&zip.FileHeader{Name: files[i], Method: method})
		if err == nil {
			_, err = w.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchives(t *testing.T) {
	one := func(v float64) string { return string(Encode(Array{[]int{1}, "float32", []float64{v}})) }
	two := packed(t, zip.Deflate, "x.npy", one(1), "w.npy", one(2))
	damaged := slices.Clone(packed(t, zip.Store, "x.npy", one(1)))
	damaged[bytes.Index(damaged, []byte("\n\x00\x00\x80\x3f"))+4] ^= 1
	for _, c := range []struct {
		file []byte
		name string
		want float64
		says string
	}{
		{two, "x", 1, ""}, {two, "w", 2, ""}, {two, "z", 0, `no array "z" among "w", "x"`},
		{packed(t, zip.Store, "arr_0.npy", one(3)), "x", 3, ""}, {packed(t, zip.Store, "notes.txt", "n", "a.npy", one(3)), "x", 3, ""},
		{packed(t, zip.Store, "notes.txt", "n"), "x", 0, "1 files without an array"},
		{packed(t, zip.Store, "x.npy", one(1), "x.npy", one(2)), "x", 0, `two arrays "x"`},
		{packed(t, zip.Store, "x.npy", one(1)[:90]), "x", 0, `"x.npy": cut`},
		{damaged, "x", 0, "checksum"}, {[]byte(one(4)), "x", 4, ""}, {[]byte("PK\x03\x04"), "x", 0, "zip"},
	} {
		path := filepath.Join(t.TempDir(), "a.npz")
		if err := os.WriteFile(path, c.file, 0o666); err != nil {
			t.Fatal(err)
		}
		a, err := ReadNamed(path, c.name)
		folder, name := filepath.Split(path)
		same, errFS := ReadNamedFS(os.DirFS(folder), name, c.name)
		if fmt.Sprint(same) != fmt.Sprint(a) || (err == nil) != (errFS == nil) || errFS != nil && errFS.Error() != strings.TrimPrefix(err.Error(), folder) {
			t.Errorf("%q: from a file system %v, %v, want %v, %v", c.name, same, errFS, a, err)
		}
		same, errFrom := ReadNamedFrom(bytes.NewReader(c.file), c.name)
		if fmt.Sprint(same) != fmt.Sprint(a) || (err == nil) != (errFrom == nil) || errFrom != nil && path+": "+errFrom.Error() != err.Error() {
			t.Errorf("%q: from a reader %v, %v, want %v, %v", c.name, same, errFrom, a, err)
		}
		switch {
		case c.says == "" && (err != nil || a.Data[0] != c.want):
			t.Errorf("%q of %d bytes: %v, %v, want %v", c.name, len(c.file), a, err, c.want)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), path)):
			t.Errorf("%q: %v, want an error that says %q", c.name, err, c.says)
		}
	}
	if _, err := ReadNamedFS(os.DirFS(t.TempDir()), "none", "x"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadNamedFrom(iotest.ErrReader(io.ErrClosedPipe), "x"); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
	if _, err := ReadNamed(t.TempDir(), "x"); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Error(err)
	}
}

// No archive brings the reader down.
func FuzzArchive(f *testing.F) {
	one := string(Encode(Array{[]int{1}, "float32", []float64{1}}))
	f.Add(packed(f, zip.Deflate, "x.npy", one, "w.npy", one))
	f.Add(packed(f, zip.Store, "arr_0.npy", one))
	f.Fuzz(func(t *testing.T, file []byte) {
		if a, err := named("x")(file); err == nil {
			Encode(a)
		}
	})
}
