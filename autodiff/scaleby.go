package autodiff

import (
	"sdref/internal/kernel"
	"sdref/tensor"
)

// ScaleBy returns s*x for a scalar s, a Var of one element. Pullbacks: ds = <x, dy>, summed in float64, dx = s*dy. Saves x if
// the gradient of s is wanted.
func ScaleBy[T tensor.Float](x, s *Var[T]) *Var[T] {
	factor := scalar("ScaleBy", s)
	var y *Var[T]
	if s.wants { // x is needed afterwards
		y = x.tape.result(x.Shape()...)
	} else {
		y = x.tape.inPlace(x)
	}
	set, in, out := kernel.Active[T](), x.buf, y.buf
	y.elementwise(func(lo, hi int) { set.Scale(out.Data[lo:hi], in.Data[lo:hi], factor) }, x)
	ds := func(dst, dy *tensor.Tensor[T]) { dst.Data[0] = T(tensor.Dot(in.Tensor, dy)) }
	dx := func(dst, dy *tensor.Tensor[T]) { tensor.Scale(dst, dy, factor) }
	o := op[T]{args: []*Var[T]{s, x}, pulls: []pullback[T]{ds, dx}, elementwise: true}
	if s.wants {
		o.saves = []*Var[T]{x}
	}
	return x.tape.finish(y, o)
}

// AddScaledBy returns a + s*b, rounded once, for a scalar s, a Var of one element. Shapes of a and b equal. Pullbacks: ds =
// <b, dy>, summed in float64, da = dy, db = s*dy. Saves b if the gradient of s is wanted.
func AddScaledBy[T tensor.Float](a, b, s *Var[T]) *Var[T] {
	tensor.MustMatch("AddScaledBy", a.Shape(), b.Shape())
	factor := scalar("AddScaledBy", s)
	mine := []*Var[T]{a, b}
	if s.wants { // b is needed afterwards
		mine = mine[:1]
	}
	y := a.tape.inPlace(mine...)
	set, left, right, out := kernel.Active[T](), a.buf, b.buf, y.buf
	y.elementwise(func(lo, hi int) { set.AddScaled(out.Data[lo:hi], left.Data[lo:hi], right.Data[lo:hi], factor) }, a, b)
	ds := func(dst, dy *tensor.Tensor[T]) { dst.Data[0] = T(tensor.Dot(right.Tensor, dy)) }
	db := func(dst, dy *tensor.Tensor[T]) { tensor.Scale(dst, dy, factor) }
	o := op[T]{args: []*Var[T]{s, a, b}, pulls: []pullback[T]{ds, nil, db}, elementwise: true}
	if s.wants {
		o.saves = []*Var[T]{b}
	}
	return a.tape.finish(y, o)
}

// scalar is the value of a Var of one element.
func scalar[T tensor.Float](op string, s *Var[T]) T {
	if tensor.Size(s.Shape()) != 1 {
		panic(&tensor.ShapeError{Op: op + " (the scalar)", Shapes: [][]int{s.Shape(), {}}})
	}
	return s.Value().Data[0]
}
