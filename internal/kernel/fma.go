package kernel

import (
	"math"
	"unsafe"
)

// FMA returns a*b + c rounded once.
func FMA[T Float](a, b, c T) T {
	if unsafe.Sizeof(a) == 8 {
		return T(fma64(float64(a), float64(b), float64(c)))
	}
	product := float64(a) * float64(b) // exact: 24 + 24 bits
	sum := product + float64(c)
	if doubtful(sum) {
		sum = fmaOdd(product, float64(c))
	}
	return T(sum)
}

// doubtful tells whether rounding sum, which is rounded already, to float32 may differ from rounding the
// exact sum. That happens only for a sum halfway between two float32s (the last 29 bits are 100...0), or one
// below 2^-126, the smallest normal float32, where float32 has fewer than 24 bits.
func doubtful(sum float64) bool {
	const minNormal = (1023 - 126) << 52
	bits := math.Float64bits(sum)
	return bits&0x1fffffff == 0x10000000 || bits<<1 < minNormal<<1
}

// fmaOdd returns x + y rounded to odd: the nearest float64 if exact, else the one of the two neighbours whose
// last bit is set. Rounding that to 24 bits equals rounding the exact sum, because 53 >= 24 + 2 (Boldo and
// Melquiond, "Emulation of a FMA and correctly rounded sums", IEEE Transactions on Computers 57 (2008)).
func fmaOdd(x, y float64) float64 {
	sum := x + y
	// Knuth's two-sum: lost is the exact x + y - sum. It is NaN if sum is not finite.
	yPart := sum - x
	lost := (x - (sum - yPart)) + (y - yPart)
	bits := math.Float64bits(sum)
	switch {
	case bits&1 == 1 || !(lost < 0 || lost > 0):
		return sum
	case (lost > 0) == (sum > 0):
		return math.Float64frombits(bits + 1)
	default:
		return math.Float64frombits(bits - 1)
	}
}
