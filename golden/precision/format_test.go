package precision

import (
	"math"
	"testing"

	"sdref/internal/random"
)

// sample is a float64 drawn over all exponents that float32 has, and some beyond.
func sample(s random.Stream, i uint64) float64 {
	return math.Ldexp(s.Unit(2*i), s.Intn(2*i+1, 300)-155)
}

func TestFloat32IsGoFloat32(t *testing.T) {
	s := random.New(1)
	for i := range uint64(100000) {
		if v := sample(s, i); Single.Round(v) != float64(float32(v)) {
			t.Fatalf("%x rounds to %x, want %x", v, Single.Round(v), float32(v))
		}
	}
}

// TestHalfExhaustively walks through all numbers of the format: each is kept, and a point between two
// neighbours goes to the nearer one, halfway to the one with the even significand.
func TestHalfExhaustively(t *testing.T) {
	value := func(bits int) float64 { // IEEE 754 binary16
		exponent, fraction := bits>>10, float64(bits&1023)
		if exponent == 0 {
			return math.Ldexp(fraction, -24)
		}
		return math.Ldexp(1024+fraction, exponent-25)
	}
	for bits := range 31 << 10 {
		low, high := value(bits), value(bits+1)
		even := low
		if bits&1 == 1 {
			even = high
		}
		if bits+1 == 31<<10 { // beyond the largest, which is odd
			even = math.Inf(1)
			high = even
		}
		middle := (low + value(bits+1)) / 2
		for _, c := range []struct{ v, want float64 }{{low, low}, {middle, even},
			{math.Nextafter(middle, 0), low}, {math.Nextafter(middle, 1e9), high}} {
			if got := Half.Round(c.v); got != c.want {
				t.Fatalf("%x rounds to %x, want %x", c.v, got, c.want)
			}
			if got := Half.Round(-c.v); got != -c.want {
				t.Fatalf("%x rounds to %x, want %x", -c.v, got, -c.want)
			}
		}
	}
}

// TestShortFormats compares with the usual trick on the bits of a float32: add half a step, less one if even,
// and cut.
func TestShortFormats(t *testing.T) {
	s := random.New(2)
	for _, f := range []Format{TensorFloat, BFloat} {
		drop := 24 - f.Bits
		for i := range uint64(100000) {
			v := float32(sample(s, i))
			bits := math.Float32bits(v)
			bits += 1<<(drop-1) - 1 + bits>>drop&1
			want := float64(math.Float32frombits(bits >> drop << drop))
			if got := f.Round(float64(v)); got != want {
				t.Fatalf("%v: %x rounds to %x, want %x", f, v, got, want)
			}
		}
	}
}

func TestSpecialValues(t *testing.T) {
	for _, f := range []Format{Single, TensorFloat, BFloat, Half} {
		for _, v := range []float64{0, math.Copysign(0, -1), math.Inf(1), math.Inf(-1)} {
			if got := f.Round(v); math.Float64bits(got) != math.Float64bits(v) {
				t.Errorf("%v: %g becomes %g", f, v, got)
			}
		}
		if got := f.Round(math.NaN()); !math.IsNaN(got) {
			t.Errorf("%v: NaN becomes %g", f, got)
		}
	}
}

func TestTruncateStepHolds(t *testing.T) {
	for _, f := range []Format{Single, TensorFloat, BFloat, Half} {
		for _, v := range []float64{1, -1, 1.5, 100} {
			above := v + math.Copysign(f.Step(v), v)
			if inside := v + (above-v)*0.75; f.Truncate(inside) != v || f.Round(inside) != above ||
				f.Holds([]float64{v, inside}) || !f.Holds([]float64{v, above, math.NaN()}) {
				t.Errorf("%v: around %v", f, v)
			}
		}
		if f.Unit() != f.Step(1)/2 || f.Step(0) != f.Step(math.Ldexp(1, f.Least)) {
			t.Errorf("%v: unit %v, steps %v and %v", f, f.Unit(), f.Step(1), f.Step(0))
		}
	}
}
