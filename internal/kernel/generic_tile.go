package kernel

import "math"

const genericCols = 4

func genericTile[T Float](rows int) Tile[T] {
	chains := genericChains[T]()
	return Tile[T]{Rows: rows, Mul: func(k int, a, b, c []T, ldc int, load bool) {
		checkTile(rows, genericCols, k, len(a), len(b), len(c), ldc)
		for i := range rows {
			line := c[i*ldc : i*ldc+genericCols]
			if !load {
				clear(line)
			}
			if k > 0 {
				chains(rows, k, a[i:], b, line)
			}
		}
	}}
}

// genericChains returns the inner loop of T. There are two, because FMA is too large for the compiler to inline.
func genericChains[T Float]() func(rows, k int, a, b, c []T) {
	if chains, ok := any(chains32).(func(rows, k int, a, b, c []T)); ok {
		return chains
	}
	return any(chains64).(func(rows, k int, a, b, c []T))
}

// chains64 adds one row of a product to c: c[j] = fma(a[p*rows], b[p*4+j], c[j]), p ascending.
func chains64(rows, k int, a, b, c []float64) {
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	for p := range k {
		s, q := a[p*rows], b[p*genericCols:p*genericCols+genericCols]
		c0 = math.FMA(s, q[0], c0)
		c1 = math.FMA(s, q[1], c1)
		c2 = math.FMA(s, q[2], c2)
		c3 = math.FMA(s, q[3], c3)
	}
	c[0], c[1], c[2], c[3] = c0, c1, c2, c3
}

// chains32 is chains64 for float32, with FMA written out.
func chains32(rows, k int, a, b, c []float32) {
	c0, c1, c2, c3 := float64(c[0]), float64(c[1]), float64(c[2]), float64(c[3])
	for p := range k {
		s, q := float64(a[p*rows]), b[p*genericCols:p*genericCols+genericCols]
		x0, x1, x2, x3 := s*float64(q[0]), s*float64(q[1]), s*float64(q[2]), s*float64(q[3])
		y0, y1, y2, y3 := x0+c0, x1+c1, x2+c2, x3+c3
		if doubtful(y0) {
			y0 = fmaOdd(x0, c0)
		}
		if doubtful(y1) {
			y1 = fmaOdd(x1, c1)
		}
		if doubtful(y2) {
			y2 = fmaOdd(x2, c2)
		}
		if doubtful(y3) {
			y3 = fmaOdd(x3, c3)
		}
		c0, c1, c2, c3 = float64(float32(y0)), float64(float32(y1)), float64(float32(y2)), float64(float32(y3))
	}
	c[0], c[1], c[2], c[3] = float32(c0), float32(c1), float32(c2), float32(c3)
}

// genericPeak runs the inner loop of the tile on a small panel: Go has nothing faster.
func genericPeak[T Float](iterations int) (flops float64) {
	const k = 64
	chains := genericChains[T]()
	a, b, c := make([]T, k), make([]T, k*genericCols), make([]T, genericCols)
	for i := range a {
		a[i] = 0.5
	}
	for i := range b {
		b[i] = 1
	}
	for range iterations {
		clear(c) // or it grows until every sum is halfway between two float32s
		chains(1, k, a, b, c)
	}
	return k * genericCols * 2 * float64(max(iterations, 0))
}

func genericGather[T Float](dst []T, stride int, src []T, off []int, width int) {
	if !checkRuns("Gather", len(dst), stride, len(off), width, len(src), off, width) {
		return
	}
	for i, o := range off {
		copy(dst[i*stride:i*stride+width], src[o:o+width])
	}
}

func genericInterleave[T Float](dst []T, stride int, src []T, off []int, n int) {
	if checkRuns("Interleave", len(dst), stride, n, len(off), len(src), off, n) {
		interleave(dst, stride, src, off, n)
	}
}

// interleave is Interleave on checked arguments.
func interleave[T Float](dst []T, stride int, src []T, off []int, n int) {
	for r, o := range off {
		for j, v := range src[o : o+n] {
			dst[j*stride+r] = v
		}
	}
}
