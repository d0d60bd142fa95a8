package autodiff

import (
	"sdref/internal/kernel"
	"sdref/tensor"
)

// ReLU returns max(x, 0); NaN stays NaN. Pullback: dx = dy where y > 0, else 0 (the derivative at 0 is taken as 0). Saves y.
func ReLU[T tensor.Float](x *Var[T]) *Var[T] {
	y := x.tape.inPlace(x)
	set, in, out := kernel.Active[T](), x.buf, y.buf
	y.elementwise(func(lo, hi int) { set.ReLU(out.Data[lo:hi], in.Data[lo:hi]) }, x)
	dx := func(dst, dy *tensor.Tensor[T]) { tensor.ReLUGrad(dst, out.Tensor, dy) }
	return x.tape.finish(y, op[T]{args: []*Var[T]{x}, pulls: []pullback[T]{dx}, saves: []*Var[T]{y}, elementwise: true})
}
