package csc

import (
	"sdref/autodiff"
	"sdref/tensor"
)

// Solver runs FISTA for signals and atoms of given shapes, as often as one likes.
type Solver[T tensor.Float] struct {
	program    *autodiff.Program[T]
	x, w, t, z *autodiff.Node
	dz, dx, dw *autodiff.Node // nil without gradients
}

// NewSolver returns a solver for signals of shape x and atoms of shape w, which gives gradients too if it is asked for.
func NewSolver[T tensor.Float](x, w []int, s Settings, gradients bool) *Solver[T] {
	g := autodiff.NewGraph()
	r := &Solver[T]{x: g.Input("x", x...), w: g.Input("w", w...), t: g.Input("t")}
	r.z = Code("", r.x, r.w, r.t, nil, s)
	outputs := []*autodiff.Node{r.z}
	if gradients {
		r.dz = g.Input("dz", r.z.Shape...)
		list := autodiff.Backward(r.z, r.dz, r.x, r.w)
		r.dx, r.dw = list[0], list[1]
		outputs = append(outputs, list...)
	}
	r.program = autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[T]())
	r.program.Workers = s.Workers
	return r
}

// Run returns the code of x with the atoms w and the step size t and, for a solver with gradients, those of <dz, z> with respect to x
// and w. They are valid until the next call.
func (r *Solver[T]) Run(x, w *tensor.Tensor[T], t T, dz *tensor.Tensor[T]) (z, dx, dw *tensor.Tensor[T]) {
	r.program.Set(r.x, x)
	r.program.Set(r.w, w)
	r.program.Set(r.t, tensor.From([]T{t}))
	if r.dz == nil {
		r.program.Run()
		return r.program.Value(r.z), nil, nil
	}
	r.program.Set(r.dz, dz)
	r.program.Run()
	return r.program.Value(r.z), r.program.Value(r.dx), r.program.Value(r.dw)
}

// Solve returns the code of x after FISTA's iterations with the atoms w and the step size t.
func Solve[T tensor.Float](x, w *tensor.Tensor[T], t T, s Settings) *tensor.Tensor[T] {
	z, _, _ := NewSolver[T](x.Shape, w.Shape, s, false).Run(x, w, t, nil)
	return z
}

// SolveGradients is Solve, with the gradients of <dz, z> with respect to x and w.
func SolveGradients[T tensor.Float](x, w *tensor.Tensor[T], t T, s Settings, dz *tensor.Tensor[T]) (z, dx, dw *tensor.Tensor[T]) {
	return NewSolver[T](x.Shape, w.Shape, s, true).Run(x, w, t, dz)
}
