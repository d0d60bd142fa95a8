package autodiff

import "sdref/tensor"

// ReLU returns max(x, 0); NaN stays NaN. Pullback: dx = dy where y > 0, else 0 (the derivative at 0 is taken as 0). Saves y.
func ReLU[T tensor.Float](x *Var[T]) *Var[T] {
	y := x.tape.inPlace(x)
	tensor.ReLU(y.Value(), x.Value())
	value := y.Value()
	dx := func(dst, dy *tensor.Tensor[T]) { tensor.ReLUGrad(dst, value, dy) }
	return x.tape.finish(y, op[T]{args: []*Var[T]{x}, pulls: []pullback[T]{dx}, saves: []*Var[T]{y}, elementwise: true})
}
