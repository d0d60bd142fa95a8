package solve

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// matrixOf is A for one image as gonum's matrix, by single elements of the code.
func matrixOf(p *Problem[float64]) *mat.Dense {
	signal := append([]int{1}, p.X.Shape[1:]...)
	code := p.A.CodeShape(signal)
	m := mat.NewDense(tensor.Size(signal), tensor.Size(code), nil)
	z := tensor.New[float64](code...)
	for i := range z.Data {
		x := tensor.New[float64](signal...)
		z.Data[i] = 1
		p.A.Synthesize(x, z)
		z.Data[i] = 0
		m.SetCol(i, x.Data)
	}
	return m
}

// leastSquares is the code of least length that minimises |x - A z|^2, by gonum's singular values.
func leastSquares(t *testing.T, p *Problem[float64]) *tensor.Tensor[float64] {
	t.Helper()
	m := matrixOf(p)
	var svd mat.SVD
	if !svd.Factorize(m, mat.SVDThin) {
		t.Fatal("no singular values")
	}
	z := tensor.New[float64](p.CodeShape()...)
	rank := svd.Rank(1e-12)
	for n := range z.Shape[0] {
		var solution mat.VecDense
		svd.SolveVecTo(&solution, mat.NewVecDense(p.X.Row(n).Len(), p.X.Row(n).Data), rank)
		copy(z.Row(n).Data, solution.RawVector().Data)
	}
	return z
}

// underdetermined tells whether the code is as large as the signal or larger.
func underdetermined(p *Problem[float64]) bool { return tensor.Size(p.CodeShape()) >= p.X.Len() }

// leastSquaresProblems are problems with lambda = 0 whose codes are smaller than, as large as and larger than their signals.
func leastSquaresProblems() (list []*Problem[float64]) {
	for seed := range uint64(6) {
		s := random.New(seed)
		list = append(list,
			&Problem[float64]{A: Full(fill[float64](s.At(0), 1, 1, 2, 3, 3)), X: fill[float64](s.At(1), 1, 2, 2, 8, 7)},
			&Problem[float64]{A: ZeroPadded(fill[float64](s.At(2), 1, 3, 2, 3, 2), conv.Geometry{Stride: 2, Padding: 1}), X: fill[float64](s.At(3), 1, 2, 2, 9, 8)},
			&Problem[float64]{A: Circular(fill[float64](s.At(4), 1, 1, 1, 2, 3)), X: fill[float64](s.At(5), 1, 1, 1, 6, 7)},
			&Problem[float64]{A: ZeroPadded(fill[float64](s.At(6), 1, 4, 6, 1, 1), conv.Geometry{}), X: fill[float64](s.At(7), 1, 3, 6, 1, 1)},
			&Problem[float64]{A: ZeroPadded(fill[float64](s.At(8), 1, 6, 4, 1, 1), conv.Geometry{}), X: fill[float64](s.At(9), 1, 3, 4, 1, 1)},
		)
	}
	// Two atoms that are equal: A has no full rank.
	twice := fill[float64](99, 1, 2, 3, 2, 2)
	copy(twice.Row(1).Data, twice.Row(0).Data)
	return append(list, &Problem[float64]{A: Full(twice), X: fill[float64](98, 1, 1, 3, 6, 6)})
}

// The code that solves the normal equations is proven to be a solution, to rounding errors; each other one is not, and the gap is at
// least what its objective is above the least.
func TestLambdaZero(t *testing.T) {
	for _, p := range leastSquaresProblems() {
		best := leastSquares(t, p)
		c := Certify(p, best)
		least := c.Objective
		if !(c.Gap <= 1e-14*tensor.SumSquares(p.X)) || !(c.RelativeGap <= 1e-9) {
			t.Errorf("%s: gap %g, relative %g, objective %g, violation %g", describe(p), c.Gap, c.RelativeGap, c.Objective, c.KKT)
		}
		for kind, z := range foreign(p, best, 7) {
			c := Certify(p, z)
			if !(c.Gap >= (c.Objective-least)*(1-1e-9)-1e-14*least) {
				t.Errorf("%s, %s: gap %g, but the objective is %g too high", describe(p), kind, c.Gap, c.Objective-least)
			}
			if kind == "rounded" && !underdetermined(p) && !(c.RelativeGap < 1e-6) {
				t.Errorf("%s, %s: relative gap %g", describe(p), kind, c.RelativeGap)
			}
			if (kind == "zero" || kind == "random") && !(c.RelativeGap > 1e-3) {
				t.Errorf("%s, %s: relative gap %g", describe(p), kind, c.RelativeGap)
			}
		}
	}
}

// The same under the sign constraint, where solutions lie at it, and for a lambda that rounding errors swallow.
func TestLambdaNearZero(t *testing.T) {
	for i, p := range leastSquaresProblems() {
		if underdetermined(p) || i > 4 { // some are enough
			continue
		}
		for _, c := range []struct {
			nonnegative bool
			part        float64 // lambda, as a part of lambda_max
		}{{true, 0}, {true, 1e-13}, {false, 1e-13}} {
			q := *p
			q.Nonnegative = c.nonnegative
			q.Lambda = c.part * lambdaMax(&q)
			best := leastSquares(t, &q) // a solution but for lambda, which is next to nothing
			if q.Nonnegative {
				best = FISTA[float64]{Restart: RestartGradient}.Solve(&q, Stop{RelativeGap: 1e-16, Iterations: 30_000}, nil).Z
			}
			solved := Certify(&q, best)
			if !(solved.RelativeGap < 1e-9) {
				t.Errorf("%s: relative gap %g, violation %g", describe(&q), solved.RelativeGap, solved.KKT)
			}
			for kind, z := range foreign(&q, best, 3) {
				if got := Certify(&q, z); !(got.Gap >= (got.Objective-solved.Objective)*(1-1e-9)-1e-14*solved.Objective) {
					t.Errorf("%s, %s: gap %g, but the objective is %g too high", describe(&q), kind, got.Gap, got.Objective-solved.Objective)
				}
			}
		}
	}
}

// The bound of the eigenvalues is below the least that is not 0, and not far below: from the singular values nearly that, from the
// factorisation at least a third.
func TestCurvature(t *testing.T) {
	for _, p := range leastSquaresProblems() {
		var svd mat.SVD
		if !svd.Factorize(matrixOf(p), mat.SVDNone) {
			t.Fatal("no singular values")
		}
		values := svd.Values(nil)
		least := values[svd.Rank(1e-12)-1]
		full := svd.Rank(1e-12) == tensor.Size(p.CodeShape())/p.X.Shape[0]
		if k := newCurvature(p); !(k.least <= least*least*(1+1e-9)) || !(k.least > 0.99*least*least) || k.full != full {
			t.Errorf("%s: %+v, want below %g, full %t", describe(p), k, least*least, full)
		}
		signal := append([]int{1}, p.X.Shape[1:]...)
		k := ofGram(newOperator(p.A, signal), signal, p.A.CodeShape(signal))
		if k.factor != nil { // the gap of any residual, by either way
			x := p.X.Row(0)
			c := tensor.New[float64](p.A.CodeShape(signal)...)
			p.A.Analyze(c, oneImage(p.X, 0))
			a, b := k.projectedGap(x.Data, c.Data), newCurvature(p).projectedGap(x.Data, c.Data)
			if !(math.Abs(a-b) <= 1e-6*b) {
				t.Errorf("%s: gap of 0 is %g by factorisation, %g by projection", describe(p), a, b)
			}
		}
		if full && !(k.least <= least*least && k.least > least*least/3 && k.full) || !full && k.least != 0 {
			t.Errorf("%s by factorisation: %+v, want below %g, full %t", describe(p), k, least*least, full)
		}
	}
}

// Atoms that nearly depend on each other are told from those that do: the gap says how far a code can be from the solution.
func TestNearlyDependentAtoms(t *testing.T) {
	for _, apart := range []float64{1e-3, 1e-6, 1e-9} {
		w := tensor.From([]float64{1, 0, 0, 1, 0, 0}, 2, 3, 1, 1)
		w.Data[4] = apart
		p := &Problem[float64]{A: ZeroPadded(w, conv.Geometry{}), X: tensor.From([]float64{1, 1, 1}, 1, 3, 1, 1)}
		// Without the second atom the objective is 1; with it, 1/2.
		z := tensor.From([]float64{1, 0}, 1, 2, 1, 1)
		if c := Certify(p, z); !(c.Gap >= 0.5*(1-1e-9)) {
			t.Errorf("%g: gap %g", apart, c.Gap)
		}
		best := tensor.From([]float64{1 - 1/apart, 1 / apart}, 1, 2, 1, 1)
		if c := Certify(p, best); math.Abs(c.Objective-0.5) > 1e-6 || !(c.Gap < 0.5) {
			t.Errorf("%g: the solution has objective %g, gap %g", apart, c.Objective, c.Gap)
		}
	}
}

// Larger than what is bounded, nothing is known, and the gap is what it is without.
func TestCurvatureOfLargeProblems(t *testing.T) {
	p := &Problem[float64]{A: Full(fill[float64](1, 1, 2, 3, 3, 3)), X: fill[float64](2, 1, 1, 3, 40, 40)}
	if k := newCurvature(p); k.least != 0 {
		t.Errorf("%+v", k)
	}
	if c := Certify(p, tensor.New[float64](p.CodeShape()...)); c.Gap != c.Objective {
		t.Errorf("gap %g of %g", c.Gap, c.Objective)
	}
}

func ExampleCertify_leastSquares() {
	// Two atoms of three numbers and a signal: the normal equations give z = (1, 2), and the residual (1, -1, 1) is orthogonal to both.
	p := &Problem[float64]{
		A: ZeroPadded(tensor.From([]float64{1, 1, 0, 0, 1, 1}, 2, 3, 1, 1), conv.Geometry{}), X: tensor.From([]float64{2, 2, 3}, 1, 3, 1, 1),
	}
	c := Certify(p, tensor.From([]float64{1, 2}, 1, 2, 1, 1))
	fmt.Println(c.Objective, c.Gap)
	// Output: 1.5 0
}
