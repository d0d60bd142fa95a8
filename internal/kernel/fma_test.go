package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// corner returns the float64 that Go has no literal for.
func corner(name string) float64 {
	return map[string]float64{"nan": math.NaN(), "inf": math.Inf(1), "-0": math.Copysign(0, -1)}[name]
}

// exactFMA is a*b + c by exact arithmetic, for finite arguments; a zero result gets the sign that IEEE 754
// gives it.
func exactFMA(a, b, c float32) float32 {
	product := new(big.Float).SetPrec(48).Mul(big.NewFloat(float64(a)), big.NewFloat(float64(b)))
	sum := new(big.Float).SetPrec(1000).Add(product, big.NewFloat(float64(c)))
	if sum.Sign() == 0 {
		return float32(float64(a)*float64(b) + float64(c)) // exact, and so the sign of zero is right
	}
	result, _ := sum.Float32()
	return result
}

func checkFMA32(t *testing.T, a, b, c float32) {
	t.Helper()
	var want float32
	if exact := float64(a) + float64(b) + float64(c); math.IsInf(exact, 0) || math.IsNaN(exact) {
		// only infinities and NaN: rounding does not come in
		want = float32(float64(a)*float64(b) + float64(c))
	} else {
		want = exactFMA(a, b, c)
	}
	if got := FMA(a, b, c); bitsOf(got) != bitsOf(want) {
		t.Fatalf("FMA(%x, %x, %x) = %x, want %x", a, b, c, got, want)
	}
}

// TestFMA32 compares with exact arithmetic.
func TestFMA32(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	any32 := func() float32 { return math.Float32frombits(r.Uint32()) }
	near := func(exponent int) float32 { // a random mantissa, mostly sparse, near a given exponent
		mantissa := r.Uint32() & (1<<23 - 1)
		if r.IntN(2) == 0 {
			mantissa &^= 1<<r.IntN(24) - 1
		}
		v := math.Ldexp(1+float64(mantissa)/(1<<23), exponent+r.IntN(5)-2)
		return float32(math.Copysign(v, float64(r.IntN(2))-0.5))
	}
	rounds := 100_000
	if testing.Short() {
		rounds /= 5
	}
	for range rounds {
		checkFMA32(t, any32(), any32(), any32())
		checkFMA32(t, near(0), near(0), near(0))
		e := r.IntN(100) - 50
		checkFMA32(t, near(e), near(-e), near(r.IntN(60)-30))
		checkFMA32(t, near(-60), near(-66-r.IntN(30)), near(-140+r.IntN(20))) // subnormal results
		checkFMA32(t, near(64), near(63), near(126-r.IntN(30)))               // about to overflow
	}
}

// TestFMA32Halfway builds sums next to the middle between two float32s, normal and subnormal, mostly nearer
// than a float64 can tell, where rounding twice goes wrong; and it makes sure that it has found such sums.
func TestFMA32Halfway(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	signed := func(v float64) float32 { return float32(math.Copysign(v, float64(r.IntN(2))-0.5)) }
	for _, subnormal := range []bool{false, true} {
		wrong := 0
		for range 100_000 {
			// In units of c's last place c is an integer, and a*b is (1+e)(1-e)/2 = 1/2 - e*e/2; e = 0 gives
			// the middle itself.
			c, unit := 1<<23+r.IntN(1<<23), r.IntN(80)-40
			if subnormal {
				c, unit = r.IntN(1<<23), -149
			}
			e := math.Ldexp(float64(r.IntN(2)), -12-r.IntN(12))
			x, y, z := signed(math.Ldexp(1+e, unit/2)), signed(math.Ldexp(1-e, unit-unit/2-1)),
				signed(math.Ldexp(float64(c), unit))
			checkFMA32(t, x, y, z)
			if twice := float32(float64(x)*float64(y) + float64(z)); twice != FMA(x, y, z) {
				wrong++
			}
		}
		if wrong < 1000 {
			t.Errorf("subnormal %v: only %d of these sums go wrong when rounded twice", subnormal, wrong)
		}
	}
}

// TestFMA32Corners: all triples of special values.
func TestFMA32Corners(t *testing.T) {
	var values []float32
	for _, v := range []float32{0, 1, 1 + 0x1p-23, 3, 0x1p-149, 0x1p-148, 3 * 0x1p-149, 0x1p-126,
		0x1p-126 - 0x1p-149, 0x1p-127,
		0x1p-75, 0x1p-74, 0x1p64, 0x1p127, math.MaxFloat32, float32(math.Inf(1)), float32(math.NaN())} {
		values = append(values, v, float32(math.Copysign(float64(v), -1)))
	}
	for _, a := range values {
		for _, b := range values {
			for _, c := range values {
				checkFMA32(t, a, b, c)
			}
		}
	}
}

func TestFMA64(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 20))
	for range 10_000 {
		x := make([]float64, 3)
		fill(r, x, false)
		sameBits(t, "FMA", []float64{FMA(x[0], x[1], x[2])}, []float64{math.FMA(x[0], x[1], x[2])})
	}
}
