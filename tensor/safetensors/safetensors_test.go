package safetensors

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
)

// Values that a careless copy changes: signed zeros, subnormals, infinities,
// quiet and signalling NaNs with payloads.
func hardF64() []float64 {
	var v []float64
	for _, bits := range []uint64{0, 1 << 63, 1, 0x000f_ffff_ffff_ffff, 0x7ff0_0000_0000_0000,
		0xfff0_0000_0000_0000, 0x7ff8_0000_0000_0000, 0x7ff0_0000_0000_0001, 0xfff8_dead_beef_0123, 0x3ff0_0000_0000_0001} {
		v = append(v, math.Float64frombits(bits))
	}
	return v
}

func hardF32() []float32 {
	var v []float32
	for _, bits := range []uint32{0, 1 << 31, 1, 0x7f80_0000, 0x7f80_0001, 0xffc0_beef, 0x3f80_0001} {
		v = append(v, math.Float32frombits(bits))
	}
	return v
}

func sample() *File {
	return &File{
		Metadata: map[string]string{"step": "7", "a \"quoted\" <key>\n": "é\x00", "": ""},
		Tensors: []Tensor{
			New("z/first", []int{7}, hardF32()),
			New("a.second", []int{5, 2}, hardF64()),
			New("scalar", nil, []int64{math.MinInt64}),
			New("empty", []int{3, 0}, []float32{}),
			New("ünïcode <&>", []int{2, 1, 2}, []int64{1, -1, math.MaxInt64, 1 << 53}),
			New("one", []int{1, 1}, []float32{-2.5}),
		},
	}
}

// same compares to the bit.
func same(t *testing.T, got, want *File) {
	t.Helper()
	if len(got.Metadata)+len(want.Metadata) > 0 && !reflect.DeepEqual(got.Metadata, want.Metadata) {
		t.Errorf("metadata %q, want %q", got.Metadata, want.Metadata)
	}
	if len(got.Tensors) != len(want.Tensors) {
		t.Fatalf("%d tensors, want %d", len(got.Tensors), len(want.Tensors))
	}
	for i, w := range want.Tensors {
		g := got.Tensors[i]
		if g.Name != w.Name || g.DType() != w.DType() || fmt.Sprint(g.Shape) != fmt.Sprint(w.Shape) || g.Len() != w.Len() {
			t.Errorf("tensor %d: %q %s %v, want %q %s %v", i, g.Name, g.DType(), g.Shape, w.Name, w.DType(), w.Shape)
			continue
		}
		if bitsOf(g) != bitsOf(w) {
			t.Errorf("tensor %q: bits %s, want %s", g.Name, bitsOf(g), bitsOf(w))
		}
	}
}

func bitsOf(t Tensor) string {
	var s strings.Builder
	switch d := t.data.(type) {
	case []float64:
		for _, v := range d {
			fmt.Fprintf(&s, "%x ", math.Float64bits(v))
		}
	case []float32:
		for _, v := range d {
			fmt.Fprintf(&s, "%x ", math.Float32bits(v))
		}
	case []int64:
		fmt.Fprint(&s, d)
	}
	return s.String()
}

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f.safetensors")
	for _, f := range []*File{sample(), {}, {Metadata: map[string]string{"only": "this"}}} {
		if err := Write(path, f); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Path != path {
			t.Errorf("Path %q, want %q", got.Path, path)
		}
		same(t, got, f)
		first := encode(t, f)
		if again := encode(t, got); !bytes.Equal(first, again) {
			t.Errorf("written again:\n%q\nwant\n%q", again, first)
		}
	}
}

// More than one chunk, and a last one that is not full.
func TestRoundTripOfManyChunks(t *testing.T) {
	wide, narrow := make([]float64, 3*chunk/8+1), make([]float32, 2*chunk/4-1)
	for i := range wide {
		wide[i] = float64(i) / 3
	}
	for i := range narrow {
		narrow[i] = -float32(i)
	}
	f := &File{Tensors: []Tensor{New("wide", []int{len(wide)}, wide), New("narrow", []int{len(narrow)}, narrow)}}
	got, err := Decode(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range got.Tensors {
		if !reflect.DeepEqual(tensor, f.Tensors[i]) {
			t.Errorf("%s differs", tensor.Name)
		}
	}
}

// The bytes themselves, so that both sides cannot be wrong together.
func TestBytes(t *testing.T) {
	f := &File{
		Metadata: map[string]string{"b": "2", "a": "1"},
		Tensors:  []Tensor{New("w", []int{1}, []float32{1}), New("n", nil, []int64{-2}), New("x", []int{1, 1}, []float64{2})},
	}
	header := `{"__metadata__":{"a":"1","b":"2"},"w":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},` +
		`"n":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"x":{"dtype":"F64","shape":[1,1],"data_offsets":[8,16]}}`
	for len(header)%8 != 0 {
		header += " "
	}
	want := string([]byte{byte(len(header)), 0, 0, 0, 0, 0, 0, 0}) + header +
		"\xfe\xff\xff\xff\xff\xff\xff\xff" + "\x00\x00\x00\x00\x00\x00\x00\x40" + "\x00\x00\x80\x3f"
	if len(header) > 255 {
		t.Fatal("the header's length should fit one byte here")
	}
	if got := encode(t, f); string(got) != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestValuesAndFloat64s(t *testing.T) {
	x := New("x", []int{2}, []float32{0.5, -3})
	if v, err := Values[float32](x); err != nil || v[1] != -3 {
		t.Errorf("%v, %v", v, err)
	}
	if _, err := Values[float64](x); err == nil || !strings.Contains(err.Error(), `"x"`) || !strings.Contains(err.Error(), "F32") {
		t.Errorf("error %v, want one that names x and F32", err)
	}
	if v, err := x.Float64s(); err != nil || !reflect.DeepEqual(v, []float64{0.5, -3}) {
		t.Errorf("%v, %v", v, err)
	}
	for _, n := range []int64{0, -1, 1 << 53, -1 << 63, 1<<62 + 1<<20} {
		if v, err := New("n", nil, []int64{n}).Float64s(); err != nil || v[0] != float64(n) {
			t.Errorf("%d: %v, %v", n, v, err)
		}
	}
	for _, n := range []int64{1<<53 + 1, math.MaxInt64, -1<<53 - 1} {
		if v, err := New("n", nil, []int64{n}).Float64s(); err == nil {
			t.Errorf("%d became %v", n, v)
		}
	}
}

func TestGet(t *testing.T) {
	f := &File{Path: "ck.safetensors", Tensors: []Tensor{New("w", []int{2, 3}, make([]float64, 6)), New("n", nil, []int64{1})}}
	if got, err := f.GetShaped("w", 2, 3); err != nil || got.Name != "w" {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := f.GetShaped("n"); err != nil {
		t.Error(err)
	}
	_, missing := f.Get("absent")
	_, turned := f.GetShaped("w", 3, 2)
	_, flat := f.GetShaped("w", 6)
	for _, c := range []struct {
		err  error
		says []string
	}{
		{missing, []string{"ck.safetensors", `"absent"`}},
		{turned, []string{"ck.safetensors", `"w"`, "[2 3]", "[3 2]"}},
		{flat, []string{"[2 3]", "[6]"}},
	} {
		for _, say := range c.says {
			if c.err == nil || !strings.Contains(c.err.Error(), say) {
				t.Errorf("error %v does not say %s", c.err, say)
			}
		}
	}
}

func TestCallersBugsPanic(t *testing.T) {
	reshaped := New("w", []int{4}, make([]float32, 4))
	reshaped.Shape = []int{5}
	one := New("w", []int{1}, []float64{1})
	write := func(f File) func() { return func() { _ = Encode(&bytes.Buffer{}, &f) } }
	for name, bug := range map[string]func(){
		"wrong length":   func() { New("w", []int{2, 2}, []float64{1, 2, 3}) },
		"negative side":  func() { New("w", []int{-1, -1}, []float64{1}) },
		"overflow":       func() { New("w", []int{math.MaxInt/2 + 1, 2}, []float64{}) },
		"two names":      write(File{Tensors: []Tensor{one, one}}),
		"no name":        write(File{Tensors: []Tensor{New("", nil, []int64{1})}}),
		"reserved name":  write(File{Tensors: []Tensor{New(metadataKey, nil, []int64{1})}}),
		"name not UTF-8": write(File{Tensors: []Tensor{New("\xff", nil, []int64{1})}}),
		"reshaped":       write(File{Tensors: []Tensor{reshaped}}),
		"zero Tensor":    write(File{Tensors: []Tensor{{Name: "w"}}}),
		"metadata":       write(File{Metadata: map[string]string{"k": "\xff"}}),
	} {
		func() {
			defer func() {
				if e, ok := recover().(*MisuseError); !ok || !strings.HasPrefix(e.Message, "safetensors.") {
					t.Errorf("%s: recovered %v", name, e)
				}
			}()
			bug()
		}()
	}
}

func TestElements(t *testing.T) {
	for _, c := range []struct {
		shape []int
		n     int
		ok    bool
	}{
		{nil, 1, true}, {[]int{2, 3}, 6, true}, {[]int{5, 0, 7}, 0, true}, {[]int{-1}, 0, false},
		{[]int{math.MaxInt}, math.MaxInt, true}, {[]int{math.MaxInt, 2}, 0, false},
		{[]int{0, math.MaxInt, 2}, 0, false}, {[]int{math.MaxInt/2 + 1, 4}, 0, false}, {[]int{0, -1}, 0, false},
	} {
		if n, ok := Elements(c.shape); n != c.n || ok != c.ok {
			t.Errorf("%v: %d, %t, want %d, %t", c.shape, n, ok, c.n, c.ok)
		}
	}
}

func TestWriteToNowhere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "f.safetensors")
	if err := Write(path, sample()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if _, err := Read(path); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if _, err := Read(os.DevNull); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a device: error %v", err)
	}
}

// A file's memory is bounded by its size: what a header claims costs nothing.
func TestClaimsAreNotAllocated(t *testing.T) {
	file := raw(`{"w":{"dtype":"F64","shape":[1000000000],"data_offsets":[0,8000000000]}}`, "12345678")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := Decode(file); err == nil {
		t.Error("no error")
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d bytes allocated", grown)
	}
}
