package csc

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"sdref/autodiff"
	"sdref/tensor"
)

// TestLearnedGradients sets the gradients of <z, seed> with respect to the step size and lambda against central differences, as
// TestGradients does for x and w; the step's error is of second order here, 1e-12, since codes are not linear in t.
func TestLearnedGradients(t *testing.T) {
	const h = 0x1p-20
	for _, i := range []int{0, 3, firstLine} {
		p := newProblem(t, i)
		seed := fill[float64](77, 1, p.codeShape(p.n)...)
		for kind, penalty := range penalties {
			for _, v := range variants {
				for _, k := range []int{1, 2, 4} {
					s := p.settings(penalty, k, v)
					value := func(step, lambda float64) float64 {
						s := s
						s.Lambda = lambda
						return tensor.Dot(Solve(p.x, p.w, step, s), seed)
					}
					r := p.learnedGradients(s, seed)
					got := []float64{r.dt.Data[0], r.dlambda.Data[0]}
					want := []float64{
						(value(p.step+h, s.Lambda) - value(p.step-h, s.Lambda)) / (2 * h),
						(value(p.step, s.Lambda+h) - value(p.step, s.Lambda-h)) / (2 * h),
					}
					near(t, fmt.Sprintf("%v, %s, %v, %d iterations: gradients of t and lambda", p.setup, kind, v, k), got, want, 1e-7)
				}
			}
		}
	}
}

// learned is a code with all its gradients.
type learned struct{ z, dx, dw, dt, dlambda *tensor.Tensor[float64] }

// learnedGradients are those of <seed, z> for FISTA with the step size and lambda as inputs of the graph.
func (p problem) learnedGradients(s Settings, seed *tensor.Tensor[float64]) learned {
	g := autodiff.NewGraph()
	x, w := g.Input("x", p.x.Shape...), g.Input("w", p.w.Shape...)
	step, lambda, dz := g.Input("t"), g.Input("lambda"), g.Input("dz", seed.Shape...)
	z := FISTA("", x, w, step, lambda, s)
	list := values(map[*autodiff.Node]*tensor.Tensor[float64]{x: p.x, w: p.w, step: scalar(p.step), lambda: scalar(s.Lambda), dz: seed},
		append(autodiff.Backward(z, dz, x, w, step, lambda), z)...)
	return learned{list[4], list[0], list[1], list[2], list[3]}
}

// TestLearnedEqualsConstant: a step size and a lambda that have gradients change no bit of the code nor of the gradients of x and w;
// nor does a step size that is a node's value.
func TestLearnedEqualsConstant(t *testing.T) {
	p := newProblem(t, 3)
	seed := fill[float64](77, 1, p.codeShape(p.n)...)
	for kind, penalty := range penalties {
		s := p.settings(penalty, 4, Paper)
		z, dx, dw := SolveGradients(p.x, p.w, p.step, s, seed)
		r := p.learnedGradients(s, seed)
		same(t, kind+": code", r.z, z)
		same(t, kind+": gradient of x", r.dx, dx)
		same(t, kind+": gradient of w", r.dw, dw)

		g := autodiff.NewGraph()
		x, w, one, seedInput := g.Input("x", p.x.Shape...), g.Input("w", p.w.Shape...), g.Input("one"), g.Input("dz", seed.Shape...)
		code := FISTA("", x, w, autodiff.Scale(one, p.step, nil), nil, s)
		wanted := append(autodiff.Backward(code, seedInput, x, w, one), code)
		arena := tensor.NewArena[float64]()
		program := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: wanted}), arena)
		for input, value := range map[*autodiff.Node]*tensor.Tensor[float64]{x: p.x, w: p.w, one: scalar(1.0), seedInput: seed} {
			program.Set(input, value)
		}
		program.Run()
		for i, want := range []*tensor.Tensor[float64]{dx, dw, nil, z} {
			if want != nil {
				same(t, fmt.Sprintf("%s, step of a node: %s", kind, wanted[i].Name), program.Value(wanted[i]), want)
			}
		}
		near(t, kind+": gradient of the step's factor", program.Value(wanted[2]).Data, []float64{p.step * r.dt.Data[0]}, 1e-14)
		program.Release()
		if arena.Live() != 0 {
			t.Errorf("%s: %d tensors are out after Release", kind, arena.Live())
		}
	}
}

// TestLearnedLayer: a layer starts where one with constants is, gives each learned scalar its gradient, t being StepFactor StepSize,
// and Project cuts off at 0.
func TestLearnedLayer(t *testing.T) {
	p := newProblem(t, 0)
	x := fill[float64](13, 2, p.signalShape(p.n)...)
	s := p.settings(Settings{Lambda: 0.375, Mu: 0.5}, 3, Published)
	want := newLayer[float64](p.setup, s)
	if want.Penalty != nil || want.StepFactor != nil {
		t.Fatal("a layer that learns no scalars has some")
	}
	code := want.code(x)
	for _, learn := range [][2]bool{{true, true}, {true, false}, {false, true}} {
		s.LearnLambda, s.LearnStep = learn[0], learn[1]
		l := newLayer[float64](p.setup, s)
		same(t, fmt.Sprintf("learning %v: code", learn), l.code(x), code)
		gradients := func(factor float64) (loss, lambda, step float64) {
			f := flowOf(l, x.Shape)
			wanted := []*autodiff.Node{f.w}
			for _, n := range []*autodiff.Node{f.lambda, f.factor} {
				if n != nil {
					wanted = append(wanted, n)
				}
			}
			if l.StepFactor != nil {
				l.StepFactor.Data[0] = factor
			}
			found := autodiff.Backward(f.z, f.z, wanted...) // of |z|^2/2
			r := bind(f, l, tensor.NewArena[float64](), append(found, f.z)...)
			r.Set(f.x, x)
			r.Run()
			value := func(n *autodiff.Node) float64 {
				i := slices.Index(wanted, n)
				if i < 0 {
					return math.NaN()
				}
				return r.Value(found[i]).Data[0]
			}
			return tensor.SumSquares(r.Value(f.z)) / 2, value(f.lambda), value(f.factor)
		}
		_, lambda, step := gradients(1)
		if (lambda < 0) != learn[0] {
			t.Errorf("learning %v: gradient of lambda %g, want a negative one if it is learned", learn, lambda)
		}
		if learn[1] {
			const h = 0x1p-20
			above, _, _ := gradients(1 + h)
			below, _, _ := gradients(1 - h)
			near(t, fmt.Sprintf("learning %v: gradient of the factor", learn), []float64{step}, []float64{(above - below) / (2 * h)}, 1e-7)
			l.StepFactor.Data[0] = -0.5
		}
		if learn[0] {
			l.Penalty.Data[0] = -1e-9
		}
		l.Project()
		for _, own := range []*tensor.Tensor[float64]{l.Penalty, l.StepFactor} {
			if own != nil && own.Data[0] != 0 {
				t.Errorf("learning %v: Project left %g", learn, own.Data[0])
			}
		}
		l.ResetScalars()
		same(t, fmt.Sprintf("learning %v: code after a reset", learn), l.code(x), newLayer[float64](p.setup, s).codeAfter(2, x))
	}
}

// codeAfter is the code after so many updates of the step size.
func (l *Layer[T]) codeAfter(updates int, x *tensor.Tensor[T]) *tensor.Tensor[T] {
	for range updates - 1 {
		l.UpdateStep()
	}
	return l.code(x)
}
