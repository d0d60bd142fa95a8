package kernel

// Float is an element type.
type Float interface{ float32 | float64 }

// Tile is one matrix-product microkernel on packed panels.
//
// Mul sets C[0:Rows, 0:Cols] to the product of panels a (k x Rows, element (p, i) at a[p*Rows+i]) and b (k x Cols,
// element (p, j) at b[p*Cols+j]), where Cols is that of the Set. Each element is one chain acc = fma(a_p, b_p, acc),
// p ascending, from +0 (load false) or from the value in c (load true). Element (i, j) of C is c[i*ldc+j], ldc >= Cols;
// Mul writes no others. c must overlap neither panel.
type Tile[T Float] struct {
	Rows int
	Mul  func(k int, a, b, c []T, ldc int, load bool)
}

// Set is one row of the table: the inner loops of one instruction set for one element type.
//
// In the elementwise functions (AddScaled to Momentum) dst may be exactly one of the inputs and must not overlap them
// otherwise; the inputs are at least as long as dst, and only dst's length of them is read. "a*b" rounds, "fma" rounds once.
// A slice that is too short is the caller's bug and panics.
type Set[T Float] struct {
	Name  string    // "generic", "avx2", "avx512"
	Cols  int       // columns of every tile
	Tiles []Tile[T] // by Rows, descending; the last has 1 row

	// Peak runs a chain of independent fused multiply-adds in registers, the fastest that this row can go, and returns
	// the number of floating-point operations done (2 for each fma); the caller holds the watch.
	Peak func(iterations int) (flops float64)

	// Gather copies runs of width elements: dst[i*stride+j] = src[off[i]+j], j < width <= stride.
	// Of the offsets only the first and the last are checked; they are the caller's own tables.
	Gather func(dst []T, stride int, src []T, off []int, width int)
	// Interleave transposes runs of n elements: dst[j*stride+r] = src[off[r]+j], r < len(off) <= stride, j < n.
	// Of the offsets only the first and the last are checked; they are the caller's own tables.
	Interleave func(dst []T, stride int, src []T, off []int, n int)

	// AddScaled sets dst = fma(s, b, a).
	AddScaled func(dst, a, b []T, s T)
	// Scale sets dst = s*a.
	Scale func(dst, a []T, s T)
	// ReLU sets dst to +0 where x < 0, else to x: NaN stays NaN, -0 stays -0.
	ReLU func(dst, x []T)
	// ReLUGrad sets dst to dy where y > 0, else to +0.
	ReLUGrad func(dst, y, dy []T)
	// Shrink is soft thresholding: with v = u*scale it sets dst = p + q, where p is v-threshold, or +0 where that is
	// negative, and q is v+threshold, or +0 where that is positive. NaN stays NaN.
	Shrink func(dst, u []T, scale, threshold T)
	// ShrinkNonnegative sets dst to p = u*scale - threshold, or +0 where p < 0. NaN stays NaN.
	ShrinkNonnegative func(dst, u []T, scale, threshold T)
	// ShrinkGrad sets dst to dz*scale where z != 0 (a NaN counts), else to +0.
	ShrinkGrad func(dst, z, dz []T, scale T)
	// Normalize sets dst = fma(x-mean, scale, shift).
	Normalize func(dst, x []T, mean, scale, shift T)
	// NormalizeGrad sets dst = fma(dy, a, fma(x-mean, b, c)).
	NormalizeGrad func(dst, x, dy []T, mean, a, b, c T)
	// Momentum is one step of SGD with Nesterov momentum as PyTorch defines it: d = fma(decay, w, g),
	// velocity = fma(momentum, velocity, d), w = fma(-rate, fma(momentum, velocity, d), w). The three slices are disjoint.
	Momentum func(w, velocity, g []T, rate, momentum, decay T)

	// Sum returns the sum of x in float64.
	Sum func(x []T) float64
	// SumSquares returns the sum of d*d, d = float64(x)-mean, by acc = fma(d, d, acc).
	SumSquares func(x []T, mean float64) float64
	// Dot returns the sum of (float64(x)-mean)*float64(y) by acc = fma(float64(x)-mean, float64(y), acc).
	Dot func(x, y []T, mean float64) float64

	// Winograd is what Winograd convolution needs besides.
	Winograd Winograd[T]
}
