// Package elementary computes exp, log, sin and cos in float64 with the same bits on every architecture.
//
// Each function is one sequence of exactly rounded operations (+, -, *, / and fused multiply-add), so no
// assembly and no choice of the compiler can change a result. It is for whatever must be reproducible:
// softmax, losses, learning-rate schedules, drawn images. The math package has assembly for some of these
// on some architectures, and its Go code may be fused on others.
//
// The error is below 0.65 units in the last place (ULP) for Exp and Log (1 where a result of Exp is
// subnormal) and 0.75 for Sin and Cos, which take |x| <= 1e5; the tests measure it. Each function reduces its
// argument with a constant split in parts (Cody and Waite, "Software Manual for the Elementary Functions",
// 1980), carries the rounding errors of the leading terms along, and sums a Taylor series for the rest. The
// package knows nothing of float32.
package elementary

import "math"

// horner returns c[0] + c[1] x + c[2] x^2 + ..., one fused multiply-add per coefficient.
func horner(x float64, c []float64) float64 {
	sum := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		sum = math.FMA(sum, x, c[i])
	}
	return sum
}

// Products are converted to float64 throughout: Go may fuse a product with a sum, even one in a later
// statement, unless a conversion stands between them.

// twoSum returns a+b rounded, and the rounding error: sum + lost is exactly a+b (Knuth).
func twoSum(a, b float64) (sum, lost float64) {
	sum = a + b
	t := sum - a
	return sum, (a - (sum - t)) + (b - t)
}
