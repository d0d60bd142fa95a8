package autodiff

import (
	"sdref/internal/kernel"
	"sdref/tensor"
)

// ShrinkBy returns the proximal operator of t*(lambda*|.|_1 + mu/2*|.|^2), with z >= 0 if nonnegative, at u: Shrink with scale c =
// 1/(1+mu*t) and threshold lambda*t*c, where t and lambda are scalars, Vars of one element. Pullbacks, where z is not 0: du = c*dz,
// dlambda = -c*t <sign(z), dz>, dt = -c <lambda*sign(z) + mu*z, dz>; all are 0 where z is (the derivative at the kink is taken
// as 0). Sums are in float64. Saves z.
func ShrinkBy[T tensor.Float](u, t, lambda *Var[T], mu float64, nonnegative bool) *Var[T] {
	step, weight := float64(scalar("ShrinkBy", t)), float64(scalar("ShrinkBy", lambda))
	c := 1 / (1 + float64(mu*step))
	scale, threshold := T(c), T(weight*step*c)
	z := u.tape.inPlace(u)
	shrink, in, out := kernel.Active[T]().Shrink, u.buf, z.buf
	if nonnegative {
		shrink = kernel.Active[T]().ShrinkNonnegative
	}
	z.elementwise(func(lo, hi int) { shrink(out.Data[lo:hi], in.Data[lo:hi], scale, threshold) }, u)
	dt := func(dst, dz *tensor.Tensor[T]) {
		along := float64(weight*tensor.DotSign(out.Tensor, dz)) + float64(mu*tensor.Dot(out.Tensor, dz))
		dst.Data[0] = T(-c * along)
	}
	dlambda := func(dst, dz *tensor.Tensor[T]) { dst.Data[0] = T(-c * step * tensor.DotSign(out.Tensor, dz)) }
	du := func(dst, dz *tensor.Tensor[T]) { tensor.ShrinkGrad(dst, out.Tensor, dz, scale) }
	return u.tape.finish(z, op[T]{args: []*Var[T]{t, lambda, u}, pulls: []pullback[T]{dt, dlambda, du}, saves: []*Var[T]{z}, elementwise: true})
}
