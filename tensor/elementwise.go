package tensor

import (
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Grain is the least number of elements worth a goroutine of their own: some ten microseconds of memory traffic.
const Grain = 1 << 14

// AddScaled sets dst = a + s*b, rounded once per element; dst may be a or b. With s = 1 and s = -1 it is the plain sum and
// difference.
func AddScaled[T Float](dst, a, b *Tensor[T], s T) {
	MustMatch("AddScaled", dst.Shape, a.Shape, b.Shape)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { set.AddScaled(dst.Data[lo:hi], a.Data[lo:hi], b.Data[lo:hi], s) })
}

// Scale sets dst = s*a; dst may be a.
func Scale[T Float](dst, a *Tensor[T], s T) {
	MustMatch("Scale", dst.Shape, a.Shape)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { set.Scale(dst.Data[lo:hi], a.Data[lo:hi], s) })
}

// ReLU sets dst = max(x, 0); NaN stays NaN. dst may be x.
func ReLU[T Float](dst, x *Tensor[T]) {
	MustMatch("ReLU", dst.Shape, x.Shape)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { set.ReLU(dst.Data[lo:hi], x.Data[lo:hi]) })
}

// ReLUGrad sets dst = dy where y > 0 and 0 elsewhere, y being ReLU's output; dst may be dy.
func ReLUGrad[T Float](dst, y, dy *Tensor[T]) {
	MustMatch("ReLUGrad", dst.Shape, y.Shape, dy.Shape)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { set.ReLUGrad(dst.Data[lo:hi], y.Data[lo:hi], dy.Data[lo:hi]) })
}

// Shrink sets dst = soft(scale*u, threshold), where soft(v, b) = sign(v) max(|v|-b, 0), or max(scale*u - threshold, 0) if
// nonnegative. NaN stays NaN; dst may be u.
func Shrink[T Float](dst, u *Tensor[T], scale, threshold T, nonnegative bool) {
	MustMatch("Shrink", dst.Shape, u.Shape)
	f := kernel.Active[T]().Shrink
	if nonnegative {
		f = kernel.Active[T]().ShrinkNonnegative
	}
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { f(dst.Data[lo:hi], u.Data[lo:hi], scale, threshold) })
}

// ShrinkGrad sets dst = scale*dz where z is not 0 and 0 elsewhere, z being Shrink's output; dst may be dz.
func ShrinkGrad[T Float](dst, z, dz *Tensor[T], scale T) {
	MustMatch("ShrinkGrad", dst.Shape, z.Shape, dz.Shape)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { set.ShrinkGrad(dst.Data[lo:hi], z.Data[lo:hi], dz.Data[lo:hi], scale) })
}

// Momentum makes one step of stochastic gradient descent with Nesterov momentum, in place on w and velocity:
//
//	d = g + decay*w,  velocity = momentum*velocity + d,  w = w - rate*(d + momentum*velocity)
func Momentum[T Float](w, velocity, g *Tensor[T], rate, momentum, decay T) {
	MustMatch("Momentum", w.Shape, velocity.Shape, g.Shape)
	set := kernel.Active[T]()
	parallel.Ranges(w.Len(), Grain, func(lo, hi int) {
		set.Momentum(w.Data[lo:hi], velocity.Data[lo:hi], g.Data[lo:hi], rate, momentum, decay)
	})
}
