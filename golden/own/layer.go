package own

import (
	"fmt"
	"math"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

func tape[T tensor.Float]() *autodiff.Tape[T] { return autodiff.NewTape(tensor.NewArena[T]()) }

func (p *problem[T]) prox() error {
	s := csc.Settings{Lambda: p.number("lambda"), Mu: p.number("mu"), Nonnegative: p.flag("nonnegative")}
	t := tape[T]()
	u := t.Leaf(p.in["u"])
	z := csc.Prox(u, float64(p.in["step"].Data[0]), s)
	p.out["z"] = z.Value().Clone()
	t.Backward(z, p.in["grad/z"])
	p.out["grad/u"] = u.Grad().Clone()
	return nil
}

func (p *problem[T]) batchNorm() error {
	if p.number("epsilon") != autodiff.BatchNormEpsilon || p.number("momentum") != autodiff.BatchNormMomentum {
		return ErrNotCovered
	}
	t := tape[T]()
	x, gamma, beta := t.Leaf(p.in["x"]), t.Leaf(p.in["weight"]), t.Leaf(p.in["bias"])
	running := autodiff.Running[T]{Mean: p.in["running_mean"].Clone(), Var: p.in["running_var"].Clone()}
	y := autodiff.BatchNorm(x, gamma, beta, running, p.flag("training"))
	p.out["y"] = y.Value().Clone()
	if p.flag("training") {
		p.out["new_running_mean"], p.out["new_running_var"] = running.Mean, running.Var
	}
	t.Backward(y, p.in["grad/y"])
	p.out["grad/x"], p.out["grad/weight"], p.out["grad/bias"] = x.Grad().Clone(), gamma.Grad().Clone(), beta.Grad().Clone()
	return nil
}

// power does rounds of power iteration, improving v, and returns the eigenvalue. It is csc.PowerIteration for a given number of
// rounds, which near its tolerance may differ from type to type.
func power[T tensor.Float](v, w *tensor.Tensor[T], height, width, rounds int, g conv.Geometry) float64 {
	signal, u := tensor.New[T](1, w.Shape[1], height, width), tensor.New[T](v.Shape...)
	for range rounds {
		conv.Transpose(signal, v, w, g)
		conv.Forward(u, signal, w, g)
		tensor.Scale(v, u, T(1/max(math.Sqrt(tensor.SumSquares(u)), 1e-12)))
	}
	conv.Transpose(signal, v, w, g)
	return tensor.SumSquares(signal)
}

func (p *problem[T]) powerIteration() error {
	p.eigenpair(p.in["w"], p.int("height"), p.int("width"))
	return nil
}

// eigenpair answers power iteration and returns the step size.
func (p *problem[T]) eigenpair(w *tensor.Tensor[T], height, width int) T {
	v := p.in["v0"].Clone()
	value := power(v, w, height, width, p.int("rounds"), p.geometry())
	step := scalar[T](p.number("share") / value)
	p.out[fmt.Sprintf("power/%d/vector", p.int("rounds"))] = v
	p.out["eigenvalue"], p.out["step"] = scalar[T](value), step
	return step.Data[0]
}

func (p *problem[T]) fista() error { return p.solve(p.in["w"], "w", p.in["step"].Data[0]) }

func (p *problem[T]) cscLayer() error {
	w, name := p.in["w"].Clone(), "w"
	if p.flag("unit_norm") {
		csc.NormalizeAtoms(w)
		p.out["weight"], name = w.Clone(), "weight"
	}
	x := p.in["x"].Shape
	return p.solve(w, name, p.eigenpair(w, x[2], x[3]))
}

// solve answers the code of each iteration, as the last of so many, and the gradients through all of them.
func (p *problem[T]) solve(w *tensor.Tensor[T], name string, step T) error {
	s, err := p.settings()
	if err != nil {
		return err
	}
	t := tape[T]()
	last := s.Iterations
	for s.Iterations = 1; ; s.Iterations++ {
		t.Reset()
		x, atoms := t.Leaf(p.in["x"]), t.Leaf(w)
		z := csc.FISTA(x, atoms, step, s)
		p.out[fmt.Sprintf("%d/code", s.Iterations)] = z.Value().Clone()
		if s.Iterations < last {
			continue
		}
		if dz := p.in[fmt.Sprintf("grad/%d/code", last)]; dz != nil {
			t.Backward(z, dz)
			p.out["grad/x"], p.out["grad/"+name] = x.Grad().Clone(), atoms.Grad().Clone()
		}
		return nil
	}
}
