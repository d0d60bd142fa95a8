package csc

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/tensor"
)

// eigen returns the eigenvalues of A*A, ascending, and its eigenvectors as columns.
func eigen(t *testing.T, a *mat.Dense) ([]float64, *mat.Dense) {
	t.Helper()
	var gram mat.SymDense
	gram.SymOuterK(1, a.T())
	var e mat.EigenSym
	if !e.Factorize(&gram, true) {
		t.Fatal("gonum found no eigenvalues")
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	return e.Values(nil), &vectors
}

// largest returns the largest eigenvalue of A*A.
func largest(t *testing.T, a *mat.Dense) float64 {
	t.Helper()
	values, _ := eigen(t, a)
	return values[len(values)-1]
}

// denseRounds is the paper's power iteration with a matrix: at most 50 rounds, until the squared norm of the update is at
// most 1e-5.
func denseRounds(a *mat.Dense, v0 []float64) (value float64, rounds int) {
	v := mat.NewVecDense(len(v0), append([]float64(nil), v0...))
	var av, u, update mat.VecDense
	for rounds < 50 {
		av.MulVec(a, v)
		u.MulVec(a.T(), &av)
		u.ScaleVec(1/mat.Norm(&u, 2), &u)
		update.SubVec(&u, v)
		v.CopyVec(&u)
		rounds++
		if mat.Dot(&update, &update) <= 1e-5 {
			break
		}
	}
	av.MulVec(a, v)
	return mat.Dot(&av, &av), rounds
}

// TestPowerIterationAgainstMatrix: one call gives the rounds and the value of the dense iteration, says rightly whether it
// converged, and its value never exceeds the largest eigenvalue. The setups have both outcomes.
func TestPowerIterationAgainstMatrix(t *testing.T) {
	outcomes := map[bool]int{}
	for i, p := range setups {
		w := fill[float64](uint64(600+i), 0.5, p.atomShape()...)
		v := fill[float64](uint64(700+i), 1, p.codeShape(1)...)
		a := p.matrix(w)
		value, rounds := denseRounds(a, v.Data)
		e := PowerIteration(v, w, p.height, p.width, p.g)
		near(t, p.String()+": value", []float64{e.Value}, []float64{value}, 1e-12)
		if e.Rounds != rounds {
			t.Errorf("%v: %d rounds, the dense iteration takes %d", p, e.Rounds, rounds)
		}
		if e.Converged != (e.Change <= 1e-5) || !e.Converged && e.Rounds != 50 {
			t.Errorf("%v: %+v contradicts itself", p, e)
		}
		if top := largest(t, a); e.Value > top*(1+1e-13) || e.Value < 0.98*top {
			t.Errorf("%v: value %g, the largest eigenvalue is %g", p, e.Value, top)
		}
		near(t, p.String()+": step", []float64{e.Step()}, []float64{0.9 / value}, 1e-12)
		outcomes[e.Converged]++
	}
	if outcomes[true] < 3 || outcomes[false] < 3 {
		t.Errorf("setups that converge or not: %v, want some of both", outcomes)
	}
}

// TestPowerIterationToTheEnd calls again and again, each call going on from the last vector, until nothing changes: the value
// is then the largest eigenvalue, and the vector lies in its eigenspace (of one dimension, except where A*A has the same
// blocks everywhere, as with kernel 1).
func TestPowerIterationToTheEnd(t *testing.T) {
	for i, p := range setups {
		w := fill[float64](uint64(600+i), 0.5, p.atomShape()...)
		v := fill[float64](uint64(700+i), 1, p.codeShape(1)...)
		e := PowerIteration(v, w, p.height, p.width, p.g)
		last := e.Value
		for calls := 0; e.Change > 1e-24 && calls < 5000; calls++ { // the squared sine of the angle is then about as small
			if e = PowerIteration(v, w, p.height, p.width, p.g); e.Value < last*(1-1e-14) {
				t.Fatalf("%v: the value fell from %g to %g", p, last, e.Value)
			}
			last = e.Value
		}
		values, vectors := eigen(t, p.matrix(w))
		top := values[len(values)-1]
		near(t, p.String()+": value", []float64{e.Value}, []float64{top}, 1e-13)
		inside := 0.0 // squared norm of v's projection on the eigenspace
		for k, value := range values {
			if value > top*(1-1e-10) {
				c := mat.Dot(vectors.ColView(k), mat.NewVecDense(v.Len(), v.Data))
				inside += c * c
			}
		}
		if math.Abs(inside-1) > 1e-12 || math.Abs(tensor.SumSquares(v)-1) > 1e-14 {
			t.Errorf("%v: |v|^2 is %.17g, of which %.17g in the eigenspace", p, tensor.SumSquares(v), inside)
		}
	}
}

// publishedStem is the case layer/official_four_iterations of the authors' code: 16 atoms 3x3 on three channels of 12x12.
var publishedStem = setup{2, 3, 16, 12, 12, 3, 3, conv.Geometry{Padding: 1}}

func publishedStemAtoms() *tensor.Tensor[float64] {
	w := fill[float64](1033, 0.25, publishedStem.atomShape()...)
	NormalizeAtoms(w)
	return w
}

// TestFiftyRoundsDoNotSuffice pins the paper's stopping rule where it matters: on a published case the rounds run out with a
// value 1.72 per cent below the largest eigenvalue, and in another setup the update is small enough although the value is
// still 0.64 per cent low, so that even Converged does not vouch for the third digit.
func TestFiftyRoundsDoNotSuffice(t *testing.T) {
	p, w := publishedStem, publishedStemAtoms()
	var gram mat.SymDense
	gram.SymOuterK(1, p.matrix(w)) // A A* has the same largest eigenvalue and a fifth of the size
	var eigenvalues mat.EigenSym
	if !eigenvalues.Factorize(&gram, false) {
		t.Fatal("gonum found no eigenvalues")
	}
	top := eigenvalues.Values(nil)[p.signalSize()-1]
	v := fill[float64](1035, 1, p.codeShape(1)...)
	e := PowerIteration(v, w, p.height, p.width, p.g)
	if e.Converged || e.Rounds != 50 || !(e.Change > 1e-5) {
		t.Errorf("%+v: want 50 rounds without convergence", e)
	}
	near(t, "value by the authors' code", []float64{e.Value}, []float64{9.898930858551337}, 1e-12)
	near(t, "shortfall", []float64{1 - e.Value/top}, []float64{0.0172}, 0.01)

	p = setups[0]
	w = fill[float64](600, 0.5, p.atomShape()...)
	e = PowerIteration(fill[float64](700, 1, p.codeShape(1)...), w, p.height, p.width, p.g)
	if !e.Converged || e.Rounds != 33 {
		t.Errorf("%+v: want convergence in 33 rounds", e)
	}
	near(t, "shortfall", []float64{1 - e.Value/largest(t, p.matrix(w))}, []float64{0.00643}, 0.01)
}

// TestPowerIterationFloor: without atoms there is nothing to find, and nothing becomes NaN.
func TestPowerIterationFloor(t *testing.T) {
	p := setups[0]
	v := fill[float64](1, 1, p.codeShape(1)...)
	e := PowerIteration(v, tensor.New[float64](p.atomShape()...), p.height, p.width, p.g)
	if e.Value != 0 || tensor.SumAbs(v) != 0 || e.Rounds != 2 || !e.Converged {
		t.Errorf("zero atoms: %+v, |v|_1 = %g; want the value 0, two rounds and the vector 0", e, tensor.SumAbs(v))
	}
}
