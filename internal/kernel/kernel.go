package kernel

// Float is an element type.
type Float interface{ float32 | float64 }

// Tile is one matrix-product microkernel on operands that are read where they lie: Groups*Rows rows of C =
// A*B, and as many vectors of columns, each of the Set's Lanes, as the caller of Mul asks for. With row i =
// g*Rows+r and column v*Lanes+j,
//
//	A[i][p]          is  a[rows[g] + r*step + left[p]]
//	B[p][v*Lanes+j]  is  b[cols[v] + right[p] + j]
//	C[i][v*Lanes+j]  is  c[out[v] + i*ldc + j]
//
// so each operand may be a plain matrix, a transposed one, or the columns of a convolution, whose elements
// are pixels of an image. Each element of C is one chain acc = fma(A_p, B_p, acc), p ascending over left and
// right, from +0 (load false) or from the value in c (load true). Mul writes nothing else. c must overlap
// neither operand.
//
// Mul panics unless cols and out have the same length, left and right have the same length, and rows has
// length Groups. Of the offsets in left and right only the first and last are checked against the operands:
// the caller vouches for its own tables.
type Tile[T Float] struct {
	Groups, Rows int
	Mul          func(
		a []T, rows []int, step int, left []int,
		b []T, cols, right []int,
		c []T, out []int, ldc int, load bool,
	)

	// ByRows and ByColumns are Mul without tables, for operands that lie densely: link p of b's vector v is
	// b[cols[v] + p*Vectors*Lanes], and A[i][p] is a[i*step + p] or a[i + p*step]. They are nil where the row
	// has nothing faster than Mul.
	ByRows, ByColumns DenseMul[T]
}

// DenseMul is what Tile.Mul is, without tables, with k links.
type DenseMul[T Float] func(k int, a []T, step int, b []T, cols []int, c []T, out []int, ldc int, load bool)

// Height is the number of rows that the tile computes.
func (t *Tile[T]) Height() int { return t.Groups * t.Rows }

// Vectors is the number of vectors of columns that most Tiles compute at a time. Mul is fastest on a multiple
// of it.
const Vectors = 2

// Set is one row of the table: the inner loops of one instruction set for one element type.
//
// In the elementwise functions (AddScaled to Momentum) dst may be exactly one of the inputs and must not
// overlap them otherwise; the inputs are at least as long as dst, and only dst's length of them is read.
// "a*b" rounds, "fma" rounds once, but in the row unfused twice: the product, then the sum. A slice that is too short is the caller's bug and panics.
type Set[T Float] struct {
	Name  string    // "generic", "avx2", "avx512", "unfused"
	Lanes int       // columns of a vector
	Tiles []Tile[T] // by Height, descending; the last has 1 row
	// Narrow is Tiles with a taller one before them, for products with a single vector of columns; with two
	// vectors it would be slower.
	Narrow []Tile[T]

	// Peak runs independent chains of fused multiply-adds in registers, the fastest that this row can go, and
	// returns the number of floating-point operations done (2 for each fma). The caller measures the time.
	Peak func(iterations int) (flops float64)

	// Gather copies runs of width elements: dst[i*stride+j] = src[off[i]+j], j < width <= stride. Of the
	// offsets only the first and the last are checked: the caller vouches for its own tables.
	Gather func(dst []T, stride int, src []T, off []int, width int)
	// GatherAlternate copies every other element: dst[i*stride+j] = src[off[i]+2*j], j < width <= stride.
	// Offsets are checked as for Gather.
	GatherAlternate func(dst []T, stride int, src []T, off []int, width int)
	// Weave alternates the halves of rows of 2*n elements: in every row dst[2*j] = src[j], dst[2*j+1] =
	// src[n+j]. dst and src have the same length, a multiple of 2*n, and do not overlap.
	Weave func(dst, src []T, n int)
	// InsertZeros spreads rows of n elements: each becomes a row of 2*n, dst[2*j] = src[j], dst[2*j+1] = +0,
	// and one of 2*n zeros below it. src is a whole number of rows, dst has four times its length, and they
	// do not overlap.
	InsertZeros func(dst, src []T, n int)
	// Interleave transposes runs of n elements: dst[j*stride+r] = src[off[r]+j], r < len(off) <= stride, j <
	// n. Offsets are checked as for Gather.
	Interleave func(dst []T, stride int, src []T, off []int, n int)

	// Mark sets bit i of mask where the bits of x[i] are not all 0, the rest of the mask to 0, and returns the
	// number of ones. So +0 is the only value that is not marked: -0 and every NaN are. mask is MaskLen elements,
	// used as memory: as numbers they mean nothing. The slices do not overlap.
	Mark func(mask, x []T) (marked int)
	// Pack copies the elements of x that Mark marked to dst, one after the other.
	Pack func(dst, mask, x []T)
	// Unpack is the inverse of Pack: it sets dst to x, bit for bit.
	Unpack func(dst, mask, packed []T)

	// Regular tells whether every element is finite and none is -0.
	Regular func(x []T) bool

	// AddScaled sets dst = fma(s, b, a).
	AddScaled func(dst, a, b []T, s T)
	// Scale sets dst = s*a.
	Scale func(dst, a []T, s T)
	// ReLU sets dst to +0 where x < 0, else to x: NaN stays NaN, -0 stays -0.
	ReLU func(dst, x []T)
	// ReLUGrad sets dst to dy where y > 0, else to +0.
	ReLUGrad func(dst, y, dy []T)
	// GELU sets dst = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), as gelu.go defines it: NaN stays NaN, +Inf
	// and both zeros stay, and far below 0, -Inf included, the result is -0.
	GELU func(dst, x []T)
	// GELUGrad sets dst to dy times the derivative of GELU at x, which is +0 far below 0 and 1 far above.
	GELUGrad func(dst, x, dy []T)
	// Shrink is soft thresholding: with v = u*scale it sets dst = p + q, where p is v-threshold, or +0 where
	// that is negative, and q is v+threshold, or +0 where that is positive. NaN stays NaN.
	Shrink func(dst, u []T, scale, threshold T)
	// ShrinkNonnegative sets dst to p = u*scale - threshold, or +0 where p < 0. NaN stays NaN.
	ShrinkNonnegative func(dst, u []T, scale, threshold T)
	// ShrinkGrad sets dst to dz*scale where z != 0 (a NaN counts), else to +0.
	ShrinkGrad func(dst, z, dz []T, scale T)
	// Normalize sets dst = fma(x-mean[c], scale[c], shift[c]) in plane c of dst, which is cut into as many
	// planes as there are means, of the same size.
	Normalize func(dst, x, mean, scale, shift []T)
	// NormalizeGrad sets dst = fma(dy, a, fma(x-mean, b, c)).
	NormalizeGrad func(dst, x, dy []T, mean, a, b, c T)
	// MaxPool2 sets dst to the largest elements of 2x2 windows side by side, of planes height x width; a last row or
	// column of odd sizes is in none. Of equals the first in row-major order wins, and NaN over all. dst and x do not
	// overlap.
	MaxPool2 func(dst, x []T, height, width int)
	// MaxPool2Grad sets dx to +0 + dy at the winners of x, of several NaN in a window the last, and to +0 elsewhere. dx
	// overlaps neither x nor dy.
	MaxPool2Grad func(dx, x, dy []T, height, width int)
	// Momentum is one step of SGD with Nesterov momentum as PyTorch defines it: d = fma(decay, w, g),
	// velocity = fma(momentum, velocity, d), w = fma(-rate, fma(momentum, velocity, d), w). The three slices
	// are disjoint.
	Momentum func(w, velocity, g []T, rate, momentum, decay T)

	// Sum returns the sum of x in float64.
	Sum func(x []T) float64
	// SumSquares returns the sum of d*d, d = float64(x)-mean, by acc = fma(d, d, acc).
	SumSquares func(x []T, mean float64) float64
	// Dot returns the sum of (float64(x)-mean)*float64(y) by acc = fma(float64(x)-mean, float64(y), acc).
	Dot func(x, y []T, mean float64) float64

	// Winograd is the transforms of Winograd convolution.
	Winograd Winograd[T]
}

// Twice tells whether so many rows are done better by two of the second tallest tiles than by the tallest and a low one, which has too few
// sums to keep the multipliers busy.
func (s *Set[T]) Twice(rows int) bool { return rows == 2*s.Tiles[1].Height() }

// HasDenseTiles tells whether the tallest tile has ByRows and ByColumns.
func (s *Set[T]) HasDenseTiles() bool { return s.Tiles[0].ByRows != nil }
