package autodiff

import (
	"sdref/conv"
	"sdref/tensor"
)

// Convolve returns y = conv.Forward(x, w), the sums over c, u, v of w[m,c,u,v] x[n,c,i*s+u*d-p,j*s+v*d-p]. Shapes: x
// (N, C, H, W), w (M, C, KH, KW), y (N, M, Ho, Wo), or with one axis or none as in package conv. Pullbacks: dx =
// conv.Transpose(dy, w), dw = conv.Filter(x, dy). Saves x and w.
func Convolve[T tensor.Float](x, w *Var[T], g conv.Geometry) *Var[T] {
	y := x.tape.result(g.CodeShape(x.Shape(), w.Shape())...)
	g.Check("Forward", x.Shape(), w.Shape(), y.Shape())
	x.Value()
	in, wv, out := x.buf, w.Value(), y.buf
	y.deferTo(func(then conv.Then) { conv.ForwardThen(out.Tensor, in.Tensor, wv, g, then) }, x, w)
	dx := func(dst, dy *tensor.Tensor[T]) { conv.Transpose(dst, dy, wv, g) }
	dw := func(dst, dy *tensor.Tensor[T]) { conv.Filter(dst, in.Tensor, dy, g) }
	return x.tape.finish(y, op[T]{args: []*Var[T]{x, w}, pulls: []pullback[T]{dx, dw}, saves: []*Var[T]{x, w}})
}

// ConvolveTransposed returns x = conv.Transpose(y, w), of height h and width w where the geometry leaves them open (both 0:
// those that the output padding gives; an axis that is not there has size 1). Shapes: y (N, M, Ho, Wo), w (M, C, KH, KW), x
// (N, C, H, W), or with one axis or none as in package conv. Pullbacks: dy = conv.Forward(dx, w), dw = conv.Filter(dx, y).
// Saves y and w.
func ConvolveTransposed[T tensor.Float](y, w *Var[T], height, width int, g conv.Geometry) *Var[T] {
	shape := g.SignalShape(y.Shape(), w.Shape())
	if height != 0 || width != 0 {
		shape = conv.WithSizes(shape, height, width)
	}
	x := y.tape.result(shape...)
	g.Check("Transpose", x.Shape(), w.Shape(), y.Shape())
	y.Value()
	in, wv, out := y.buf, w.Value(), x.buf
	x.deferTo(func(then conv.Then) { conv.TransposeThen(out.Tensor, in.Tensor, wv, g, then) }, y, w)
	dy := func(dst, dx *tensor.Tensor[T]) { conv.Forward(dst, dx, wv, g) }
	dw := func(dst, dx *tensor.Tensor[T]) { conv.Filter(dst, dx, in.Tensor, g) }
	return y.tape.finish(x, op[T]{args: []*Var[T]{y, w}, pulls: []pullback[T]{dy, dw}, saves: []*Var[T]{y, w}})
}
