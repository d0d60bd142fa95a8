package csc

import (
	"fmt"
	"math"
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
						return tensor.Dot(solve(p.x, p.w, step, s), seed)
					}
					tape := autodiff.NewTape(tensor.NewArena[float64]())
					step, lambda := tape.Leaf(tensor.From([]float64{p.step})), tape.Leaf(tensor.From([]float64{s.Lambda}))
					tape.Backward(LearnedFISTA(tape.Constant(p.x), tape.Constant(p.w), step, lambda, s), seed)
					got := []float64{step.Grad().Data[0], lambda.Grad().Data[0]}
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

// TestLearnedEqualsConstant: values on the tape change no bit of the code nor of the gradients of x and w.
func TestLearnedEqualsConstant(t *testing.T) {
	p := newProblem(t, 3)
	seed := fill[float64](77, 1, p.codeShape(p.n)...)
	for kind, penalty := range penalties {
		s := p.settings(penalty, 4, Paper)
		var results [2][]*tensor.Tensor[float64]
		for learned := range 2 {
			arena := tensor.NewArena[float64]()
			tape := autodiff.NewTape(arena)
			x, w := tape.Leaf(p.x), tape.Leaf(p.w)
			z := FISTA(x, w, p.step, s)
			if learned == 1 {
				z.Drop()
				tape.Reset()
				step := autodiff.Scale(tape.Leaf(tensor.From([]float64{1})), p.step) // consumed by FISTA
				z = LearnedFISTA(x, w, step, nil, s)
			}
			code := z.Value().Clone()
			tape.Backward(z, seed)
			results[learned] = []*tensor.Tensor[float64]{code, x.Grad().Clone(), w.Grad().Clone()}
			tape.Reset()
			if arena.Out() != 0 {
				t.Errorf("%s: %d tensors are out after Reset", kind, arena.Out())
			}
		}
		for i, name := range []string{"code", "gradient of x", "gradient of w"} {
			same(t, kind+": "+name, results[1][i], results[0][i])
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
			tape := autodiff.NewTape(tensor.NewArena[float64]())
			var vars [2]*autodiff.Var[float64]
			for i, own := range []*tensor.Tensor[float64]{l.Penalty, l.StepFactor} {
				if own != nil {
					vars[i] = tape.Leaf(own)
				}
			}
			if l.StepFactor != nil {
				l.StepFactor.Data[0] = factor
			}
			z := l.ForwardLearned(tape.Constant(x), tape.Leaf(l.Weight), vars[0], vars[1])
			loss = tensor.SumSquares(z.Value()) / 2
			tape.Backward(z, z.Value().Clone())
			value := func(v *autodiff.Var[float64]) float64 {
				if v == nil {
					return math.NaN()
				}
				return v.Grad().Data[0]
			}
			return loss, value(vars[0]), value(vars[1])
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
