package safetensors

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"testing"
)

// Values of each type, by the bytes of the file; integers and booleans are int64, floats float32 or float64.
func TestTypes(t *testing.T) {
	for dtype, c := range map[string]struct {
		bytes string
		want  []float64
	}{
		"F64":     {"\x00\x00\x00\x00\x00\x00\xf8\x3f", []float64{1.5}},
		"F32":     {"\x00\x00\xc0\xbf\x01\x00\x00\x00", []float64{-1.5, 0x1p-149}},
		"F16":     {"\x00\x3e\x01\x80\x00\x7c", []float64{1.5, -0x1p-24, math.Inf(1)}},
		"BF16":    {"\xc0\x3f\x80\xff", []float64{1.5, math.Inf(-1)}},
		"F8_E5M2": {"\x3e\xbc\x01", []float64{1.5, -1, 0x1p-16}},
		"F8_E4M3": {"\x3c\xb8\x01\x7e", []float64{1.5, -1, 0x1p-9, 448}},
		"I64":     {"\xff\xff\xff\xff\xff\xff\xff\xff", []float64{-1}},
		"I32":     {"\xfe\xff\xff\xff\x07\x00\x00\x00", []float64{-2, 7}},
		"I16":     {"\xfe\xff\x00\x01", []float64{-2, 256}},
		"I8":      {"\xfe\x7f\x80", []float64{-2, 127, -128}},
		"U64":     {"\x00\x00\x00\x00\x00\x00\x00\x80", []float64{0x1p63}},
		"U32":     {"\xff\xff\xff\xff", []float64{1<<32 - 1}},
		"U16":     {"\xff\xff", []float64{65535}},
		"U8":      {"\xff\x01", []float64{255, 1}},
		"BOOL":    {"\x00\x01", []float64{0, 1}},
	} {
		f, err := Decode(raw(fmt.Sprintf(`{"w":{"dtype":%q,"shape":[%d],"data_offsets":[0,%d]}}`, dtype, len(c.want), len(c.bytes)), c.bytes))
		if err != nil {
			t.Errorf("%s: %v", dtype, err)
			continue
		}
		w := f.Tensors[0]
		got, err := w.Float64s()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) || w.DType() != dtype || w.Len() != len(c.want) {
			t.Errorf("%s: %v of %s, %v, want %v", dtype, got, w.DType(), err, c.want)
		}
		_, isFloat := Values[float32](w)
		_, isInteger := Values[int64](w)
		if wantFloat := strings.Contains(dtype, "F") && dtype != "F64"; (isFloat == nil) != wantFloat {
			t.Errorf("%s as float32: %v", dtype, isFloat)
		}
		if wantInteger := !strings.Contains(dtype, "F") && dtype != "U64"; (isInteger == nil) != wantInteger {
			t.Errorf("%s as int64: %v", dtype, isInteger)
		}
		// What is read is written as it was.
		first := encode(t, f)
		again, err := Decode(first)
		if err != nil || again.Tensors[0].DType() != dtype || !bytes.Equal(first, encode(t, again)) || !bytes.HasSuffix(first, []byte(c.bytes)) {
			t.Errorf("%s: written as %q, %v", dtype, first, err)
		}
	}
}

// Narrow types lie behind wide ones, whatever order they come in.
func TestMixedTypes(t *testing.T) {
	f, err := Decode(raw(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[10,11]},"b":{"dtype":"F16","shape":[1],"data_offsets":[8,10]},`+
		`"c":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}`, "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x3c\x05"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]float64{"a": 5, "b": 1, "c": 1} {
		w, err := again.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if v, err := w.Float64s(); err != nil || v[0] != want {
			t.Errorf("%s is %v, %v, want %v", name, v, err, want)
		}
	}
}

func TestUnsignedExactness(t *testing.T) {
	for n, exact := range map[uint64]bool{0: true, 1 << 53: true, 1<<53 + 1: false, 1 << 63: true, math.MaxUint64: false, math.MaxUint64 - 2047: true} {
		if v, err := New("n", nil, []uint64{n}).Float64s(); (err == nil) != exact {
			t.Errorf("%d became %v, %v", n, v, err)
		}
	}
}
