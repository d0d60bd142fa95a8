// Package safetensors reads and writes files of named tensors in the
// safetensors format: eight bytes of little-endian header length, a JSON header
// giving each tensor's type, shape and place, then the raw little-endian values.
//
// It is for checkpoints, golden cases and whatever is exchanged with other
// languages. It makes float64, float32, int64 and uint64 tensors, and reads those
// of narrower types too: they keep their type, and their values come as float32 or
// int64. It refuses every file that has a gap, an overlap or a second meaning, and
// keeps values to the bit, NaN payloads included. It does not know what the tensors mean.
//
// Format: github.com/huggingface/safetensors, README, "Format".
package safetensors

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sdref/internal/misuse"
)

// Element is a Go type that a file can hold: F64, F32, I64 or U64.
type Element interface {
	float64 | float32 | int64 | uint64
}

// Tensor is a named, shaped, row-major array. New makes one, Values opens it.
type Tensor struct {
	Name  string
	Shape []int // none for a scalar; a zero makes the tensor empty
	data  any   // a slice of an Element, or packed, with as many elements as Shape says
}

// New makes a tensor of data, which it keeps and does not copy. It panics if
// data does not have exactly the elements of shape.
func New[T Element](name string, shape []int, data []T) Tensor {
	if n, ok := Elements(shape); !ok || n != len(data) {
		panic(misuse.Errorf("safetensors.New: tensor %q of shape %v cannot hold %d values", name, shape, len(data)))
	}
	return Tensor{Name: name, Shape: shape, data: data}
}

// Values returns the elements of t, row-major. It is an error if t holds another
// type; Float64s converts. A tensor of a type narrower than 32 bits has its values
// as float32, one of integers or booleans narrower than 64 bits as int64, which are
// copies; all others are not copied.
func Values[T Element](t Tensor) ([]T, error) {
	data := t.data
	if p, ok := data.(packed); ok {
		data = p.widened()
	}
	v, ok := data.([]T)
	if !ok {
		return nil, fmt.Errorf("tensor %q: holds %s, not %s", t.Name, t.DType(), dtypeOf([]T(nil)))
	}
	return v, nil
}

// DType returns the format's name for the type of the elements, such as "F32" or "BF16".
func (t Tensor) DType() string { return dtypeOf(t.data) }

// Len returns the number of elements.
func (t Tensor) Len() int {
	switch d := t.data.(type) {
	case []float64:
		return len(d)
	case []float32:
		return len(d)
	case []int64:
		return len(d)
	case []uint64:
		return len(d)
	case packed:
		return len(d.raw) / width(d.dtype)
	}
	return 0
}

// Float64s returns the elements as float64, row-major: F64 as they are and not
// copied, others converted. An integer that float64 cannot hold is an error.
func (t Tensor) Float64s() ([]float64, error) {
	data := t.data
	if p, ok := data.(packed); ok {
		data = p.widened()
	}
	switch d := data.(type) {
	case []float64:
		return d, nil
	case []float32:
		wide := make([]float64, len(d))
		for i, v := range d {
			wide[i] = float64(v)
		}
		return wide, nil
	case []int64:
		// 2^63 first: what it converts back to depends on the architecture.
		return exactly(t.Name, d, func(w float64, v int64) bool { return w != 0x1p63 && int64(w) == v })
	case []uint64:
		return exactly(t.Name, d, func(w float64, v uint64) bool { return w != 0x1p64 && uint64(w) == v })
	}
	return nil, fmt.Errorf("tensor %q: holds no data", t.Name)
}

// exactly converts integers, each of which must be the same afterwards.
func exactly[T int64 | uint64](name string, values []T, same func(float64, T) bool) ([]float64, error) {
	wide := make([]float64, len(values))
	for i, v := range values {
		wide[i] = float64(v)
		if !same(wide[i], v) {
			return nil, fmt.Errorf("tensor %q: element %d is %d, which float64 cannot hold", name, i, v)
		}
	}
	return wide, nil
}

// Elements returns the number of elements of a tensor of the given shape: the
// product of its sides, 1 if there are none. It reports false for a negative
// side, and for a product that an int cannot hold, even if another side is zero.
func Elements(shape []int) (n int, ok bool) {
	n, empty := 1, false
	for _, side := range shape {
		switch {
		case side < 0:
			return 0, false
		case side == 0:
			empty = true
		case n > math.MaxInt/side:
			return 0, false
		default:
			n *= side
		}
	}
	if empty {
		n = 0
	}
	return n, true
}

// File is the content of one file.
type File struct {
	// Path is where the file was read from, for messages; Write ignores it.
	Path string
	// Metadata is the header's free table of strings; nil and empty are the same.
	Metadata map[string]string
	// Tensors are in the order of the header, which is the order they were
	// given to Write.
	Tensors []Tensor
}

// Get returns the tensor called name. A missing one is an error that names the file.
func (f *File) Get(name string) (Tensor, error) {
	for _, t := range f.Tensors {
		if t.Name == name {
			return t, nil
		}
	}
	return Tensor{}, f.errorf("no tensor %q among its %d", name, len(f.Tensors))
}

// GetShaped returns the tensor called name if it has exactly the given shape.
// A missing tensor and another shape are errors that name the file.
func (f *File) GetShaped(name string, shape ...int) (Tensor, error) {
	t, err := f.Get(name)
	if err != nil {
		return Tensor{}, err
	}
	if !slices.Equal(t.Shape, shape) {
		return Tensor{}, f.errorf("tensor %q has shape %v, want %v", name, t.Shape, shape)
	}
	return t, nil
}

// errorf is fmt.Errorf with the file's path in front, where there is one.
func (f *File) errorf(format string, args ...any) error {
	if f.Path != "" {
		format, args = "%s: "+format, append([]any{f.Path}, args...)
	}
	return fmt.Errorf(format, args...)
}

// The header key that is no tensor.
const metadataKey = "__metadata__"

func dtypeOf(data any) string {
	switch d := data.(type) {
	case []float64:
		return "F64"
	case []float32:
		return "F32"
	case []int64:
		return "I64"
	case []uint64:
		return "U64"
	case packed:
		return d.dtype
	}
	return "nothing"
}

// describe spells a type and a shape as the header does, for messages.
func describe(dtype string, shape []int) string {
	return dtype + strings.ReplaceAll(fmt.Sprint(shape), " ", ",")
}

// MisuseError is the value with which this package panics for mistakes of its caller.
type MisuseError = misuse.Error
