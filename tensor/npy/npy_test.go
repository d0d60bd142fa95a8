package npy

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func sizeOf(dtype string) int {
	k, _ := find(func(k kind) bool { return k.name == dtype })
	return k.size
}

func TestRoundTrip(t *testing.T) {
	for _, a := range []Array{
		{nil, "float64", []float64{math.Pi}},
		{[]int{3}, "float32", []float64{0.5, -1, math.Inf(1)}},
		{[]int{2, 1, 2}, "float16", []float64{65504, -0x1p-24, 0, 1.5}},
		{[]int{2}, "int64", []float64{-7, 1 << 40}},
		{[]int{0, 4}, "float32", []float64{}},
		{[]int{2}, "int32", []float64{-1 << 31, 5}}, {[]int{1}, "int16", []float64{-3}}, {[]int{1}, "int8", []float64{-128}},
		{[]int{1}, "uint64", []float64{1 << 63}}, {[]int{1}, "uint32", []float64{1<<32 - 1}}, {[]int{1}, "uint16", []float64{65535}},
		{[]int{2}, "uint8", []float64{255, 1}}, {[]int{2}, "bool", []float64{0, 1}},
	} {
		file := Encode(a)
		got, err := Decode(file)
		if err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%v: %v, %v", a, got, err)
		}
		if start := len(file) - len(a.Data)*sizeOf(a.DType); start%64 != 0 || file[start-1] != '\n' {
			t.Errorf("%v: the values begin at %d", a, start)
		}
		path := filepath.Join(t.TempDir(), "a.npy")
		if err := Write(path, a); err != nil {
			t.Fatal(err)
		}
		if got, err := Read(path); err != nil || !reflect.DeepEqual(got, a) {
			t.Errorf("%v by file: %v, %v", a, got, err)
		}
	}
}

// What NumPy wrote: numpy.save of numpy.array([[1, -2, .5]], "<f2").
func TestNumPysBytes(t *testing.T) {
	file := "\x93NUMPY\x01\x00v\x00{'descr': '<f2', 'fortran_order': False, 'shape': (1, 3), }" + strings.Repeat(" ", 58) + "\n\x00<\x00\xc0\x008"
	got, err := Decode([]byte(file))
	if want := (Array{[]int{1, 3}, "float16", []float64{1, -2, 0.5}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if string(Encode(got)) != file {
		t.Errorf("written as %q", Encode(got))
	}
}

func TestRefuses(t *testing.T) {
	whole := string(Encode(Array{[]int{2, 2}, "float32", []float64{1, 2, 3, 4}}))
	change := func(old, new string) string { return strings.Replace(whole, old, new, 1) }
	for file, says := range map[string]string{
		"":                                     "not a .npy",
		whole[:9]:                              "not a .npy",
		whole[:60]:                             "cut",
		whole[:len(whole)-1]:                   "15 bytes",
		whole[:len(whole)-16]:                  "0 bytes",
		whole + "x":                            "17 bytes",
		change("\x01\x00", "\x04\x00"):         "version 4.0",
		change("\x01\x00", "\x02\x00"):         "cut inside the header",
		change("(2, 2)", "(4, 2)"):             "shape [4 2]",
		change("(2, 2)", "(-2,2)"):             "header",
		change("(2, 2), }  ", "(2, 2), 1}"):    "header",
		change("(2, 2), } ", "(99999999999,)"): "header",
		change("<f4", "<f8"):                   "float64",
		change("<f4", "<>4"):                   `"<>4"`,
		change("<f4", "|O8"):                   `"|O8": Python objects`,
		change("<f4", "<c8"):                   `"<c8": complex numbers`,
		change("<f4", "<f3"):                   `"<f3": want bool`,
		change("<f4", "<g4"):                   `"<g4": want bool`,
		change("'<f4'", "[('a', '<f4')]"):      "a structure",
		change("'descr'", "'shape'"):           "header",
	} {
		if a, err := Decode([]byte(file)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, %v, want an error that says %s", file, a, err, says)
		}
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "cut.npy")
	if err := os.WriteFile(path, []byte(whole[:70]), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, dir, filepath.Join(dir, "missing")} {
		if _, err := Read(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: %v", p, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(Encode(Array{[]int{2}, "float16", []float64{1, 2}}))
	f.Add(Encode(Array{nil, "int64", []float64{3}}))
	for _, file := range forms() {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := Decode(file)
		if err != nil {
			return
		}
		again, err := Decode(Encode(a))
		if err != nil || len(again.Data) != len(a.Data) || again.DType != a.DType {
			t.Fatalf("%v: %v, %v", a, again, err)
		}
	})
}
