package elementary

import (
	"fmt"
	"math"
)

// pi/2 in four parts. The first three have at most 33 bits, so their products with an integer of up to 20
// bits are exact; all four together are right to 2^-159.
const (
	halfPi1 = 0x1.921fb544p+00
	halfPi2 = 0x1.0b4611a6p-34
	halfPi3 = 0x1.3198a2ep-69
	halfPi4 = 0x1.b839a252049c1p-104
)

// CircleLimit is the largest |x| that Sin and Cos take.
const CircleLimit = 1e5

// Taylor coefficients of (sin r - r)/r^3 and (cos r - 1 + r^2/2)/r^4 in powers of r^2. With |r| <= pi/4
// the first omitted terms, r^19/19! and r^20/20!, are below 2^-62.
var (
	sinTail = []float64{
		-1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800,
		-1. / 1307674368000, 1. / 355687428096000,
	}
	cosTail = []float64{
		1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600, -1. / 87178291200,
		1. / 20922789888000, -1. / 6402373705728000,
	}
)

// Sin returns the sine of x radians; infinities and NaN give NaN. It panics if |x| is finite and above
// CircleLimit, where the argument reduction would lose bits.
func Sin(x float64) float64 { return circle("Sin", x, 0) }

// Cos returns the cosine of x radians; infinities and NaN give NaN. It panics if |x| is finite and above
// CircleLimit, where the argument reduction would lose bits.
func Cos(x float64) float64 { return circle("Cos", x, 1) }

// circle returns sin(x + quarter*pi/2).
func circle(op string, x float64, quarter int) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 0):
		return math.NaN()
	case math.Abs(x) > CircleLimit:
		panic(fmt.Sprintf("elementary: %s(%v): the argument is outside [-%v, %[3]v]", op, x, CircleLimit))
	case x == 0 && quarter == 0:
		return x // keeps the sign of zero
	}
	k, r, d := reduce(x)
	switch (k + quarter) & 3 {
	case 0:
		return sin(r, d)
	case 1:
		return cos(r, d)
	case 2:
		return -sin(r, d)
	default:
		return -cos(r, d)
	}
}

// reduce returns k, r and a small d with x = k pi/2 + r + d and |r| <= pi/4.
func reduce(x float64) (k int, r, d float64) {
	n := math.Floor(float64(x*(2/math.Pi)) + 0.5)
	r = math.FMA(-n, halfPi1, x) // exact: x and n halfPi1 are close, or n is 0
	r, lost2 := twoSum(r, -float64(n*halfPi2))
	r, lost3 := twoSum(r, -float64(n*halfPi3))
	r, d = twoSum(r, math.FMA(-n, halfPi4, lost2+lost3))
	return int(n), r, d
}

// sin returns the sine of r+d, |r| <= pi/4: r + (r^3 tail + d (1 - r^2/2)).
func sin(r, d float64) float64 {
	z := float64(r * r)
	return r + math.FMA(float64(z*r), horner(z, sinTail), float64(d*math.FMA(-0.5, z, 1)))
}

// cos returns the cosine of r+d, |r| <= pi/4: 1 - r^2/2 + (r^4 tail - r d), the first two terms with their
// rounding errors.
func cos(r, d float64) float64 {
	z := float64(r * r)
	zLost := math.FMA(r, r, -z)
	sum, lost := twoSum(1, -float64(0.5*z))
	tail := math.FMA(float64(z*z), horner(z, cosTail), -math.FMA(0.5, zLost, float64(r*d)))
	return sum + (lost + tail)
}
