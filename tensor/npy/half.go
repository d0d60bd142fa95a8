package npy

import "math"

// fromHalf returns the value of a float16: 1 bit of sign, 5 of exponent, 10 of fraction.
func fromHalf(bits uint16) float64 {
	fraction, exponent := float64(bits&0x3ff), int(bits>>10&0x1f)
	var v float64
	switch {
	case exponent == 0:
		v = math.Ldexp(fraction, -24)
	case exponent < 0x1f:
		v = math.Ldexp(fraction+0x400, exponent-25)
	case fraction == 0:
		v = math.Inf(1)
	default:
		return math.NaN()
	}
	if bits>>15 == 1 {
		return -v
	}
	return v
}

// toHalf returns the float16 nearest to v, of two equally near ones the even one.
func toHalf(v float64) uint16 {
	sign := uint16(math.Float64bits(v)>>48) & 0x8000
	switch {
	case v != v:
		return 0x7e00
	case v == 0:
		return sign
	case math.Abs(v) >= 65520: // the largest is 65504, and half a step 16
		return sign | 0x7c00
	}
	_, exponent := math.Frexp(v)
	exponent = max(exponent, -13) // subnormal numbers have the step of the smallest normal ones
	steps := math.RoundToEven(math.Ldexp(math.Abs(v), 11-exponent))
	return sign | (uint16((exponent+13)<<10) + uint16(steps)) // the leading one of steps counts the exponent up
}
