package safetensors_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// A tensor into a file, and from it, in another type.
func ExampleToTensor() {
	x := tensor.From([]float64{1, 0.1, -2}, 3)
	var file bytes.Buffer
	err := safetensors.Encode(&file, &safetensors.File{Tensors: []safetensors.Tensor{safetensors.FromTensor("x", x)}})
	if err != nil {
		panic(err)
	}
	f, err := safetensors.ReadFrom(&file)
	if err != nil {
		panic(err)
	}
	stored, err := f.GetShaped("x", 3)
	if err != nil {
		panic(err)
	}
	y, err := safetensors.ToTensor[float32](stored)
	fmt.Println(y, err)
	// Output:
	// float32 [3]: 1 0.1 -2 <nil>
}

func TestToTensor(t *testing.T) {
	wide := tensor.From([]float64{1, math.Pi, -0x1p-140, math.Inf(1)}, 2, 2)
	if got, err := safetensors.ToTensor[float64](safetensors.FromTensor("w", wide)); err != nil || &got.Data[0] != &wide.Data[0] {
		t.Errorf("%v, %v: a copy", got, err)
	}
	narrow, err := safetensors.ToTensor[float32](safetensors.FromTensor("w", wide))
	if err != nil || !tensor.SameBits(narrow, tensor.Convert[float32](wide)) {
		t.Errorf("%v, %v", narrow, err)
	}
	if got, err := safetensors.ToTensor[float32](safetensors.New("n", []int{2}, []int64{3, -4})); err != nil || got.Data[1] != -4 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := safetensors.ToTensor[float64](safetensors.New("n", nil, []int64{1<<53 + 1})); err == nil {
		t.Error("an integer that float64 cannot hold was taken")
	}
}

func TestFromReadersAndFileSystems(t *testing.T) {
	var file bytes.Buffer
	want := safetensors.FromTensor("x", tensor.From([]float32{1, 2}, 1, 2))
	if err := safetensors.Encode(&file, &safetensors.File{Tensors: []safetensors.Tensor{want}}); err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"a/x.safetensors": {Data: file.Bytes()}, "a/broken": {Data: file.Bytes()[:20]}}
	f, err := safetensors.ReadFS(fsys, "a/x.safetensors")
	if err != nil || f.Path != "a/x.safetensors" || len(f.Tensors) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := safetensors.ReadFS(fsys, "a/broken"); err == nil || !strings.HasPrefix(err.Error(), "a/broken: ") {
		t.Errorf("%v", err)
	}
	if _, err := safetensors.ReadFS(fsys, "none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if f, err := safetensors.ReadFrom(iotest.OneByteReader(bytes.NewReader(file.Bytes()))); err != nil || len(f.Tensors) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
	if _, err := safetensors.ReadFrom(iotest.ErrReader(fs.ErrClosed)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("%v", err)
	}
}
