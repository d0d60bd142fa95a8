package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSoftFMA compares with math.FMA: all triples of special values, random bits, and sums that cancel or lie next to the middle
// between two float64s, where an algorithm that rounds twice goes wrong.
func TestSoftFMA(t *testing.T) {
	check := func(a, b, c float64) {
		t.Helper()
		got, want := softFMA(a, b, c), math.FMA(a, b, c)
		if math.Float64bits(got) != math.Float64bits(want) && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Fatalf("softFMA(%x, %x, %x) = %x, want %x", a, b, c, got, want)
		}
	}
	var values []float64
	for _, v := range []float64{0, 1, 1 + 0x1p-52, 2 - 0x1p-52, 3, 1 + 0x1p-26, 1 + 0x1p-27, 0x1p-1074, 0x1p-1022, 0x1p-480, 0x1p-481, 0x1p479, 0x1p480, 0x1p-530,
		0x1p1023, math.MaxFloat64, math.Inf(1), math.NaN()} {
		values = append(values, v, math.Copysign(v, -1))
	}
	for _, a := range values {
		for _, b := range values {
			for _, c := range values {
				check(a, b, c)
			}
		}
	}
	r := rand.New(rand.NewPCG(21, 22))
	near := func(exponent int) float64 { // a random mantissa, mostly sparse
		mantissa := r.Uint64() & (1<<52 - 1)
		if r.IntN(2) == 0 {
			mantissa &^= 1<<r.IntN(53) - 1
		}
		v := math.Ldexp(1+float64(mantissa)/(1<<52), exponent)
		return math.Copysign(v, float64(r.IntN(2))-0.5)
	}
	twice, rounds := 0, 1_000_000
	if testing.Short() {
		rounds /= 10
	}
	for range rounds {
		check(math.Float64frombits(r.Uint64()), math.Float64frombits(r.Uint64()), math.Float64frombits(r.Uint64()))
		e := r.IntN(900) - 450
		check(near(e), near(r.IntN(900)-450), near(r.IntN(900)-450))
		a, b := near(0), near(r.IntN(3))
		c := near(r.IntN(120) - 110)
		if float64(a*b)+c != math.FMA(a, b, c) {
			twice++
		}
		check(a, b, c)
		check(a, b, -float64(a*b))                              // the product's own rounding error
		check(a, b, math.Nextafter(-float64(a*b), 0))           // and one unit more
		check(1+math.Ldexp(1, -r.IntN(54)), 1+0x1p-52, near(0)) // halves of a unit
	}
	if twice < rounds/1000 {
		t.Errorf("only %d of the sums go wrong when they are rounded twice", twice)
	}
}
