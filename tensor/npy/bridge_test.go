package npy_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"sdref/tensor"
	"sdref/tensor/npy"
)

// A tensor as NumPy reads it, and one that NumPy wrote.
func ExampleToTensor() {
	file := npy.Encode(npy.FromTensor(tensor.From([]float32{1, 2, 3, 4}, 2, 2)))
	a, err := npy.ReadFrom(bytes.NewReader(file))
	fmt.Println(a.DType, npy.ToTensor[float64](a), err)
	// Output:
	// float32 float64 [2 2]: 1 2 3 4 <nil>
}

func TestBridge(t *testing.T) {
	for _, shape := range [][]int{{}, {3}, {0, 2}, {2, 1, 3}} {
		x := tensor.New[float32](shape...)
		tensor.FillUniform(x, 1, 0.1, 0)
		a, err := npy.Decode(npy.Encode(npy.FromTensor(x)))
		if err != nil || a.DType != "float32" || !tensor.SameBits(npy.ToTensor[float32](a), x) {
			t.Errorf("%v: %+v, %v", shape, a, err)
		}
	}
	if a := npy.FromTensor(tensor.New[float64](2)); a.DType != "float64" {
		t.Errorf("%+v", a)
	}
}

func TestFromReadersAndFileSystems(t *testing.T) {
	file := npy.Encode(npy.Array{Shape: []int{2}, DType: "int16", Data: []float64{1, -2}})
	fsys := fstest.MapFS{"x.npy": {Data: file}, "broken.npy": {Data: file[:len(file)-1]}}
	if a, err := npy.ReadFS(fsys, "x.npy"); err != nil || a.Data[1] != -2 {
		t.Errorf("%+v, %v", a, err)
	}
	if _, err := npy.ReadFS(fsys, "broken.npy"); err == nil || !strings.HasPrefix(err.Error(), "broken.npy: ") {
		t.Errorf("%v", err)
	}
	if _, err := npy.ReadFS(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if _, err := npy.ReadFrom(iotest.ErrReader(fs.ErrClosed)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v", err)
	}
}
