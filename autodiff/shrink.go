package autodiff

import (
	"sdref/internal/kernel"
	"sdref/tensor"
)

// Shrink returns the proximal operator of threshold*|.|_1 at scale*u, elementwise:
//
//	soft(scale*u, threshold),  soft(v, b) = sign(v) max(|v|-b, 0),
//
// or, if nonnegative, max(scale*u - threshold, 0). With the elastic net's scale = 1/(1+mu*t) and threshold =
// lambda*t/(1+mu*t) it is the proximal operator of t*(lambda*|.|_1 + mu/2*|.|^2) at u. scale and threshold are constants.
// Pullback: du = scale*dz where z is not 0, else 0 (the derivative at the kink is taken as 0). Saves z, packed
// while it waits.
func Shrink[T tensor.Float](u *Var[T], scale, threshold T, nonnegative bool) *Var[T] {
	z := u.tape.inPlace(u)
	shrink, in, out := kernel.Active[T]().Shrink, u.buf, z.buf
	if nonnegative {
		shrink = kernel.Active[T]().ShrinkNonnegative
	}
	z.elementwise(func(lo, hi int) { shrink(out.Data[lo:hi], in.Data[lo:hi], scale, threshold) }, u)
	z.buf.sparse = true
	du := func(dst, dz *tensor.Tensor[T]) { tensor.ShrinkGrad(dst, out.Tensor, dz, scale) }
	return u.tape.finish(z, op[T]{args: []*Var[T]{u}, pulls: []pullback[T]{du}, saves: []*Var[T]{z}, elementwise: true})
}
