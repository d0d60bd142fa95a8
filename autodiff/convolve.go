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
	w.Value()
	in, weights, out := x.buf, w.buf, y.buf
	y.deferTo(func(then conv.Then) { conv.ForwardThen(out.Tensor, in.Tensor, weights.Tensor, g, then) }, x, w)
	dx := func(dst, dy *tensor.Tensor[T]) { conv.Transpose(dst, dy, weights.Tensor, g) }
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
	w.Value()
	in, weights, out := y.buf, w.buf, x.buf
	x.deferTo(func(then conv.Then) { conv.TransposeThen(out.Tensor, in.Tensor, weights.Tensor, g, then) }, y, w)
	if todo := x.buf.todo; todo != nil { // a signal without planes is there already
		todo.cheap = y.tape.recording && tensor.Size(y.Shape())*tensor.Size(w.Shape()[1:]) <= cheapLinks*tensor.Size(shape)
		todo.joins = true
	}
	dy := func(dst, dx *tensor.Tensor[T]) { conv.Forward(dst, dx, weights.Tensor, g) }
	dw := func(dst, dx *tensor.Tensor[T]) { conv.Filter(dst, dx, in.Tensor, g) }
	return y.tape.finish(x, op[T]{args: []*Var[T]{y, w}, pulls: []pullback[T]{dy, dw}, saves: []*Var[T]{y, w}})
}

// cheapLinks is the most multiply-adds an element at which the result of a transposed convolution is computed again for the
// pullbacks rather than kept: 64 channels with 3x3 kernels. Where images are large, channels are few, so this trades little
// time for much memory.
const cheapLinks = 64 * 3 * 3
