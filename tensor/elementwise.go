package tensor

import (
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Grain is the least number of elements that justify a goroutine of their own: some ten microseconds of
// memory traffic.
const Grain = parallel.Grain

// AddScaled sets dst = a + s*b, rounded once per element; dst may be a or b, but share no part of them. With s = 1 and s = -1 it is the
// plain sum and difference.
func AddScaled[T Float](dst, a, b *Tensor[T], s T) { AddScaledWithin(0, dst, a, b, s) }

// AddScaledWithin is AddScaled on at most so many goroutines.
func AddScaledWithin[T Float](workers int, dst, a, b *Tensor[T], s T) {
	mustFit("AddScaled", dst, a, b)
	set := kernel.Active[T]()
	parallel.Limit(workers).Ranges(dst.Len(), Grain, func(lo, hi int) {
		set.AddScaled(dst.Data[lo:hi], a.Data[lo:hi], b.Data[lo:hi], s)
	})
}

// Scale sets dst = s*a; dst may be a.
func Scale[T Float](dst, a *Tensor[T], s T) {
	mustFit("Scale", dst, a)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) { set.Scale(dst.Data[lo:hi], a.Data[lo:hi], s) })
}

// ShrinkGrad sets dst = scale*dz where z is not 0 and 0 elsewhere, z being the output of soft thresholding at
// scale*u; dst may be dz.
func ShrinkGrad[T Float](dst, z, dz *Tensor[T], scale T) {
	mustFit("ShrinkGrad", dst, z, dz)
	set := kernel.Active[T]()
	parallel.Ranges(dst.Len(), Grain, func(lo, hi int) {
		set.ShrinkGrad(dst.Data[lo:hi], z.Data[lo:hi], dz.Data[lo:hi], scale)
	})
}
