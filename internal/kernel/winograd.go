package kernel

import "fmt"

// Winograd is the transforms of Winograd convolution with squares of 6x6. They work on vectors of channels.
//
// A transform maps a square of vectors to another, first along every column of the square, then along every
// row of the result. Its one-dimensional step is written out in the comments below; "fma" rounds once, and so
// does every other operation. Element (i, j) of a square is the vector of n elements at i*row + j*col, n a
// multiple of the Set's Lanes. dst and src must not overlap.
type Winograd[T Float] struct {
	// Signal is B' d B on 6x6. Of d0..d5 it makes, with a = fma(-4, d2, d4), b = fma(-4, d1, d3), c = d4-d2,
	// e = d3-d1: fma(4, d0, fma(-5, d2, d4)), a+b, a-b, fma(2, e, c), fma(-2, e, c), fma(4, d1, fma(-5, d3,
	// d5)).
	Signal Transform[T]
	// Kernel is G g G' from 3x3 to 6x6. Of g0..g2 it makes, with s = g0+g2, a = fma(4, g2, g0): g0/4,
	// (s+g1)*(-1/6), (s-g1)*(-1/6), fma(2, g1, a)*(1/24), fma(-2, g1, a)*(1/24), g2.
	Kernel Transform[T]
	// KernelReversed is Kernel of the square read backwards, rows and columns.
	KernelReversed Transform[T]
	// Code is the transform from 4x4 to 6x6 of the correlation that ends in 3x3. Of g0..g3 it makes, with e =
	// g0+g2, o = g1+g3, p = fma(4, g2, g0), q = fma(4, g3, g1): g0/4, (e+o)*(-1/6), (e-o)*(-1/6), fma(2, q,
	// p)*(1/24), fma(-2, q, p)*(1/24), g3.
	Code Transform[T]
	// Output is A' m A from 6x6 to 4x4. Of m0..m5 it makes, with p = m1+m2, q = m1-m2, r = m3+m4, s = m3-m4:
	// (m0+p)+r, fma(2, s, q), fma(4, r, p), fma(8, s, q)+m5.
	Output Transform[T]
	// Gradient goes from 6x6 to 3x3. With the names of Output it makes (m0+p)+r, fma(2, s, q), fma(4, r,
	// p)+m5.
	Gradient Transform[T]
}

// Transform is one transform of n channels.
type Transform[T Float] func(dst []T, dstRow, dstCol int, src []T, srcRow, srcCol, n int)

// transformShape is the sides of the squares that a transform reads and writes.
type transformShape struct {
	name    string
	in, out int
}

var (
	signalShape         = transformShape{"Winograd.Signal", 6, 6}
	kernelShape         = transformShape{"Winograd.Kernel", 3, 6}
	kernelReversedShape = transformShape{"Winograd.KernelReversed", 3, 6}
	codeShape           = transformShape{"Winograd.Code", 4, 6}
	outputShape         = transformShape{"Winograd.Output", 6, 4}
	gradientShape       = transformShape{"Winograd.Gradient", 6, 3}
)

// check panics unless the squares fit the slices and n is a multiple of the lanes.
func (s transformShape) check(lenDst, dstRow, dstCol, lenSrc, srcRow, srcCol, n, lanes int) {
	fits := func(side, length, row, col int) bool {
		return row >= 0 && col >= 0 && (side-1)*(row+col)+n <= length
	}
	if n < 0 || n%lanes != 0 || !fits(s.out, lenDst, dstRow, dstCol) || !fits(s.in, lenSrc, srcRow, srcCol) {
		panic(fmt.Sprintf("kernel: %s: squares of %dx%d at steps %d, %d and of %dx%d at steps %d, %d, "+
			"with %d channels in lanes of %d, do not fit %d and %d elements",
			s.name, s.in, s.in, srcRow, srcCol, s.out, s.out, dstRow, dstCol, n, lanes, lenSrc, lenDst))
	}
}
