package csc

import (
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/golden"
	"sdref/internal/random"
	"sdref/tensor"
)

// setup is a problem small enough to write A out as a matrix. N, C, M, H, W are distinct. Where kh is 0 signals have no rows, and
// where kw is too they are vectors; the sizes are then 1.
type setup struct {
	n, c, m, height, width int
	kh, kw                 int
	g                      conv.Geometry
}

// setups covers strides 1 and 2, odd and even sizes, kernels 1, 3, 5, 7 and an oblong one, padding 0 to 3, and dilation. With
// kernel 1 at stride 2, and with kernel 3 at stride 2 without padding, A leaves some pixels of the signal at zero. The last ones
// have signals of one axis, and of none, with fewer atoms than channels and with more.
var setups = []setup{
	{2, 3, 5, 6, 7, 3, 3, conv.Geometry{Padding: 1}},
	{1, 2, 3, 7, 6, 3, 3, conv.Geometry{}},
	{1, 2, 4, 3, 5, 3, 3, conv.Geometry{Padding: 3}},
	{3, 2, 4, 7, 8, 3, 3, conv.Geometry{Stride: 2, Padding: 1}},
	{2, 3, 4, 8, 6, 3, 3, conv.Geometry{Stride: 2}},
	{2, 3, 6, 4, 5, 1, 1, conv.Geometry{}},
	{2, 3, 4, 6, 5, 1, 1, conv.Geometry{Stride: 2}},
	{1, 3, 2, 7, 6, 5, 5, conv.Geometry{Padding: 2}},
	{3, 2, 5, 9, 8, 5, 5, conv.Geometry{Stride: 2, Padding: 3}},
	{1, 2, 3, 8, 9, 7, 7, conv.Geometry{}},
	{2, 1, 4, 9, 10, 7, 7, conv.Geometry{Stride: 2, Padding: 3}},
	{2, 3, 4, 8, 7, 3, 3, conv.Geometry{Padding: 2, Dilation: 2}},
	{2, 3, 4, 5, 8, 2, 5, conv.Geometry{Stride: 2, Padding: 1}},
	{2, 3, 5, 1, 11, 0, 4, conv.Geometry{Padding: 2}},
	{3, 2, 4, 1, 12, 0, 5, conv.Geometry{Stride: 2, Padding: 2}},
	{2, 1, 3, 1, 13, 0, 3, conv.Geometry{Stride: 3, Padding: 2, Dilation: 2}},
	{7, 5, 9, 1, 1, 0, 0, conv.Geometry{}},
	{3, 6, 4, 1, 1, 0, 0, conv.Geometry{}},
}

// The first setups of their kind.
const (
	firstLine   = 13
	firstVector = 16
)

func (p setup) String() string {
	return fmt.Sprintf("N %d, C %d, M %d, %dx%d, kernel %dx%d, %v", p.n, p.c, p.m, p.height, p.width, p.kh, p.kw, p.g)
}

func (p setup) signalShape(n int) []int { return p.axes(n, p.c, p.height, p.width) }
func (p setup) atomShape() []int        { return p.axes(p.m, p.c, p.kh, p.kw) }
func (p setup) codeShape(n int) []int {
	return p.axes(n, p.m, p.g.CodeSize(p.height, p.kh), p.g.CodeSize(p.width, p.kw))
}

// axes is a shape with the axes that the setup has.
func (p setup) axes(outer, inner, rows, cols int) []int {
	switch {
	case p.kw == 0:
		return []int{outer, inner}
	case p.kh == 0:
		return []int{outer, inner, cols}
	}
	return []int{outer, inner, rows, cols}
}

func (p setup) signalSize() int { return tensor.Size(p.signalShape(1)) }
func (p setup) codeSize() int   { return tensor.Size(p.codeShape(1)) }

// fill returns a tensor with elements of (-scale, scale) that float32 holds exactly.
func fill[T tensor.Float](seed uint64, scale float64, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	tensor.FillUniform(t, seed, scale, 0)
	return t
}

// small returns a tensor of whole numbers from -4 to 4, so that sums of products are exact in any order.
func small(seed uint64, shape ...int) *tensor.Tensor[float64] {
	t, s := tensor.New[float64](shape...), random.New(seed)
	for i := range t.Data {
		t.Data[i] = float64(s.Intn(uint64(i), 9) - 4)
	}
	return t
}

// matrix is A (C*H*W, M*Ho*Wo), straight from the index formula: element j of atom m at code position (i, j) adds w[m,c,u,v]
// to the pixel (i*s+u*d-p, j*s+v*d-p) of channel c.
func (p setup) matrix(w *tensor.Tensor[float64]) *mat.Dense {
	a, code := mat.NewDense(p.signalSize(), p.codeSize(), nil), p.codeShape(1)
	s, d := max(1, p.g.Stride), max(1, p.g.Dilation)
	kh, kw, top, left := max(1, p.kh), max(1, p.kw), p.g.Padding, p.g.Padding
	if p.kh == 0 {
		top = 0
	}
	ho, wo := conv.Sizes(code)
	for col := range p.codeSize() {
		m, i, j := col/(ho*wo), col/wo%ho, col%wo
		for c := range p.c {
			for u := range kh {
				for v := range kw {
					row, column := i*s+u*d-top, j*s+v*d-left
					if 0 <= row && row < p.height && 0 <= column && column < p.width {
						a.Set((c*p.height+row)*p.width+column, col, w.Data[((m*p.c+c)*kh+u)*kw+v])
					}
				}
			}
		}
	}
	return a
}

// units is a batch of all unit tensors of the given shape, one image each.
func units(shape []int) *tensor.Tensor[float64] {
	n := tensor.Size(shape)
	t := tensor.New[float64](append([]int{n}, shape[1:]...)...)
	for i := range n {
		t.Data[i*n+i] = 1
	}
	return t
}

// columns is a batch as a matrix, one column per image.
func columns(t *tensor.Tensor[float64]) *mat.Dense {
	return mat.DenseCopyOf(mat.NewDense(t.Shape[0], t.Len()/t.Shape[0], t.Data).T())
}

// images is the inverse of columns.
func images(a mat.Matrix, shape ...int) *tensor.Tensor[float64] {
	return tensor.From(mat.DenseCopyOf(a.T()).RawMatrix().Data, shape...)
}

// values runs the outputs of a graph, whose inputs are given, and returns their values.
func values[T tensor.Float](given map[*autodiff.Node]*tensor.Tensor[T], outputs ...*autodiff.Node) (list []*tensor.Tensor[T]) {
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[T]())
	for input, t := range given {
		p.Set(input, t)
	}
	p.Run()
	for _, n := range outputs {
		list = append(list, p.Value(n))
	}
	return list
}

// analysis and synthesis call the operators.
func analysis[T tensor.Float](x, w *tensor.Tensor[T], g conv.Geometry) *tensor.Tensor[T] {
	graph := autodiff.NewGraph()
	signal, atoms := graph.Input("x", x.Shape...), graph.Input("w", w.Shape...)
	return values(map[*autodiff.Node]*tensor.Tensor[T]{signal: x, atoms: w}, autodiff.Analysis(signal, atoms, g))[0]
}

func synthesis[T tensor.Float](z, w *tensor.Tensor[T], height, width int, g conv.Geometry) *tensor.Tensor[T] {
	graph := autodiff.NewGraph()
	code, atoms := graph.Input("z", z.Shape...), graph.Input("w", w.Shape...)
	return values(map[*autodiff.Node]*tensor.Tensor[T]{code: z, atoms: w}, autodiff.Synthesis(code, atoms, height, width, g))[0]
}

// scalar is a tensor of one element without axes.
func scalar[T tensor.Float](v T) *tensor.Tensor[T] { return tensor.From([]T{v}) }

// near reports an error unless max|got - want| <= bound * max|want|.
func near[T tensor.Float](t *testing.T, what string, got []T, want []float64, bound float64) {
	t.Helper()
	if d := golden.Compare(got, want); !d.Within(bound) {
		t.Errorf("%s: error %g, bound %g; element %d of %d is %g, want %g", what, d.Error, bound, d.Worst, len(want), d.Got, d.Want)
	}
}

// same reports an error unless two tensors have the same shape and bits.
func same[T tensor.Float](t *testing.T, what string, got, want *tensor.Tensor[T]) {
	t.Helper()
	if !tensor.SameBits(got, want) {
		t.Errorf("%s: shapes %v, %v, first different element %d", what, got.Shape, want.Shape, tensor.FirstDifference(got, want))
	}
}

// mustPanic reports an error unless call panics.
func mustPanic(t *testing.T, what string, call func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Errorf("%s: no panic", what)
		}
	}()
	call()
}
