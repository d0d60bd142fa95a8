package elementary

import "math"

// logTail holds 2/(2n+3), the coefficients of (log((1+s)/(1-s)) - 2s)/s^3 in powers of s^2 (twice the
// series of the inverse hyperbolic tangent). With |s| <= 0.1716 the first omitted term is below 2^-59
// of log((1+s)/(1-s)).
var logTail = []float64{2. / 3, 2. / 5, 2. / 7, 2. / 9, 2. / 11, 2. / 13, 2. / 15, 2. / 17, 2. / 19, 2. / 21}

// Log returns the natural logarithm of x. Log(+Inf) = +Inf, Log(0) = -Inf, Log(x < 0) = NaN,
// Log(NaN) = NaN.
func Log(x float64) float64 {
	switch {
	case math.IsNaN(x) || math.IsInf(x, 1):
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	// x = 2^k (1+f) with 1+f in [sqrt(1/2), sqrt(2)); f is exact.
	k, m := split(x)
	f := m - 1

	// With s = f/(2+f), log(1+f) = log((1+s)/(1-s)) = 2s + s^3 tail, and 2s = f - f^2/2 + s f^2/2.
	// The last form has no cancellation: f is exact, f^2/2 = h + hLost, and what remains is small.
	s := f / (2 + f)
	z := float64(s * s)
	h := float64(0.5 * f * f)
	hLost := math.FMA(0.5*f, f, -h)
	rest := float64(s * math.FMA(z, horner(z, logTail), h))

	// log x = k ln 2 + f - h + (rest - hLost), the large terms added with their rounding errors.
	a, aLost := twoSum(f, -h)
	b, bLost := twoSum(float64(k*ln2High), a)
	small := math.FMA(k, ln2Low, rest-hLost)
	return b + (bLost + (aLost + small))
}

// split returns k and m in [sqrt(1/2), sqrt(2)) with x = m*2^k, for positive finite x.
func split(x float64) (k, m float64) {
	shift := 0
	if x < 0x1p-1022 {
		x, shift = x*0x1p52, -52
	}
	bits := math.Float64bits(x)
	m = math.Float64frombits(bits&(1<<52-1) | 1023<<52) // in [1, 2)
	exponent := int(bits>>52) - 1023 + shift
	if m >= math.Sqrt2 {
		m, exponent = m/2, exponent+1
	}
	return float64(exponent), m
}
