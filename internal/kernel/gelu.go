package kernel

import (
	"math"
	"unsafe"
)

// GELU in its tanh form (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016) and its derivative, with
// u = sqrt(2/pi) (x + 0.044715 x^3) and e = exp(-2u), are
//
//	y  = x/2 (1 + tanh u) = x/(1 + e)
//	y' = s (1 + x (1-s) (2u)'),  s = 1/(1 + e),  1-s = e s,  (2u)' = slope + bend x^2
//
// and none of these forms cancels where x < 0, as 1 + tanh u does. e is computed as 2^t, t = x (linear +
// cubic x^2): with k the integer nearest to t, 2^(t-k) is a polynomial, and 2^k is k added to an exponent.
//
// The polynomial is 1 + f (powers[0] + f (powers[1] + ...)), the interpolation of (2^f - 1)/f at the zeros of
// the Chebyshev polynomial of that degree on [-1/2, 1/2], computed with 300 bits and rounded: its relative
// error is below 2^-26.7 in float32 and 2^-55.4 in float64. What remains is the rounding of t, which grows
// with it. The tests measure the errors against float64, or 200 bits, in units of 2^-24 (2^-53): that of y is
// below 2 |x|, and below 2.2 |y| where x > 0 and 30 |y| where x > -5, that of y' below 4; in the row unfused 36 and
// 4.5 stand for 30 and 4.
//
// NaN stays NaN, +Inf and large x stay what they are, +0 and -0 too, and y is -0 from x = -10.05 (-21.16 in
// float64) down, -Inf included, where the true value is above -4.3e-38 (-1.7e-307). y' is exactly 1 and +0 at
// these ends.
type geluNumbers[T Float] struct {
	low, high     T // where e becomes +Inf and 0: t rounds to the largest exponent plus 1, and to the least minus 1
	linear, cubic T // -2 sqrt(2/pi) log2 e, and that times 0.044715
	slope, bend   T // 2 sqrt(2/pi), and that times 3*0.044715
	shift         T // 1.5 * 2^m with m bits behind the point: adding it rounds to integers, and leaves them in the last bits
	largest       T // the largest finite number
	powers        []T
}

// The same numbers stand in _asm/gelu.go.
var (
	geluF32 = geluNumbers[float32]{
		low: -0x1.42p+3, high: 0x1.41p+3,
		linear: -0x1.26aec2p+1, cubic: -0x1.a5a7dp-4,
		slope: 0x1.988454p+0, bend: 0x1.b6676cp-3,
		shift: 0x1.8p23, largest: math.MaxFloat32,
		powers: []float32{0x1.62e43p-1, 0x1.ebfbep-3, 0x1.c6af6cp-5, 0x1.3b2a54p-7, 0x1.5f089p-10, 0x1.44138ap-13},
	}
	geluF64 = geluNumbers[float64]{
		low: -0x1.529p+4, high: 0x1.527p+4,
		linear: -0x1.26aec21bce759p+1, cubic: -0x1.a5a7cf7572a98p-4,
		slope: 0x1.9884533d43651p+0, bend: 0x1.b6676bf7450fp-3,
		shift: 0x1.8p52, largest: math.MaxFloat64,
		powers: []float64{
			0x1.62e42fefa39efp-1, 0x1.ebfbdff82c58fp-3, 0x1.c6b08d704a0c6p-5, 0x1.3b2ab6fba4e79p-7,
			0x1.5d87fe78a3f9cp-10, 0x1.430912f86b7dbp-13, 0x1.ffcbfc6da6ed1p-17, 0x1.62c02242b879cp-20,
			0x1.b524ebd13a55fp-24, 0x1.e4cf10dec0f59p-28, 0x1.e9ec1fcb69a7fp-32, 0x1.c4a29324a1038p-36,
		},
	}
)

func geluOf[T Float]() *geluNumbers[T] {
	if g, ok := any(&geluF32).(*geluNumbers[T]); ok {
		return g
	}
	return any(&geluF64).(*geluNumbers[T])
}

// exp returns x between low and high, its square, and e = p*scale; scale is 2^k, +Inf or 0. fma is FMA, or what
// stands for it in a row without.
func (g *geluNumbers[T]) exp(x T, fma func(a, b, c T) T) (z, square, p, scale T) {
	z = x
	if z < g.low {
		z = g.low
	}
	if z > g.high {
		z = g.high
	}
	square = T(z * z)
	t := T(z * fma(g.cubic, square, g.linear))
	shifted := t + g.shift
	f := t - (shifted - g.shift)
	last := len(g.powers) - 1
	p = g.powers[last]
	for i := last - 1; i >= 0; i-- {
		p = fma(p, f, g.powers[i])
	}
	return z, square, fma(p, f, 1), lastBitsPower(shifted)
}

// lastBitsPower returns 2^k, of which k is what shift has left in the last bits.
func lastBitsPower[T Float](shifted T) T {
	if unsafe.Sizeof(shifted) == 8 {
		return T(math.Float64frombits(math.Float64bits(float64(shifted))<<52 + 1023<<52))
	}
	return T(math.Float32frombits(math.Float32bits(float32(shifted))<<23 + 127<<23))
}

func genericGELU[T Float](dst, x []T)         { gelu(dst, x, FMA[T]) }
func genericGELUGrad[T Float](dst, x, dy []T) { geluGrad(dst, x, dy, FMA[T]) }

func gelu[T Float](dst, x []T, fma func(a, b, c T) T) {
	checkLengths("GELU", len(dst), len(x))
	g := geluOf[T]()
	x = x[:len(dst)]
	for i, v := range x {
		_, _, p, scale := g.exp(v, fma)
		if v < g.low {
			v = g.low
		}
		dst[i] = v / fma(p, scale, 1)
	}
}

func geluGrad[T Float](dst, x, dy []T, fma func(a, b, c T) T) {
	checkLengths("GELUGrad", len(dst), len(x), len(dy))
	g := geluOf[T]()
	x, dy = x[:len(dst)], dy[:len(dst)]
	for i, v := range x {
		z, square, p, scale := g.exp(v, fma)
		s := 1 / fma(p, scale, 1)
		e := T(p * scale)
		if e > g.largest {
			e = g.largest // +Inf times s, which is 0 there, would be NaN
		}
		rest := T(e * s)
		along := T(z * fma(g.bend, square, g.slope))
		dst[i] = dy[i] * T(fma(along, rest, 1)*s)
	}
}
