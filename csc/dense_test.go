package csc

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/tensor"
)

// TestMatrixOfOperator writes A and A* out by applying them to unit codes and unit signals: they are, exactly, the index
// formula's matrix and its transpose.
func TestMatrixOfOperator(t *testing.T) {
	for i, p := range setups {
		w := fill[float64](uint64(100+i), 0.5, p.atomShape()...)
		a := p.matrix(w)
		if got := columns(synthesis(units(p.codeShape(1)), w, p.height, p.width, p.g)); !mat.Equal(got, a) {
			t.Errorf("%v: Synthesis of unit codes is not the index formula's A", p)
		}
		if got := columns(analysis(units(p.signalShape(1)), w, p.g)); !mat.Equal(got, a.T()) {
			t.Errorf("%v: Analysis of unit signals is not the transpose of A", p)
		}
	}
}

// TestProductsWithMatrix sets A z and A*x against gonum's products, for batches.
func TestProductsWithMatrix(t *testing.T) {
	for i, p := range setups {
		w := fill[float64](uint64(200+i), 0.5, p.atomShape()...)
		x := fill[float64](uint64(300+i), 2, p.signalShape(p.n)...)
		z := fill[float64](uint64(400+i), 2, p.codeShape(p.n)...)
		a := p.matrix(w)
		var az, ax mat.Dense
		az.Mul(a, columns(z))
		ax.Mul(a.T(), columns(x))
		near(t, p.String()+": A z", synthesis(z, w, p.height, p.width, p.g).Data, images(&az, x.Shape...).Data, 1e-13)
		near(t, p.String()+": A*x", analysis(x, w, p.g).Data, images(&ax, z.Shape...).Data, 1e-13)
	}
}

// TestOperatorShapes: the code's size is the published formula's, and a signal of another channel count is a caller's bug.
func TestOperatorShapes(t *testing.T) {
	w := fill[float64](1, 0.5, 4, 3, 3, 3)
	z := analysis(tensor.New[float64](2, 3, 7, 8), w, conv.Geometry{Stride: 2, Padding: 1})
	if got := z.Shape; got[0] != 2 || got[1] != 4 || got[2] != 4 || got[3] != 4 {
		t.Errorf("code of a (2, 3, 7, 8) signal at stride 2 has shape %v, want [2 4 4 4]", got)
	}
	for _, width := range []int{7, 8} { // both give four columns: the signal's size has to be said
		if got := synthesis(z, w, 7, width, conv.Geometry{Stride: 2, Padding: 1}).Shape[3]; got != width {
			t.Errorf("Synthesis is %d wide, want %d", got, width)
		}
	}
	mustPanic(t, "Analysis of two channels with atoms of three", func() {
		analysis(tensor.New[float64](2, 2, 7, 8), w, conv.Geometry{Padding: 1})
	})
	mustPanic(t, "Synthesis to a size that does not give the code's", func() {
		synthesis(z, w, 7, 9, conv.Geometry{Stride: 2, Padding: 1})
	})
}
