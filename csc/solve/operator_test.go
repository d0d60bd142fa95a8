package solve

import (
	"fmt"
	"math"
	"testing"

	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// defined is A z by the index formulas: an atom's tap (u, v) at code position (i, j) reaches pixel
// (i*s+u*d-p, j*s+v*d-p), which on a torus is taken modulo the signal's sides and elsewhere falls away
// outside them.
func defined(p *Problem[float64], z *tensor.Tensor[float64]) *tensor.Tensor[float64] {
	x, w, g := tensor.New[float64](p.X.Shape...), p.A.Atoms, p.A.Geometry
	s, d, height, width := max(1, g.Stride), max(1, g.Dilation), x.Shape[2], x.Shape[3]
	for n := range z.Shape[0] {
		for m := range z.Shape[1] {
			for i := range z.Shape[2] {
				for j := range z.Shape[3] {
					code := z.At(n, m, i, j)
					if code == 0 {
						continue
					}
					for c := range w.Shape[1] {
						for u := range w.Shape[2] {
							for v := range w.Shape[3] {
								a, b := i*s+u*d-g.Padding, j*s+v*d-g.Padding
								if p.A.Boundary == CircularBoundary {
									a, b = a%height, b%width
								}
								if 0 <= a && a < height && 0 <= b && b < width {
									x.Data[((n*x.Shape[1]+c)*height+a)*width+b] += w.At(m, c, u, v) * code
								}
							}
						}
					}
				}
			}
		}
	}
	return x
}

// sparse keeps about every k-th element.
func sparse(z *tensor.Tensor[float64], k int) {
	s := random.New(77)
	for i := range z.Data {
		if s.Intn(uint64(i), k) > 0 {
			z.Data[i] = 0
		}
	}
}

var boundaries = []Boundary{ZeroBoundary, FullBoundary, CircularBoundary}

// TestOperator: A is the index formula's, with codes dense and sparse, and A* its adjoint.
func TestOperator(t *testing.T) {
	for _, b := range boundaries {
		for seed := range uint64(30) {
			p := randomProblem(seed, b, false)
			for _, k := range []int{1, 40} {
				z, r := fill[float64](seed, 1, p.CodeShape()...), fill[float64](seed+100, 1, p.X.Shape...)
				sparse(z, k)
				x, c := tensor.New[float64](p.X.Shape...), tensor.New[float64](z.Shape...)
				p.A.Synthesize(x, z)
				p.A.Analyze(c, r)
				if e := relative(x, defined(p, z)); !(e <= 1e-14) {
					t.Errorf("%s, one of %d: A z misses the formula by %g", describe(p), k, e)
				}
				if a, b := tensor.Dot(x, r), tensor.Dot(z, c); !(math.Abs(a-b) <= 1e-12*norm(x)*norm(r)) {
					t.Errorf("%s: <A z, r> = %.17g, <z, A*r> = %.17g", describe(p), a, b)
				}
			}
		}
	}
}

// TestSparseSynthesis: the support's synthesis has the bits of the dense one, in both types, whatever the
// share of zeros.
func TestSparseSynthesis(t *testing.T) {
	for seed := range uint64(30) {
		for _, b := range boundaries {
			p := randomProblem(seed, b, false)
			p.A.Geometry.Dilation = 0
			sparseBits(t, p)
			sparseBits(t, Convert[float32](p))
		}
	}
	if newSupport(ZeroPadded(fill[float64](1, 1, 2, 1, 3, 3), conv.Geometry{Dilation: 2}),
		[]int{1, 1, 9, 9}) != nil {
		t.Error("a support for dilated atoms")
	}
}

func sparseBits[T tensor.Float](t *testing.T, p *Problem[T]) {
	t.Helper()
	s := newSupport(p.A, p.X.Shape)
	for _, k := range []int{1, 2, 30} {
		wide := fill[float64](uint64(k), 1, p.CodeShape()...)
		sparse(wide, k)
		z := tensor.Convert[T](wide)
		got, want := tensor.New[T](p.X.Shape...), tensor.New[T](p.X.Shape...)
		if s.find(z); s.total != tensor.CountNonzero(z) {
			t.Fatalf("%d elements found of %d", s.total, tensor.CountNonzero(z))
		}
		s.scatter(z)
		s.store(got)
		newOperator(p.A, p.X.Shape).synthesizeDense(want, z)
		what := fmt.Sprintf("w %v, %v, %v, one of %d", p.A.Atoms.Shape, p.A.Geometry, p.A.Boundary, k)
		if !tensor.SameBits(got, want) {
			t.Errorf("%s: element %d differs", what, tensor.FirstDifference(got, want))
		}
	}
}
