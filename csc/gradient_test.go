package csc

import (
	"fmt"
	"testing"

	"sdref/tensor"
)

// TestGradients sets the gradients of <z, seed> with respect to x and w, the step held constant, against central differences
// with the step 2^-20. In x they are exact between kinks, in w to about 1e-12; rounding takes 1e-16/2^-20 of the value, hence
// the bound 1e-7 of the largest element. With -short it takes two of the setups.
func TestGradients(t *testing.T) {
	chosen := []int{3, firstLine + 1, 0, 12, firstVector}
	if testing.Short() {
		chosen = chosen[:2]
	}
	for _, i := range chosen {
		p := newProblem(t, i)
		for kind, penalty := range penalties {
			for _, v := range variants {
				for _, k := range []int{1, 2, 4} {
					p.checkGradients(t, fmt.Sprintf("%v, %s, %v, %d iterations", p.setup, kind, v, k), p.settings(penalty, k, v))
				}
			}
		}
	}
}

func (p problem) checkGradients(t *testing.T, what string, s Settings) {
	t.Helper()
	seed := fill[float64](77, 1, p.codeShape(p.n)...)
	_, dx, dw := SolveGradients(p.x, p.w, p.step, s, seed)
	for _, of := range []struct {
		name       string
		at         *tensor.Tensor[float64]
		gradient   *tensor.Tensor[float64]
		every, at0 int
	}{{"x", p.x, dx, 17, 3}, {"w", p.w, dw, 5, 1}} {
		var got, want []float64
		for e := of.at0; e < of.at.Len(); e += of.every {
			got = append(got, of.gradient.Data[e])
			want = append(want, p.difference(t, &of.at.Data[e], seed, s))
		}
		near(t, what+": gradient of "+of.name, got, want, 1e-7)
	}
}

// difference is the central difference quotient of <z, seed> in one number of the problem. No iterate may change its support
// in between, which would mean a kink.
func (p problem) difference(t *testing.T, number *float64, seed *tensor.Tensor[float64], s Settings) float64 {
	t.Helper()
	const h = 0x1p-20
	old := *number
	*number = old + h
	above := Solve(p.x, p.w, p.step, s)
	last := s.Iterations
	var supports [][]bool
	for s.Iterations = 1; s.Iterations <= last; s.Iterations++ {
		supports = append(supports, support(Solve(p.x, p.w, p.step, s)))
	}
	*number = old - h
	s.Iterations = last
	below := Solve(p.x, p.w, p.step, s)
	for s.Iterations = 1; s.Iterations <= last; s.Iterations++ {
		for j, nonzero := range support(Solve(p.x, p.w, p.step, s)) {
			if nonzero != supports[s.Iterations-1][j] {
				t.Fatalf("iterate %d has a kink too near: draw other numbers", s.Iterations)
			}
		}
	}
	*number = old
	return (tensor.Dot(above, seed) - tensor.Dot(below, seed)) / (2 * h)
}

func support(z *tensor.Tensor[float64]) []bool {
	list := make([]bool, z.Len())
	for i, v := range z.Data {
		list[i] = v != 0
	}
	return list
}
