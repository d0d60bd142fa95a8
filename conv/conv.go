package conv

import (
	"sdref/conv/internal/form"
	"sdref/tensor"
)

// Forward sets y to the convolution of x with w (the analysis A*x of a CSC layer): the definition of the
// algorithm used, bit for bit. Shapes and settings that do not fit are a panic with a *GeometryError, here and
// in the functions below, and a result that shares memory with an operand is one with a *tensor.MisuseError.
func Forward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) { ForwardThen(y, x, w, g, nil) }

// Transpose sets x to the transposed convolution of y with w (the synthesis A y of a CSC layer): the
// definition of the algorithm used, bit for bit.
func Transpose[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry) { TransposeThen(x, y, w, g, nil) }

// Then is an epilogue: what else is to be done with a result while it is in the caches. It is called with a
// few planes at a time, those of channels c, c+1, ... of one image, which are elements lo..hi-1 of the
// result, and with every plane exactly once. Several goroutines call it at once.
type Then = form.Then

// ForwardThen is Forward with an epilogue.
func ForwardThen[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry, then Then) {
	f := newForm("Forward", x.Shape, w.Shape, y.Shape, g)
	mustBeSound("Forward", y, x, w)
	switch {
	case len(x.Shape) == 2:
		tensor.MatMulWithin(g.Workers, y, x, w, false, true)
		then.All(y.Shape, g.Workers)
	case g.used(f) == Winograd:
		compiledFor[T]().winogradForward(f, y.Data, x.Data, w.Data)
		then.All(y.Shape, g.Workers)
	default:
		compiledFor[T]().forward(f, y.Data, x.Data, w.Data, then)
	}
}

// TransposeThen is Transpose with an epilogue.
func TransposeThen[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry, then Then) {
	f := newForm("Transpose", x.Shape, w.Shape, y.Shape, g)
	mustBeSound("Transpose", x, y, w)
	switch {
	case len(x.Shape) == 2:
		tensor.MatMulWithin(g.Workers, x, y, w, false, false)
		then.All(x.Shape, g.Workers)
	case g.used(f) == Winograd:
		compiledFor[T]().winogradTranspose(f, x.Data, y.Data, w.Data)
		then.All(x.Shape, g.Workers)
	default:
		compiledFor[T]().transpose(f, x.Data, y.Data, w.Data, then)
	}
}

// WeightGradient sets w to the gradient of <y, Forward(x, w)> with respect to w: the definition of the
// algorithm used, bit for bit.
func WeightGradient[T tensor.Float](w, x, y *tensor.Tensor[T], g Geometry) {
	f := newForm("WeightGradient", x.Shape, w.Shape, y.Shape, g)
	mustBeSound("WeightGradient", w, x, y)
	switch {
	case len(x.Shape) == 2:
		tensor.MatMulWithin(g.Workers, w, y, x, true, false)
	case g.used(f) == Winograd:
		compiledFor[T]().winogradWeightGradient(f, w.Data, x.Data, y.Data)
	default:
		compiledFor[T]().weightGradient(f, w.Data, x.Data, y.Data)
	}
}

// mustBeSound panics if a tensor has not the elements of its shape, or if the result shares memory with an operand.
func mustBeSound[T tensor.Float](op string, result, a, b *tensor.Tensor[T]) {
	tensor.MustHold("conv."+op, result, a, b)
	tensor.MustBeApart("conv."+op, result, a, b)
}
