// Package tensor is dense row-major arrays of float32 or float64, and the arithmetic on them that has no
// notion of neighbouring pixels: elementwise operations, sums, matrix products, random fills.
//
// Images have the shape (N, C, H, W): image, channel, row, column. Every function gives the same bits with
// any number of goroutines and on every kernel row. It is for all packages that compute. It knows nothing of
// convolutions or derivatives.
package tensor

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"sdref/internal/kernel"
	"sdref/internal/misuse"
)

// Float is the type of an element: float32 or float64.
type Float = kernel.Float

// Tensor is a dense array. Element (i, j, k, ...) of shape (.., J, K, ...) lies at Data[(..*J + j)*K + k
// ...].
type Tensor[T Float] struct {
	Shape []int
	Data  []T // as many elements as the product of Shape
}

// New returns a tensor of zeros.
func New[T Float](shape ...int) *Tensor[T] {
	return &Tensor[T]{Shape: slices.Clone(shape), Data: make([]T, Size(shape))}
}

// From returns a tensor whose elements are data itself, not a copy. It panics with a *ShapeError unless data
// fills the shape.
func From[T Float](data []T, shape ...int) *Tensor[T] {
	if len(data) != Size(shape) {
		panic(&ShapeError{"tensor.From", [][]int{shape, {len(data)}}})
	}
	return &Tensor[T]{Shape: slices.Clone(shape), Data: data}
}

// Size is the number of elements of a shape; 1 for the empty shape, that of a scalar. A negative side and a product that an int cannot
// hold are a panic with a *ShapeError.
func Size(shape []int) int {
	n := uint(1)
	for _, d := range shape {
		high, low := bits.Mul(n, uint(d))
		if d < 0 || high != 0 || low > math.MaxInt {
			panic(&ShapeError{"tensor.Size", [][]int{shape}})
		}
		n = low
	}
	return int(n)
}

// shownElements is how many elements String shows.
const shownElements = 8

// String shows type, shape and the first elements.
func (t *Tensor[T]) String() string {
	var zero T
	s := fmt.Sprintf("%T %v", zero, t.Shape)
	separator := ": "
	for _, x := range t.Data[:min(len(t.Data), shownElements)] {
		s += fmt.Sprint(separator, x)
		separator = " "
	}
	if len(t.Data) > shownElements {
		s += " ..."
	}
	return s
}

// Len is the number of elements.
func (t *Tensor[T]) Len() int { return len(t.Data) }

// At is the element at the given index, one number per dimension.
func (t *Tensor[T]) At(index ...int) T { return t.Data[t.offset(index)] }

// Set changes the element at the given index.
func (t *Tensor[T]) Set(value T, index ...int) { t.Data[t.offset(index)] = value }

func (t *Tensor[T]) offset(index []int) int {
	if len(index) != len(t.Shape) {
		panic(&ShapeError{"tensor index", [][]int{t.Shape, index}})
	}
	at := 0
	for d, i := range index {
		if i < 0 || i >= t.Shape[d] {
			panic(&ShapeError{"tensor index", [][]int{t.Shape, index}})
		}
		at = at*t.Shape[d] + i
	}
	return at
}

// Reshape returns a tensor of another shape that shares t's elements.
func (t *Tensor[T]) Reshape(shape ...int) *Tensor[T] { return From(t.Data, shape...) }

// Row returns t[i], which shares t's elements: image i of a batch, for instance.
func (t *Tensor[T]) Row(i int) *Tensor[T] {
	// The slice below could reach beyond t, up to its capacity.
	if len(t.Shape) == 0 || i < 0 || i >= t.Shape[0] {
		panic(&ShapeError{"tensor.Row", [][]int{t.Shape, {i}}})
	}
	n := Size(t.Shape[1:])
	return From(t.Data[i*n:(i+1)*n], t.Shape[1:]...)
}

// Clone returns a copy.
func (t *Tensor[T]) Clone() *Tensor[T] { return From(slices.Clone(t.Data), t.Shape...) }

// Fill sets every element.
func (t *Tensor[T]) Fill(value T) {
	for i := range t.Data {
		t.Data[i] = value
	}
}

// Convert returns a copy with elements of another type, each rounded to nearest.
func Convert[To, T Float](t *Tensor[T]) *Tensor[To] {
	out := New[To](t.Shape...)
	for i, v := range t.Data {
		out.Data[i] = To(v)
	}
	return out
}

// SameBits tells whether two tensors have the same shape and the same bits; any NaN equals any NaN.
func SameBits[T Float](a, b *Tensor[T]) bool {
	return slices.Equal(a.Shape, b.Shape) && FirstDifference(a, b) < 0
}

// FirstDifference is the lowest offset where the elements' bits differ, -1 if nowhere. The tensors have equal
// lengths.
func FirstDifference[T Float](a, b *Tensor[T]) int {
	for i := range a.Data {
		x, y := float64(a.Data[i]), float64(b.Data[i]) // exact, and keeps the sign of zero
		if math.Float64bits(x) != math.Float64bits(y) && (x == x || y == y) {
			return i
		}
	}
	return -1
}

// ShapeError is the value with which this module panics when shapes do not fit: a mistake of the caller.
type ShapeError struct {
	Op     string
	Shapes [][]int
}

func (e *ShapeError) Error() string { return fmt.Sprintf("%s: shapes %v do not fit", e.Op, e.Shapes) }

// MustMatch panics with a *ShapeError unless all shapes are equal.
func MustMatch(op string, shapes ...[]int) {
	for _, s := range shapes[1:] {
		if !slices.Equal(s, shapes[0]) {
			panic(&ShapeError{op, shapes})
		}
	}
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
