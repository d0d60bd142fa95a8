package optim_test

import (
	"math"
	"testing"

	"sdref/sdnet/optim"
)

func TestCosine(t *testing.T) {
	plain := optim.Cosine{Base: 0.1}
	for i, want := range map[int]float64{
		0: 0.1, 200: 0.05, 400: 0,
		100: 0.1 * (1 + math.Sqrt2/2) / 2, 300: 0.1 * (1 - math.Sqrt2/2) / 2, // a quarter, three quarters
		133: 0.1 * (1 + math.Cos(math.Pi*133/400)) / 2,
	} {
		if got := plain.Rate(i, 10, 400); math.Abs(got-want) > 1e-16 {
			t.Errorf("step %d of 400: %g, want %g", i, got, want)
		}
	}
	for i := range 400 {
		if a, b := plain.Rate(i, 10, 400), plain.Rate(i+1, 10, 400); !(b < a) || b < 0 {
			t.Errorf("step %d: %g, then %g", i, a, b)
		}
	}
	// Two epochs of five steps: the rate rises by a tenth of Base a step, and the cosine goes on as if there
	// had been no warm-up.
	warm := optim.Cosine{Base: 1, Warmup: 2}
	for i := range 100 {
		want := plain.Rate(i, 5, 100) * 10
		if i < 10 {
			want = float64(i+1) / 10
		}
		if got := warm.Rate(i, 5, 100); math.Abs(got-want) > 1e-15 {
			t.Errorf("with warm-up, step %d: %g, want %g", i, got, want)
		}
	}
	// Half an epoch of five steps ends with the third.
	half := optim.Cosine{Base: 1, Warmup: 0.5}
	for i, want := range []float64{1.0 / 3, 2.0 / 3, 1} {
		if got := half.Rate(i, 5, 1000); math.Abs(got-want) > 1e-15 {
			t.Errorf("half an epoch of warm-up, step %d: %g, want %g", i, got, want)
		}
	}
}

func TestSteps(t *testing.T) {
	s := optim.Steps{Base: 0.1, Factor: 0.1, Epochs: []int{30, 60, 90}}
	const perEpoch = 7
	for _, c := range []struct {
		step int
		want float64
	}{
		{0, 0.1}, {30*perEpoch - 1, 0.1}, {30 * perEpoch, 0.01}, {60*perEpoch - 1, 0.01},
		{60 * perEpoch, 0.001}, {90 * perEpoch, 1e-4}, {100 * perEpoch, 1e-4},
	} {
		if got := s.Rate(c.step, perEpoch, 100*perEpoch); math.Abs(got/c.want-1) > 1e-15 {
			t.Errorf("step %d: %g, want %g", c.step, got, c.want)
		}
	}
}

// The corners of the triangle, and the middles of its sides, by hand.
func TestTriangle(t *testing.T) {
	s := optim.Triangle{Base: 2, From: 0.2, To: 0.07, Warmup: 2.5}
	for step, want := range map[int]float64{0: 0.4, 10: 1.2, 20: 2, 50: 2 * (1 + 0.07) / 2, 80: 0.14, 35: 2*0.75 + 0.14*0.25} {
		if got := s.Rate(step, 8, 80); math.Abs(got-want) > 1e-15 {
			t.Errorf("step %d: %g, want %g", step, got, want)
		}
	}
	if got := (optim.Triangle{Base: 2, To: 0.5}).Rate(0, 8, 80); got != 2 {
		t.Errorf("without a rise it begins with %g", got)
	}
}
