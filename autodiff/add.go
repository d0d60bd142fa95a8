package autodiff

import "sdref/tensor"

// Add returns a + b. Shapes equal. Pullbacks: da = db = dy. Saves nothing.
func Add[T tensor.Float](a, b *Var[T]) *Var[T] {
	y := a.tape.inPlace(a, b)
	tensor.AddScaled(y.Value(), a.Value(), b.Value(), 1)
	return a.tape.finish(y, op[T]{args: []*Var[T]{a, b}, pulls: []pullback[T]{nil, nil}})
}

// AddScaled returns a + s*b, rounded once, for a constant s; a - b with s = -1. Shapes equal. Pullbacks: da = dy, db = s*dy.
// Saves nothing.
func AddScaled[T tensor.Float](a, b *Var[T], s T) *Var[T] {
	y := a.tape.inPlace(a, b)
	tensor.AddScaled(y.Value(), a.Value(), b.Value(), s)
	db := func(dst, dy *tensor.Tensor[T]) { tensor.Scale(dst, dy, s) }
	return a.tape.finish(y, op[T]{args: []*Var[T]{a, b}, pulls: []pullback[T]{nil, db}, elementwise: true})
}

// Scale returns s*x for a constant s. Pullback: dx = s*dy. Saves nothing.
func Scale[T tensor.Float](x *Var[T], s T) *Var[T] {
	y := x.tape.inPlace(x)
	tensor.Scale(y.Value(), x.Value(), s)
	dx := func(dst, dy *tensor.Tensor[T]) { tensor.Scale(dst, dy, s) }
	return x.tape.finish(y, op[T]{args: []*Var[T]{x}, pulls: []pullback[T]{dx}, elementwise: true})
}
