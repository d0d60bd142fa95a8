package autodiff

import (
	"sdref/internal/kernel"
	"sdref/tensor"
)

// Add returns a + b. Shapes equal. Pullbacks: da = db = dy. Saves nothing.
func Add[T tensor.Float](a, b *Var[T]) *Var[T] {
	y := addScaled(a, b, 1)
	return a.tape.finish(y, op[T]{args: []*Var[T]{a, b}, pulls: []pullback[T]{nil, nil}})
}

// AddScaled returns a + s*b, rounded once, for a constant s; a - b with s = -1. Shapes equal. Pullbacks: da = dy, db = s*dy.
// Saves nothing.
func AddScaled[T tensor.Float](a, b *Var[T], s T) *Var[T] {
	y := addScaled(a, b, s)
	db := func(dst, dy *tensor.Tensor[T]) { tensor.Scale(dst, dy, s) }
	return a.tape.finish(y, op[T]{args: []*Var[T]{a, b}, pulls: []pullback[T]{nil, db}, elementwise: true})
}

// addScaled is the value a + s*b.
func addScaled[T tensor.Float](a, b *Var[T], s T) *Var[T] {
	tensor.MustMatch("AddScaled", a.Shape(), b.Shape())
	y := a.tape.inPlace(a, b)
	set, left, right, out := kernel.Active[T](), a.buf, b.buf, y.buf
	y.elementwise(func(lo, hi int) { set.AddScaled(out.Data[lo:hi], left.Data[lo:hi], right.Data[lo:hi], s) }, a, b)
	return y
}

// Scale returns s*x for a constant s. Pullback: dx = s*dy. Saves nothing.
func Scale[T tensor.Float](x *Var[T], s T) *Var[T] {
	y := x.tape.inPlace(x)
	set, in, out := kernel.Active[T](), x.buf, y.buf
	y.elementwise(func(lo, hi int) { set.Scale(out.Data[lo:hi], in.Data[lo:hi], s) }, x)
	dx := func(dst, dy *tensor.Tensor[T]) { tensor.Scale(dst, dy, s) }
	return x.tape.finish(y, op[T]{args: []*Var[T]{x}, pulls: []pullback[T]{dx}, elementwise: true})
}
