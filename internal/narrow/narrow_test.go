package narrow

import (
	"math"
	"testing"
)

// definition is the value of a number by its parts: a sign, an exponent of that many bits, a fraction.
func definition(bits, width, exponentBits int) float64 {
	fractionBits := width - 1 - exponentBits
	bias := 1<<(exponentBits-1) - 1
	exponent, fraction := bits>>fractionBits&(1<<exponentBits-1), float64(bits&(1<<fractionBits-1))/float64(int(1)<<fractionBits)
	v := math.Ldexp(1+fraction, exponent-bias)
	if exponent == 0 {
		v = math.Ldexp(fraction, 1-bias)
	}
	if bits>>(width-1) == 1 {
		return -v
	}
	return v
}

// Each number of 16 and of 8 bits against its definition; the largest exponent is for infinities and NaN, but
// for E4M3, which has one NaN.
func TestDefinitions(t *testing.T) {
	for _, c := range []struct {
		name            string
		width, exponent int
		value           func(int) float32
	}{
		{"float16", 16, 5, func(b int) float32 { return Half(uint16(b)) }}, {"bfloat16", 16, 8, func(b int) float32 { return BFloat16(uint16(b)) }},
		{"E5M2", 8, 5, func(b int) float32 { return E5M2(uint8(b)) }}, {"E4M3", 8, 4, func(b int) float32 { return E4M3(uint8(b)) }},
	} {
		fraction := c.width - 1 - c.exponent
		for b := range 1 << c.width {
			got, want := float64(c.value(b)), definition(b, c.width, c.exponent)
			switch top := b>>fraction&(1<<c.exponent-1) == 1<<c.exponent-1; {
			case c.name == "E4M3":
				if b&0x7f == 0x7f {
					want = math.NaN()
				}
			case top && b&(1<<fraction-1) == 0:
				want = math.Copysign(math.Inf(1), want)
			case top:
				want = math.NaN()
			}
			if got != want && !(got != got && want != want) || got == got && math.Signbit(got) != math.Signbit(want) {
				t.Fatalf("%s %#x is %v, want %v", c.name, b, got, want)
			}
		}
	}
}

func TestToHalf(t *testing.T) {
	for bits := range 1 << 16 {
		v := float64(Half(uint16(bits)))
		if back := ToHalf(v); back != uint16(bits) && v == v {
			t.Fatalf("%#x is %v is %#x", bits, v, back)
		}
	}
	for v, want := range map[float64]uint16{
		1 + 0x1p-11: 0x3c00, 1 + 0x3p-11: 0x3c02, 1 + 0x1.01p-11: 0x3c01, 65519: 0x7bff, 65520: 0x7c00, -1e300: 0xfc00,
		0x1p-25: 0, 0x1.1p-25: 1, 0x1p-14 - 0x1p-26: 0x400, 2 - 0x1p-20: 0x4000,
	} {
		if got := ToHalf(v); got != want {
			t.Errorf("%v rounds to %#x, want %#x", v, got, want)
		}
	}
	if ToHalf(math.NaN()) != 0x7e00 {
		t.Error("NaN")
	}
}
