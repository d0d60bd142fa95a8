package kernel

import "math"

// softFMA is math.FMA for processors that have no such instruction, WebAssembly's for one, on which math.FMA works with integers and takes
// ten times as long. Where no exponent is extreme the product is split into its rounded value and the exact rest (Dekker 1971), both
// are added to c without loss but for one addition, and that one rounds to odd, after which rounding to nearest gives the exact
// result's rounding (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", IEEE Transactions on Computers 57 (2008)).
func softFMA(a, b, c float64) float64 {
	if !moderate(a) || !moderate(b) || !moderate(c) {
		return softFMARare(a, b, c)
	}
	aHigh, bHigh := highHalf(a), highHalf(b)
	aLow, bLow := a-aHigh, b-bHigh
	product := float64(a * b)
	rest := float64(aHigh*bHigh) - product
	rest += float64(aHigh * bLow)
	rest += float64(aLow * bHigh)
	rest += float64(aLow * bLow) // product + rest is a*b exactly

	low, lowest := twoSum(c, rest)
	high, middle := twoSum(product, low)
	return high + fmaOdd(lowest, middle)
}

// softFMARare is softFMA where an argument is 0, infinite, NaN, or of an extreme exponent.
func softFMARare(a, b, c float64) float64 {
	if (a == 0 || b == 0) && c-c == 0 {
		return float64(a*b) + c // nothing is rounded, and the sign of 0 is right; an infinite factor gives NaN
	}
	return math.FMA(a, b, c)
}

// moderate tells whether the exponent of v is between -480 and 479: then the parts of a product are at least 2^-1064, which is
// a float64, and at most 2^960. c may be that small or large too.
func moderate(v float64) bool {
	return math.Float64bits(v)<<1>>53-(1023-480) < 960
}

// highHalf is v rounded to 26 bits, so that v less that has 26 at the most and products of two such parts are exact.
func highHalf(v float64) float64 {
	return math.Float64frombits((math.Float64bits(v) + 1<<26) &^ (1<<27 - 1))
}

// twoSum returns the rounded sum and what rounding lost, exactly (Knuth).
func twoSum(x, y float64) (sum, lost float64) {
	sum = x + y
	yPart := sum - x
	return sum, (x - (sum - yPart)) + (y - yPart)
}
