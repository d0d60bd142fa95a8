package elementary

import "math"

// ln 2 in two parts. The first has 40 bits, so its product with an integer of up to 13 bits is exact.
const (
	ln2High = 0x1.62e42fefa2p-01
	ln2Low  = 0x1.9ef35793c7673p-41
)

// expTail holds 1/(n+2)!, the Taylor coefficients of (e^r - 1 - r)/r^2. With |r| <= ln(2)/2 the first
// omitted term, r^14/14!, is below 2^-57.
var expTail = []float64{
	1. / 2, 1. / 6, 1. / 24, 1. / 120, 1. / 720, 1. / 5040, 1. / 40320, 1. / 362880,
	1. / 3628800, 1. / 39916800, 1. / 479001600, 1. / 6227020800,
}

// Exp returns e^x. Exp(+Inf) = +Inf, Exp(-Inf) = 0, Exp(NaN) = NaN; above 709.79 the result is +Inf,
// below -745.14 it is 0.
func Exp(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return x
	case x > 710:
		return math.Inf(1)
	case x < -746:
		return 0
	}
	// e^x = 2^k e^(r+d), with k the integer nearest to x/ln 2 and d the rounding error of r.
	k := math.Floor(float64(x*math.Log2E) + 0.5)
	r, d := twoSum(math.FMA(-k, ln2High, x), -float64(k*ln2Low))

	// e^(r+d) = 1 + r + (r^2 tail + d e^r), and 1 + r is kept with its rounding error.
	sum, lost := twoSum(1, r)
	tail := math.FMA(float64(r*r), horner(r, expTail), float64(d*sum))
	return scale(sum+(lost+tail), int(k))
}

// scale returns y*2^k for |k| <= 1100, rounded once: both factors are normal, the first product exact.
func scale(y float64, k int) float64 {
	half := k >> 1
	return float64(y*power(half)) * power(k-half)
}

// power returns 2^k for -1022 <= k <= 1023.
func power(k int) float64 { return math.Float64frombits(uint64(k+1023) << 52) }
