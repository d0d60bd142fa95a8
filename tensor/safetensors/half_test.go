package safetensors

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
)

// What float16 can hold comes back to the bit, all else as its nearest neighbour, also from a file.
func TestHalf(t *testing.T) {
	inf := float32(math.Inf(1))
	values := []float32{0, 1, -0.5, 65504, 0x1p-24, 0.1, 1 + 0x1p-11, 1 + 0x3p-11, inf, -inf}
	want := []float32{0, 1, -0.5, 65504, 0x1p-24, 0x1.998p-4, 1, 1 + 0x1p-9, inf, -inf}
	half, err := Half(New("w", []int{2, 5}, values))
	if err != nil || half.DType() != "F16" || half.Len() != 10 {
		t.Fatalf("%s of %d, %v", half.DType(), half.Len(), err)
	}
	var file bytes.Buffer
	if err := Encode(&file, &File{Tensors: []Tensor{half}}); err != nil {
		t.Fatal(err)
	}
	f, err := Decode(file.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Values[float32](f.Tensors[0]); err != nil || !slices.Equal(got, want) || f.Tensors[0].DType() != "F16" {
		t.Errorf("%v, want %v, %v", got, want, err)
	}
	if _, err := Half(New("w", []int{2}, []float64{1, -65520})); err == nil || !strings.Contains(err.Error(), `"w": element 1 is -65520`) {
		t.Errorf("too large: %v", err)
	}
}
