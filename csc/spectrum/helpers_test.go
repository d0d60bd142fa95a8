package spectrum

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// setup is an operator small enough to write out as a matrix.
type setup struct {
	weights       []int // (M, C, KH, KW), (M, C, K) or (M, C)
	height, width int
	conv.Geometry
}

func (s setup) String() string {
	return fmt.Sprintf("weights %v, signal %dx%d, %v", s.weights, s.height, s.width, s.Geometry)
}

// setups has strides that the kernel covers and such that it does not, even and odd sizes, dilation, padding
// beyond the kernel, signals shorter than the kernel, of one axis and of none, fewer atoms than channels and
// more.
var setups = []setup{
	{[]int{5, 3, 3, 3}, 6, 7, conv.Geometry{Padding: 1}},
	{[]int{3, 2, 3, 3}, 7, 6, conv.Geometry{}},
	{[]int{4, 2, 3, 3}, 3, 5, conv.Geometry{Padding: 3}},
	{[]int{4, 2, 3, 3}, 7, 8, conv.Geometry{Stride: 2, Padding: 1}},
	{[]int{4, 3, 3, 3}, 8, 6, conv.Geometry{Stride: 2}},
	{[]int{9, 2, 2, 2}, 8, 7, conv.Geometry{Stride: 3, Padding: 1}},
	{[]int{6, 3, 1, 1}, 4, 5, conv.Geometry{}},
	{[]int{2, 5, 1, 1}, 6, 5, conv.Geometry{Stride: 2}},
	{[]int{4, 2, 1, 2}, 4, 3, conv.Geometry{Padding: 6}},
	{[]int{2, 3, 5, 5}, 7, 6, conv.Geometry{Padding: 2}},
	{[]int{12, 1, 7, 7}, 9, 10, conv.Geometry{Stride: 2, Padding: 3}},
	{[]int{4, 3, 3, 3}, 8, 7, conv.Geometry{Padding: 2, Dilation: 2}},
	{[]int{4, 3, 2, 5}, 5, 8, conv.Geometry{Stride: 2, Padding: 1}},
	{[]int{3, 2, 3, 2}, 9, 8, conv.Geometry{Stride: 2, Padding: 2, Dilation: 3}},
	{[]int{3, 2, 7, 7}, 2, 3, conv.Geometry{Padding: 3}},
	{[]int{5, 3, 4}, 1, 11, conv.Geometry{Padding: 2}},
	{[]int{3, 1, 3}, 1, 13, conv.Geometry{Stride: 3, Padding: 2, Dilation: 2}},
	{[]int{9, 5}, 1, 1, conv.Geometry{}},
	{[]int{4, 6}, 1, 1, conv.Geometry{Padding: 1, Stride: 2}},
}

// drawn is a setup of random sizes.
func drawn(seed uint64) setup {
	r := random.New(seed).Sub("setup")
	from := func(i uint64, lo, hi int) int { return lo + r.Intn(i, hi-lo+1) }
	g := conv.Geometry{Stride: from(0, 1, 3), Padding: from(1, 0, 3), Dilation: from(2, 1, 2)}
	return setup{[]int{from(3, 1, 6), from(4, 1, 4), from(5, 1, 4), from(6, 1, 4)}, from(7, 7, 9),
		from(8, 7, 9), g}
}

func uniform(seed uint64, shape ...int) *tensor.Tensor[float64] {
	t := tensor.New[float64](shape...)
	tensor.FillUniform(t, seed, 1, 0)
	return t
}

// peaked are atoms with a common sign, or with signs that alternate along rows, columns or both: their
// largest eigenvalue belongs to constant waves or to the fastest ones.
func peaked(seed uint64, kind int, shape ...int) *tensor.Tensor[float64] {
	w := uniform(seed, shape...)
	columns := shape[len(shape)-1]
	for i, v := range w.Data {
		sign := 1.0
		if kind&1 != 0 && i%columns%2 == 1 {
			sign = -sign
		}
		if kind&2 != 0 && i/columns%2 == 1 {
			sign = -sign
		}
		w.Data[i] = sign * (1 + 0.25*v)
	}
	return w
}

// taps calls f with every element of the atoms, its tap along rows and columns, and its place in the weights.
func (s setup) taps(f func(m, c, u, v, at int)) {
	kh, kw := conv.Sizes(s.weights)
	for m := range s.weights[0] {
		for c := range s.weights[1] {
			for u := range kh {
				for v := range kw {
					f(m, c, u, v, ((m*s.weights[1]+c)*kh+u)*kw+v)
				}
			}
		}
	}
}

// axes is stride, padding and dilation along rows and columns.
func (s setup) axes() (stride, padding, dilation [2]int) {
	stride, dilation = [2]int{1, 1}, [2]int{1, 1}
	for axis := range 2 {
		if len(s.weights)-2 >= 2-axis {
			stride[axis], padding[axis], dilation[axis] = max(1, s.Stride), s.Padding, max(1, s.Dilation)
		}
	}
	return
}

// matrix is A, from the index formula.
func (s setup) matrix(w *tensor.Tensor[float64]) *mat.Dense {
	signal := conv.WithSizes(s.weights, s.height, s.width)
	ho, wo := conv.Sizes(s.CodeShape(signal, s.weights))
	stride, padding, dilation := s.axes()
	a := mat.NewDense(s.weights[1]*s.height*s.width, s.weights[0]*ho*wo, nil)
	s.taps(func(m, c, u, v, at int) {
		for i := range ho {
			for j := range wo {
				row, col := i*stride[0]+u*dilation[0]-padding[0], j*stride[1]+v*dilation[1]-padding[1]
				if 0 <= row && row < s.height && 0 <= col && col < s.width {
					a.Set((c*s.height+row)*s.width+col, (m*ho+i)*wo+j, w.Data[at])
				}
			}
		}
	})
	return a
}

// torusMatrix is the synthesis on a torus, with or without changes of sign.
func (s setup) torusMatrix(w *tensor.Tensor[float64], height, width int, antiperiodic [2]bool) *mat.Dense {
	stride, padding, dilation := s.axes()
	ho, wo := height/stride[0], width/stride[1]
	a := mat.NewDense(s.weights[1]*height*width, s.weights[0]*ho*wo, nil)
	around := func(at, size int, turn bool) (int, float64) {
		sign := 1.0
		for ; at < 0; at += size {
			sign = -sign
		}
		for ; at >= size; at -= size {
			sign = -sign
		}
		if !turn {
			sign = 1
		}
		return at, sign
	}
	s.taps(func(m, c, u, v, at int) {
		for i := range ho {
			for j := range wo {
				row, a1 := around(i*stride[0]+u*dilation[0]-padding[0], height, antiperiodic[0])
				col, a2 := around(j*stride[1]+v*dilation[1]-padding[1], width, antiperiodic[1])
				r, q := (c*height+row)*width+col, (m*ho+i)*wo+j
				a.Set(r, q, a.At(r, q)+w.Data[at]*a1*a2)
			}
		}
	})
	return a
}

// eigenvalues are those of A*A or A A*, whichever is smaller, ascending.
func eigenvalues(t *testing.T, a *mat.Dense) []float64 {
	t.Helper()
	var gram mat.SymDense
	if r, c := a.Dims(); r <= c {
		gram.SymOuterK(1, a)
	} else {
		gram.SymOuterK(1, a.T())
	}
	var e mat.EigenSym
	if !e.Factorize(&gram, false) {
		t.Fatal("gonum found no eigenvalues")
	}
	return e.Values(nil)
}

func last(v []float64) float64 { return v[len(v)-1] }

// near reports an error unless |got - want| <= bound |want|.
func near(t *testing.T, what string, got, want, bound float64) {
	t.Helper()
	if !(math.Abs(got-want) <= bound*math.Abs(want)) {
		t.Errorf("%s: %.17g, want %.17g", what, got, want)
	}
}
