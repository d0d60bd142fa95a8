package csc

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// tight is an accuracy that leaves rounding errors only.
var tight = Accuracy{Tolerance: 1e-13, Rounds: 2000}

// solution is the exact solution of p's problem for x, w and s, given one nearby: on the support of that, from the linear system of
// the optimality conditions by gonum. The support must be the right one.
func (p problem) solution(t *testing.T, x, w, near *tensor.Tensor[float64], s Settings) *tensor.Tensor[float64] {
	t.Helper()
	z := tensor.New[float64](near.Shape...)
	a := p.matrix(w)
	for n := range p.n {
		columns, signs := onSupport(a, near.Row(n).Data)
		if columns == nil {
			continue
		}
		var h mat.SymDense
		h.SymOuterK(1, columns.T())
		right := new(mat.VecDense)
		right.MulVec(columns.T(), mat.NewVecDense(p.signalSize(), x.Row(n).Data))
		for k, sign := range signs {
			h.SetSym(k, k, h.At(k, k)+s.Mu)
			right.SetVec(k, right.AtVec(k)-s.Lambda*sign)
		}
		var c mat.Cholesky
		var values mat.VecDense
		if !c.Factorize(&h) || c.SolveVecTo(&values, right) != nil {
			t.Fatalf("%v: the columns on the support depend on each other: draw other numbers", p.setup)
		}
		k := 0
		for j, v := range near.Row(n).Data {
			if v != 0 {
				z.Row(n).Data[j] = values.AtVec(k)
				k++
			}
		}
	}
	q := p
	q.x, q.w, q.a = x, w, a
	if v := q.violation(z, s); v > 1e-11 {
		t.Fatalf("%v: the support is wrong, optimality is missed by %g: draw other numbers", p.setup, v)
	}
	return z
}

// onSupport returns the columns of a for the elements of z that are not 0, and their signs.
func onSupport(a *mat.Dense, z []float64) (columns *mat.Dense, signs []float64) {
	rows, _ := a.Dims()
	var at []int
	for j, v := range z {
		if v != 0 {
			at, signs = append(at, j), append(signs, math.Copysign(1, v))
		}
	}
	if len(at) == 0 {
		return nil, nil
	}
	columns = mat.NewDense(rows, len(at), nil)
	for k, j := range at {
		columns.SetCol(k, mat.Col(nil, j, a))
	}
	return columns, signs
}

// solved is the solution to rounding, from FISTA's iterations; what they leave below 1e-7 of the largest is taken as 0.
func (p problem) solved(t *testing.T, s Settings) *tensor.Tensor[float64] {
	t.Helper()
	s.Iterations, s.Variant = 2500, Paper
	if s.Mu > 0 {
		s.Iterations = 400
	}
	z := Solve(p.x, p.w, p.step, s)
	largest := 0.0
	for _, v := range z.Data {
		largest = max(largest, math.Abs(v))
	}
	for i, v := range z.Data {
		if math.Abs(v) < 1e-7*largest {
			z.Data[i] = 0
		}
	}
	return p.solution(t, p.x, p.w, z, s)
}

// gradients are those of <seed, z> by Solution at z.
func (p problem) gradients(z, seed *tensor.Tensor[float64], s Settings, a Accuracy) (dx, dw, dlambda *tensor.Tensor[float64], systems []System) {
	g := autodiff.NewGraph()
	at, x, w := g.Input("z", z.Shape...), g.Input("x", p.x.Shape...), g.Input("w", p.w.Shape...)
	lambda, dz := g.Input("lambda"), g.Input("dz", z.Shape...)
	out := Solution("", at, x, w, lambda, s, a, func(s []System) { systems = s })
	list := values(map[*autodiff.Node]*tensor.Tensor[float64]{at: z, x: p.x, w: p.w, lambda: scalar(s.Lambda), dz: seed},
		autodiff.Backward(out, dz, x, w, lambda)...)
	return list[0], list[1], list[2], systems
}

// TestImplicitAgainstDifferences sets the gradients along random directions of x, w and lambda against central differences of exact
// solutions. In x and lambda these are linear; in w the step's square, 2^-40, and rounding, 1e-16/2^-20, are left. Without rounding
// errors the system would take no more rounds than it has unknowns. With -short it takes every third setup.
func TestImplicitAgainstDifferences(t *testing.T) {
	each := 1
	if testing.Short() {
		each = 3
	}
	for i := 0; i < len(setups); i += each {
		p := newProblem(t, i)
		kinds := []string{"signed", "elastic nonnegative"}
		if i%2 == 1 {
			kinds = []string{"nonnegative", "elastic"}
		}
		for _, kind := range kinds {
			p.checkSolution(t, fmt.Sprintf("%v, %s", p.setup, kind), p.settings(penalties[kind], 1, Paper))
		}
	}
}

func (p problem) checkSolution(t *testing.T, what string, s Settings) {
	t.Helper()
	const h = 0x1p-20
	z := p.solved(t, s)
	seed := fill[float64](78, 1, z.Shape...)
	dx, dw, dlambda, systems := p.gradients(z, seed, s, tight)
	for n, y := range systems {
		if y.Outcome != Solved || y.Support != tensor.CountNonzero(z.Row(n)) || y.Residual > 1e-13 || y.Rounds > 2*y.Support+10 {
			t.Errorf("%s: image %d: %+v", what, n, y)
		}
	}
	along := func(name string, gradient, direction *tensor.Tensor[float64], at func(step float64) *tensor.Tensor[float64]) {
		t.Helper()
		difference := at(h)
		tensor.AddScaled(difference, difference, at(-h), -1)
		got, want := tensor.Dot(gradient, direction), tensor.Dot(difference, seed)/(2*h)
		scale := math.Sqrt(tensor.SumSquares(gradient) * tensor.SumSquares(direction))
		if !(math.Abs(got-want) <= 1e-7*scale) || scale == 0 {
			t.Errorf("%s: along a direction of %s %g, difference %g, scale %g", what, name, got, want, scale)
		}
	}
	moved := func(of, direction *tensor.Tensor[float64], step float64) *tensor.Tensor[float64] {
		m := tensor.New[float64](of.Shape...)
		tensor.AddScaled(m, of, direction, step)
		return m
	}
	ex, ew, one := fill[float64](79, 1, p.x.Shape...), fill[float64](80, 1, p.w.Shape...), tensor.From([]float64{1})
	along("x", dx, ex, func(step float64) *tensor.Tensor[float64] { return p.solution(t, moved(p.x, ex, step), p.w, z, s) })
	along("w", dw, ew, func(step float64) *tensor.Tensor[float64] { return p.solution(t, p.x, moved(p.w, ew, step), z, s) })
	along("lambda", dlambda, one, func(step float64) *tensor.Tensor[float64] {
		s := s
		s.Lambda += step
		return p.solution(t, p.x, p.w, z, s)
	})
}

// TestImplicitOnRandomGeometries draws sizes, kernels, strides, paddings and dilations, eight times or, with -short, three times.
func TestImplicitOnRandomGeometries(t *testing.T) {
	count := 8
	if testing.Short() {
		count = 3
	}
	for i := range count {
		p := randomSetup(uint64(i))
		if p.codeSize() < 2 {
			continue
		}
		q := problem{setup: p, x: fill[float64](uint64(2000+i), 2, p.signalShape(p.n)...), w: fill[float64](uint64(2100+i), 0.5, p.atomShape()...)}
		NormalizeAtoms(q.w)
		q.a = p.matrix(q.w)
		q.step = 0.9 / largest(t, q.a)
		for _, kind := range []string{"signed", "elastic nonnegative"} {
			q.checkSolution(t, fmt.Sprintf("%v, %s", p, kind), q.settings(penalties[kind], 1, Paper))
		}
	}
}

// randomSetup draws a setup of signals with two axes.
func randomSetup(seed uint64) setup {
	r := random.New(seed).Sub("setup")
	from := func(i uint64, lo, hi int) int { return lo + r.Intn(i, hi-lo+1) }
	g := conv.Geometry{Stride: from(0, 1, 3), Padding: from(1, 0, 3), Dilation: from(2, 1, 2)}
	return setup{from(3, 1, 3), from(4, 1, 3), from(5, 1, 4), from(6, 5, 8), from(7, 5, 8), from(8, 1, 3), from(9, 1, 3), g}
}

// TestImplicitAgainstUnrolled: the unrolled gradient comes to the implicit one as iterations are added.
func TestImplicitAgainstUnrolled(t *testing.T) {
	if testing.Short() {
		t.Skip("unrolls hundreds of iterations")
	}
	for _, i := range []int{0, 3, firstVector} {
		p := newProblem(t, i)
		for _, kind := range []string{"signed", "elastic nonnegative"} {
			s := p.settings(penalties[kind], 2500, Paper)
			z := p.solved(t, s)
			seed := fill[float64](78, 1, z.Shape...)
			dx, dw, dlambda, _ := p.gradients(z, seed, s, tight)
			unrolled := p.learnedGradients(s, seed)
			for name, pair := range map[string][2]*tensor.Tensor[float64]{"x": {unrolled.dx, dx}, "w": {unrolled.dw, dw}, "lambda": {unrolled.dlambda, dlambda}} {
				near(t, fmt.Sprintf("%v, %s: unrolled gradient of %s", p.setup, kind, name), pair[0].Data, pair[1].Data, 1e-6)
			}
			if d, size := unrolled.dt.Data[0], math.Sqrt(tensor.SumSquares(seed)*tensor.SumSquares(z)); math.Abs(d) > 1e-6*size {
				t.Errorf("%v, %s: the solution depends on the step size, by %g", p.setup, kind, d)
			}
		}
	}
}
