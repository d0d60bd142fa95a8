// Package precision names the arithmetics a backend may declare, what they round to, and how far each may lie
// from the truth:
//
//	|computed - exact| <= Limit(terms, contraction) * sum |a||b|
//
// It is for whoever simulates a backend or judges one. It does not know what is computed.
package precision

import "math"

// Format is a binary floating-point format with gradual underflow.
type Format struct {
	Bits        int // of the significand, the implied one included
	Least, Most int // exponents of the smallest and of the largest normal number
}

// The formats that backends multiply and store in. TensorFloat, which NVIDIA calls TF32, has the range of
// Single and the significand of Half.
var (
	Double      = Format{53, -1022, 1023}
	Single      = Format{24, -126, 127}
	TensorFloat = Format{11, -126, 127}
	BFloat      = Format{8, -126, 127}
	Half        = Format{11, -14, 15}
)

// Unit is the largest relative error of rounding a normal number to nearest: 2^-Bits.
func (f Format) Unit() float64 { return math.Ldexp(1, -f.Bits) }

// Round returns the value of the format nearest to v, of two equally near ones the even one. Values beyond
// the largest by half a step or more become infinite.
func (f Format) Round(v float64) float64 {
	up, down := f.scales(v)
	return f.bounded(v, float64(math.RoundToEven(v*up)*down))
}

// Truncate returns the value of the format nearest to v toward zero.
func (f Format) Truncate(v float64) float64 {
	up, down := f.scales(v)
	return f.bounded(v, float64(math.Trunc(v*up)*down))
}

// scales returns the powers of two that make a whole number of v's last place, and undo that.
func (f Format) scales(v float64) (up, down float64) {
	step := f.exponent(v)
	return power(-step), power(step)
}

// bounded is r, to which v was rounded, or infinity beyond the largest number. NaN, infinities and zeros pass.
func (f Format) bounded(v, r float64) float64 {
	switch {
	case f == Double:
		return v
	case math.Abs(r) > power(f.Most+1)-power(f.Most-f.Bits+1):
		return math.Copysign(math.Inf(1), v)
	}
	return r
}

// power is 2^n, for n from -1022 to 1023: several times as fast as math.Ldexp, which rounding called for most of a judge's time.
func power(n int) float64 { return math.Float64frombits(uint64(1023+n) << 52) }

// Step is the distance between the numbers of the format around v.
func (f Format) Step(v float64) float64 { return math.Ldexp(1, f.exponent(v)) }

// exponent is that of the last place of v. Numbers below the smallest normal one, 0 included, share its last place.
func (f Format) exponent(v float64) int {
	first := int(math.Float64bits(v)>>52&0x7ff) - 1023 // |v| lies in [2^first, 2^(first+1)) if float64 has it as a normal number
	return max(first, f.Least) - (f.Bits - 1)
}

// Holds tells whether every value is one of the format, NaN and infinities included.
func (f Format) Holds(values []float64) bool {
	for _, v := range values {
		if v == v && f.Round(v) != v {
			return false
		}
	}
	return true
}
