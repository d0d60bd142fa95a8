package conv

import (
	"sdref/conv/internal/direct"
	"sdref/conv/internal/form"
	"sdref/conv/internal/winograd"
	"sdref/tensor"
)

// Forward sets y to the convolution of x with w (the analysis A*x of a CSC layer): the definition of the algorithm used, bit for
// bit.
func Forward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) { ForwardThen(y, x, w, g, nil) }

// Transpose sets x to the transposed convolution of y with w (the synthesis A y of a CSC layer): the definition of the algorithm
// used, bit for bit.
func Transpose[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry) { TransposeThen(x, y, w, g, nil) }

// Then is what else is to be done with a result: it is called once for every plane, with a few planes at a time, those of channels c,
// c+1, ... of an image, which are elements lo..hi-1 of the result. That is soon after they have been computed, by several goroutines at once.
type Then = form.Then

// ForwardThen is Forward, and then what then does, while the result is in the caches.
func ForwardThen[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry, then Then) {
	f := newForm("Forward", x.Shape, w.Shape, y.Shape, g)
	switch {
	case len(x.Shape) == 2:
		tensor.MatMul(y, x, w, false, true)
		then.All(y.Shape)
	case g.used(f) == Winograd:
		winograd.Forward(f, y.Data, x.Data, w.Data)
		then.All(y.Shape)
	default:
		direct.Forward(f, y.Data, x.Data, w.Data, then)
	}
}

// TransposeThen is Transpose, and then what then does, while the result is in the caches.
func TransposeThen[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry, then Then) {
	f := newForm("Transpose", x.Shape, w.Shape, y.Shape, g)
	switch {
	case len(x.Shape) == 2:
		tensor.MatMul(x, y, w, false, false)
		then.All(x.Shape)
	case g.used(f) == Winograd:
		winograd.Transpose(f, x.Data, y.Data, w.Data)
		then.All(x.Shape)
	default:
		direct.Transpose(f, x.Data, y.Data, w.Data, then)
	}
}

// Filter sets w to the gradient of <y, Forward(x, w)> with respect to w: the definition of the algorithm used, bit for bit.
func Filter[T tensor.Float](w, x, y *tensor.Tensor[T], g Geometry) {
	f := newForm("Filter", x.Shape, w.Shape, y.Shape, g)
	switch {
	case len(x.Shape) == 2:
		tensor.MatMul(w, y, x, true, false)
	case g.used(f) == Winograd:
		winograd.Filter(f, w.Data, x.Data, y.Data)
	default:
		direct.Filter(f, w.Data, x.Data, y.Data)
	}
}
