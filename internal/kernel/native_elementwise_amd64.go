//go:build !purego

package kernel

import "unsafe"

// nativeElementwise is the assembly of the elementwise functions and reductions. n is the number of elements,
// a multiple of the lanes for the former, GELU's excepted, and of 16 for the latter.
type nativeElementwise[T Float] struct {
	addScaled         func(dst, a, b *T, n int, s T)
	scale             func(dst, a *T, n int, s T)
	relu              func(dst, x *T, n int)
	reluGrad          func(dst, y, dy *T, n int)
	gelu              func(dst, x *T, n int)
	geluGrad          func(dst, x, dy *T, n int)
	shrink            func(dst, u *T, n int, scale, threshold T)
	shrinkNonnegative func(dst, u *T, n int, scale, threshold T)
	shrinkGrad        func(dst, z, dz *T, n int, scale T)
	normalize         func(dst, x *T, planes, plane, n int, mean, scale, shift *T)
	normalizeGrad     func(dst, x, dy *T, n int, mean, a, b, c T)
	momentum          func(w, velocity, dw *T, n int, rate, momentum, decay T)

	sum             func(x *T, n int) float64
	sumSquares      func(x *T, n int, mean float64) float64
	dot             func(x, y *T, n int, mean float64) float64
	sumLanes        func(x *T, n int) (lanes [reduceLanes]float64)
	sumSquaresLanes func(x *T, n int, mean float64) (lanes [reduceLanes]float64)
	dotLanes        func(x, y *T, n int, mean float64) (lanes [reduceLanes]float64)
}

// GELU's assembly takes any number of elements.

func (k *native[T]) runGELU(dst, x []T) {
	checkLengths("GELU", len(dst), len(x))
	k.gelu(unsafe.SliceData(dst), unsafe.SliceData(x), len(dst))
}

func (k *native[T]) runGELUGrad(dst, x, dy []T) {
	checkLengths("GELUGrad", len(dst), len(x), len(dy))
	k.geluGrad(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(dy), len(dst))
}

// whole returns the number of elements of n that fill whole vectors.
func (k *native[T]) whole(n int) int { return n &^ (k.lanes - 1) }

// The functions below check the slices, and leave whole vectors to the assembly and the rest to the generic
// row.

func (k *native[T]) runAddScaled(dst, a, b []T, s T) {
	checkLengths("AddScaled", len(dst), len(a), len(b))
	n := k.whole(len(dst))
	k.addScaled(unsafe.SliceData(dst), unsafe.SliceData(a), unsafe.SliceData(b), n, s)
	genericAddScaled(dst[n:], a[n:], b[n:], s)
}

func (k *native[T]) runScale(dst, a []T, s T) {
	checkLengths("Scale", len(dst), len(a))
	n := k.whole(len(dst))
	k.scale(unsafe.SliceData(dst), unsafe.SliceData(a), n, s)
	genericScale(dst[n:], a[n:], s)
}

func (k *native[T]) runReLU(dst, x []T) {
	checkLengths("ReLU", len(dst), len(x))
	n := k.whole(len(dst))
	k.relu(unsafe.SliceData(dst), unsafe.SliceData(x), n)
	genericReLU(dst[n:], x[n:])
}

func (k *native[T]) runReLUGrad(dst, y, dy []T) {
	checkLengths("ReLUGrad", len(dst), len(y), len(dy))
	n := k.whole(len(dst))
	k.reluGrad(unsafe.SliceData(dst), unsafe.SliceData(y), unsafe.SliceData(dy), n)
	genericReLUGrad(dst[n:], y[n:], dy[n:])
}

func (k *native[T]) runShrink(dst, u []T, scale, threshold T) {
	checkLengths("Shrink", len(dst), len(u))
	n := k.whole(len(dst))
	k.shrink(unsafe.SliceData(dst), unsafe.SliceData(u), n, scale, threshold)
	genericShrink(dst[n:], u[n:], scale, threshold)
}

func (k *native[T]) runShrinkNonnegative(dst, u []T, scale, threshold T) {
	checkLengths("ShrinkNonnegative", len(dst), len(u))
	n := k.whole(len(dst))
	k.shrinkNonnegative(unsafe.SliceData(dst), unsafe.SliceData(u), n, scale, threshold)
	genericShrinkNonnegative(dst[n:], u[n:], scale, threshold)
}

func (k *native[T]) runShrinkGrad(dst, z, dz []T, scale T) {
	checkLengths("ShrinkGrad", len(dst), len(z), len(dz))
	n := k.whole(len(dst))
	k.shrinkGrad(unsafe.SliceData(dst), unsafe.SliceData(z), unsafe.SliceData(dz), n, scale)
	genericShrinkGrad(dst[n:], z[n:], dz[n:], scale)
}

func (k *native[T]) runNormalize(dst, x, mean, scale, shift []T) {
	plane := checkPlanes("Normalize", len(dst), len(x), len(mean), len(scale), len(shift))
	if len(dst) == 0 {
		return
	}
	n := k.whole(plane)
	if n > 0 {
		k.normalize(&dst[0], &x[0], len(mean), plane, n, &mean[0], &scale[0], &shift[0])
	}
	for c := 0; c < len(mean) && n < plane; c++ {
		normalizePlane(dst[c*plane+n:(c+1)*plane], x[c*plane+n:], mean[c], scale[c], shift[c])
	}
}

func (k *native[T]) runNormalizeGrad(dst, x, dy []T, mean, a, b, c T) {
	checkLengths("NormalizeGrad", len(dst), len(x), len(dy))
	n := k.whole(len(dst))
	k.normalizeGrad(unsafe.SliceData(dst), unsafe.SliceData(x), unsafe.SliceData(dy), n, mean, a, b, c)
	genericNormalizeGrad(dst[n:], x[n:], dy[n:], mean, a, b, c)
}

func (k *native[T]) runMomentum(w, velocity, g []T, rate, momentum, decay T) {
	checkLengths("Momentum", len(w), len(velocity), len(g))
	n := k.whole(len(w))
	k.momentum(unsafe.SliceData(w), unsafe.SliceData(velocity), unsafe.SliceData(g), n, rate, momentum, decay)
	genericMomentum(w[n:], velocity[n:], g[n:], rate, momentum, decay)
}

// Reductions have 16 lanes whatever the instruction set. Where nothing is left over the assembly adds them too: many
// planes are so small that returning the lanes would take most of the time.

func (k *native[T]) runSum(x []T) float64 {
	n := len(x) &^ (reduceLanes - 1)
	if n == len(x) {
		return k.sum(unsafe.SliceData(x), n)
	}
	return sumTail(k.sumLanes(unsafe.SliceData(x), n), x[n:])
}

func (k *native[T]) runSumSquares(x []T, mean float64) float64 {
	n := len(x) &^ (reduceLanes - 1)
	if n == len(x) {
		return k.sumSquares(unsafe.SliceData(x), n, mean)
	}
	return sumSquaresTail(k.sumSquaresLanes(unsafe.SliceData(x), n, mean), x[n:], mean)
}

func (k *native[T]) runDot(x, y []T, mean float64) float64 {
	checkLengths("Dot", len(x), len(y))
	n := len(x) &^ (reduceLanes - 1)
	if n == len(x) {
		return k.dot(unsafe.SliceData(x), unsafe.SliceData(y), n, mean)
	}
	return dotTail(k.dotLanes(unsafe.SliceData(x), unsafe.SliceData(y), n, mean), x[n:], y[n:], mean)
}
