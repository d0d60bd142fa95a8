// Package narrow converts numbers of 16 and of 8 bits, which files hold and Go has no types for.
//
// A number is a sign, an exponent and a fraction. Every value of these formats is a float32, so that reading
// them is exact. The package is for readers of tensor files. It knows nothing of files.
package narrow

import "math"

// Half is the value of a float16: 1 bit of sign, 5 of exponent with bias 15, 10 of fraction (IEEE 754
// binary16).
func Half(h uint16) float32 {
	sign, rest := uint32(h>>15)<<31, uint32(h&0x7fff)<<13 // the fraction in float32's place
	if h&0x7c00 == 0x7c00 {
		return math.Float32frombits(sign | 0x7f800000 | rest) // an infinity or a NaN
	}
	// The exponents' biases are 15 and 127; the product also gives numbers below the smallest normal one
	// their place.
	magnitude := math.Float32frombits(rest) * 0x1p112
	return math.Float32frombits(sign | math.Float32bits(magnitude))
}

// ToHalf returns the float16 nearest to v, of two equally near ones the even one.
func ToHalf(v float64) uint16 {
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

// BFloat16 is the value of a bfloat16: the upper half of a float32.
func BFloat16(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// E5M2 is the value of a float8 with 5 bits of exponent and 2 of fraction: the upper half of a float16.
func E5M2(b uint8) float32 { return Half(uint16(b) << 8) }

// E4M3 is the value of a float8 with 4 bits of exponent, bias 7, and 3 of fraction. It has no infinity, and
// one NaN of each sign.
func E4M3(b uint8) float32 {
	sign, rest := uint32(b>>7)<<31, uint32(b&0x7f)<<20
	if b&0x7f == 0x7f {
		return math.Float32frombits(sign | 0x7fc00000)
	}
	magnitude := math.Float32frombits(rest) * 0x1p120
	return math.Float32frombits(sign | math.Float32bits(magnitude))
}
