package spectrum

import (
	"slices"

	"sdref/conv"
	"sdref/tensor"
)

// TorusEigenvalues returns the eigenvalues of A A* on a torus of height x width pixels instead of signals
// with borders of zeros, largest first: C height width of them. They are those of the symbol's S S* at the
// torus' frequencies, so for stride 1 C values for each of height x width frequencies; on a finer grid of
// frequencies the largest comes nearer to that on the unbounded plane, which bounds lambda_max from above.
// Height and width must be positive multiples of the stride, and 1 along an axis that signals do not have;
// others are a panic.
func (o *Operator) TorusEigenvalues(height, width int) []float64 {
	if height < 1 || width < 1 || height%o.rows.stride != 0 || width%o.cols.stride != 0 {
		panic(&tensor.ShapeError{Op: "spectrum: TorusEigenvalues: torus; strides",
			Shapes: [][]int{{height, width}, {o.rows.stride, o.cols.stride}}})
	}
	conv.WithSizes(o.weight.Shape, height, width) // panics if an axis is not there
	s := newSymbol(o, newTorus(o.rows, height), newTorus(o.cols, width))
	n := s.g.re.Shape[0]
	var values []float64
	real := tensor.New[float64](2*n, 2*n)
	for k := 0; k < s.vertical.period; k += 2 {
		for l := 0; l < s.horizontal.period; l += 2 {
			s.set(k, l)
			s.g.setGram(s.s, s.scratch)
			values = append(values, s.g.eigenvalues(real)...)
		}
	}
	// The others are 0: S has no rows for pixels that no tap reads, and is transposed if it has fewer
	// columns.
	values = append(values, make([]float64, o.weight.Shape[1]*height*width-len(values))...)
	slices.Sort(values)
	slices.Reverse(values)
	return values
}

// eigenvalues returns those of a Hermitian matrix H = R + iS in ascending order; real is scratch for the
// symmetric one [R -S; S R], which has the same, each twice.
func (m matrix) eigenvalues(real *tensor.Tensor[float64]) []float64 {
	n := m.re.Shape[0]
	for i := range n {
		for j := range n {
			re, im := m.re.At(i, j), m.im.At(i, j)
			real.Set(re, i, j)
			real.Set(re, n+i, n+j)
			real.Set(im, n+i, j)
			real.Set(-im, i, n+j)
		}
	}
	diagonalize(real)
	twice := make([]float64, 2*n)
	for i := range twice {
		twice[i] = real.At(i, i)
	}
	slices.Sort(twice)
	var values []float64
	for i := 0; i < 2*n; i += 2 {
		values = append(values, twice[i])
	}
	return values
}
