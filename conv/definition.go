package conv

import (
	"sdref/internal/kernel"
	"sdref/tensor"
)

// The definition. Each output element is one chain of fused multiply-adds from +0, acc = fma(a, b, acc), in
// the order of the loops. Elements of x or y outside their borders take part as +0. The tests compare every
// fast path with these bits.

// DefineForward sets y[n,m,i,j] = sum over c, u, v of w[m,c,u,v] x[n, c, i*s+u*d-p, j*s+v*d-p].
func DefineForward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) {
	f := newForm("DefineForward", x.Shape, w.Shape, y.Shape, g)
	x, w, y = AsImages(x), AsImages(w), AsImages(y)
	for n := range f.N {
		for m := range f.M {
			for i := range f.Ho {
				for j := range f.Wo {
					var acc T
					for c := range f.C {
						for u := range f.KH {
							for v := range f.KW {
								acc = kernel.FMA(w.At(m, c, u, v),
									inside(x, n, c, i*f.S+u*f.D-f.PH, j*f.S+v*f.D-f.PW), acc)
							}
						}
					}
					y.Set(acc, n, m, i, j)
				}
			}
		}
	}
}

// DefineTranspose sets x[n,c,a,b] = sum over m, u, v of w[m,c,u,v] y[n,m,i,j] with i*s = a+p-u*d and j*s =
// b+p-v*d. A tap for which no such integers i, j exist is not part of the chain; one whose i, j lie outside y
// is, with y = +0.
func DefineTranspose[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry) {
	f := newForm("DefineTranspose", x.Shape, w.Shape, y.Shape, g)
	x, w, y = AsImages(x), AsImages(w), AsImages(y)
	for n := range f.N {
		for c := range f.C {
			for a := range f.H {
				for b := range f.W {
					var acc T
					for m := range f.M {
						for u := range f.KH {
							for v := range f.KW {
								is, js := a+f.PH-u*f.D, b+f.PW-v*f.D
								if is%f.S == 0 && js%f.S == 0 {
									acc = kernel.FMA(w.At(m, c, u, v), inside(y, n, m, is/f.S, js/f.S), acc)
								}
							}
						}
					}
					x.Set(acc, n, c, a, b)
				}
			}
		}
	}
}

// DefineWeightGradient sets w[m,c,u,v] = sum over n, i, j of y[n,m,i,j] x[n, c, i*s+u*d-p, j*s+v*d-p].
func DefineWeightGradient[T tensor.Float](w, x, y *tensor.Tensor[T], g Geometry) {
	f := newForm("DefineWeightGradient", x.Shape, w.Shape, y.Shape, g)
	x, w, y = AsImages(x), AsImages(w), AsImages(y)
	for m := range f.M {
		for c := range f.C {
			for u := range f.KH {
				for v := range f.KW {
					var acc T
					for n := range f.N {
						for i := range f.Ho {
							for j := range f.Wo {
								acc = kernel.FMA(y.At(n, m, i, j),
									inside(x, n, c, i*f.S+u*f.D-f.PH, j*f.S+v*f.D-f.PW), acc)
							}
						}
					}
					w.Set(acc, m, c, u, v)
				}
			}
		}
	}
}

// AsImages returns a signal, a kernel or a code of any number of axes with four dimensions; axes that it does
// not have become axes of one element. The elements are shared.
func AsImages[T tensor.Float](t *tensor.Tensor[T]) *tensor.Tensor[T] {
	shape := []int{t.Shape[0], t.Shape[1], 1, 1}
	copy(shape[6-len(t.Shape):], t.Shape[2:])
	return t.Reshape(shape...)
}

// inside is t[n,c,a,b], or +0 beyond the borders.
func inside[T tensor.Float](t *tensor.Tensor[T], n, c, a, b int) T {
	if a < 0 || a >= t.Shape[2] || b < 0 || b >= t.Shape[3] {
		return 0
	}
	return t.At(n, c, a, b)
}
