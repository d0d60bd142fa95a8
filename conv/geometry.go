// Package conv is the convolution of neural networks as one trilinear form of a signal x, a kernel w and a
// code y,
//
//	<y, Forward(x, w)> = <x, Transpose(y, w)> = <w, WeightGradient(x, y)>
//	                   = sum y[n,m,i,j] w[m,c,u,v] x[n, c, i*s+u*d-p, j*s+v*d-p]
//
// and the three functions that it defines, which are each other's derivatives. definition.go is the form
// written as loops, the text to read first; the functions, in conv.go, have the same bits, but are computed
// by matrix products (package direct). Where the geometry asks for algorithm Winograd and Geometry.Used
// agrees, winograd_definition.go is the definition, and package winograd computes it.
//
// Shapes: x (N, C, H, W), w (M, C, KH, KW), y (N, M, Ho, Wo); s stride, p padding, d dilation; x outside its
// borders is 0. Signals of one axis drop the rows: x (N, C, L), w (M, C, K), y (N, M, Lo). Vectors have no
// axis, x (N, C), w (M, C), y (N, M), and the form is that of matrix products, y = x w*. An axis that is not
// there has one element, and no padding.
//
// It is for people who write layers, and for those who write another backend and want to compare. It knows
// nothing of differentiation, of graphs, or of sparse coding.
package conv

import (
	"fmt"
	"slices"

	"sdref/conv/internal/form"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Geometry says how the indices of x, w and y are related in the form, the same along rows and columns. The
// zero value is a convolution with stride 1, no padding and no dilation.
type Geometry struct {
	Stride   int // step of x per step of y; 0 means 1
	Padding  int // zeros around x
	Dilation int // step of x per step of the kernel; 0 means 1

	// OutputPadding is the number of rows and columns of x beyond the last that y reaches, 0 <= OutputPadding
	// < Stride. It distinguishes the sizes of x that give the same size of y.
	OutputPadding int

	// Algorithm is how the three functions compute, and so part of their bits; Direct if not set.
	Algorithm Algorithm

	// Workers is the greatest number of goroutines of a call, beside GOMAXPROCS; 0 is no other. It changes no bits, and is no part
	// of a graph: a program of package autodiff has its own.
	Workers int `json:"-"`
}

func (g Geometry) stride() int   { return max(1, g.Stride) }
func (g Geometry) dilation() int { return max(1, g.Dilation) }

// CodeSize is the size of y along an axis, given that of x and of the kernel: floor((size + 2p - d(kernel-1)
// - 1) / s) + 1. It is less than 1 if the kernel does not fit.
func (g Geometry) CodeSize(size, kernel int) int {
	last := size + 2*g.Padding - g.dilation()*(kernel-1) - 1 // the last place of the kernel's first tap
	if last < 0 {
		return 0
	}
	return last/g.stride() + 1
}

// SignalSize is the size of x along an axis, given that of y and of the kernel:
// (code-1)s - 2p + d(kernel-1) + 1 + OutputPadding.
func (g Geometry) SignalSize(code, kernel int) int {
	return (code-1)*g.stride() - 2*g.Padding + g.dilation()*(kernel-1) + 1 + g.OutputPadding
}

// CodeShape is the shape of y for the given x and w.
func (g Geometry) CodeShape(x, w []int) []int {
	mustHaveAxes("conv: x, w", x, w)
	y := []int{x[0], w[0]}
	for axis, size := range x[2:] {
		y = append(y, g.CodeSize(size, w[2+axis]))
	}
	return y
}

// SignalShape is the shape of x for the given y and w.
func (g Geometry) SignalShape(y, w []int) []int {
	mustHaveAxes("conv: y, w", y, w)
	x := []int{y[0], w[1]}
	for axis, code := range y[2:] {
		x = append(x, g.SignalSize(code, w[2+axis]))
	}
	return x
}

// Sizes returns height and width of a signal of this shape; an axis that it does not have has size 1.
func Sizes(shape []int) (height, width int) {
	sizes := append([]int{1, 1}, shape[2:]...)
	return sizes[len(sizes)-2], sizes[len(sizes)-1]
}

// WithSizes returns a signal's shape with other sizes. Those of axes that the shape does not have must be 1.
func WithSizes(shape []int, height, width int) []int {
	sizes := []int{height, width}
	missing := 4 - len(shape)
	if missing < 0 || missing > 2 || missing > 0 && height != 1 || missing > 1 && width != 1 {
		panic(&tensor.ShapeError{Op: "conv: signal; height, width", Shapes: [][]int{shape, sizes}})
	}
	return append(slices.Clone(shape[:2]), sizes[missing:]...)
}

// mustHaveAxes panics with a *tensor.ShapeError unless a and w have the same number of axes, at most two,
// besides images and channels.
func mustHaveAxes(op string, a, w []int) {
	if len(a) < 2 || len(a) > 4 || len(w) != len(a) {
		panic(&tensor.ShapeError{Op: op, Shapes: [][]int{a, w}})
	}
}

func (g Geometry) String() string {
	s := fmt.Sprintf("stride %d, padding %d, output padding %d, dilation %d", g.stride(), g.Padding,
		g.OutputPadding, g.dilation())
	if g.Algorithm != Direct {
		s += ", algorithm " + g.Algorithm.String()
	}
	return s
}

// newForm checks that the shapes of x, w and y fit each other and panics with a *GeometryError if not. The
// size of x may be one of several that give the same y when the stride exceeds 1: y must have the size that x
// gives, or x the size that y gives with the output padding.
func newForm(op string, x, w, y []int, g Geometry) form.Form {
	bad := func(why string) { panic(&GeometryError{op, why, x, w, y, g}) }
	axes := len(x) - 2
	if axes < 0 || axes > 2 || len(w) != len(x) || len(y) != len(x) {
		bad("x, w and y must all have four, three or two dimensions")
	}
	if g.Stride < 0 || g.Padding < 0 || g.Dilation < 0 || g.OutputPadding < 0 || g.Workers < 0 ||
		g.OutputPadding >= max(g.stride(), g.dilation()) ||
		!g.Algorithm.known() {
		bad("a setting is out of range")
	}
	f := form.Form{N: x[0], C: x[1], H: 1, W: 1, M: w[0], KH: 1, KW: 1, Ho: 1, Wo: 1, S: g.stride(),
		D: g.dilation(), Workers: parallel.Limit(g.Workers)}
	if axes > 0 {
		f.W, f.KW, f.Wo, f.PW = x[axes+1], w[axes+1], y[axes+1], g.Padding
	}
	if axes > 1 {
		f.H, f.KH, f.Ho, f.PH = x[2], w[2], y[2], g.Padding
	}
	if y[0] != f.N || w[1] != f.C || y[1] != f.M {
		bad("images or channels differ")
	}
	if f.KH < 1 || f.KW < 1 || f.Ho < 1 || f.Wo < 1 {
		bad("an axis is empty")
	}
	fits := func(size, kernel, code int) bool {
		return g.CodeSize(size, kernel) == code || g.SignalSize(code, kernel) == size
	}
	if axes > 0 && !fits(f.W, f.KW, f.Wo) || axes > 1 && !fits(f.H, f.KH, f.Ho) {
		bad("the sizes of x and y do not follow from each other")
	}
	return f
}

// Check panics with a *GeometryError, in which op is the function's name, if x, w and y of these shapes do
// not fit each other.
func (g Geometry) Check(op string, x, w, y []int) { newForm(op, x, w, y, g) }

// GeometryError is the value of the panic for shapes that do not fit each other: a mistake of the caller.
type GeometryError struct {
	Op, Why string
	X, W, Y []int
	Geometry
}

func (e *GeometryError) Error() string {
	return fmt.Sprintf("conv.%s: %s: x %v, w %v, y %v, %v", e.Op, e.Why, e.X, e.W, e.Y, e.Geometry)
}
