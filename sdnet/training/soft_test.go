package training

import (
	"math"
	"testing"

	"sdref/internal/random"
	"sdref/tensor"
)

// A draw from Beta(a, a) has mean 1/2 and variance 1/(4 (2a + 1)), for small a, where most draws are near 0 or 1, and large ones.
func TestBeta(t *testing.T) {
	const n = 20_000
	for _, a := range []float64{0.01, 0.2, 1, 2, maxMixup} {
		sum, squares := 0.0, 0.0
		for i := range uint64(n) {
			v := beta(random.New(1).Sub("beta", i), a)
			if !(v >= 0 && v <= 1) {
				t.Fatalf("alpha %g: %v", a, v)
			}
			sum, squares = sum+v, squares+(v-0.5)*(v-0.5)
		}
		want := 1 / (4 * (2*a + 1))
		if d := sum/n - 0.5; math.Abs(d) > 4*math.Sqrt(want/n) {
			t.Errorf("alpha %g: mean off by %g", a, d)
		}
		if got := squares / n; math.Abs(got-want) > 0.05*want {
			t.Errorf("alpha %g: variance %g, want %g", a, got, want)
		}
	}
}

// Smoothing and mixup change a step's targets as their formulas say, are reproduced by the seed, also over a resumed run, and are off
// where they are 0.
func TestSoften(t *testing.T) {
	c := short()
	c.Smoothing = 0.1
	r := start[float64](t, c, drawn())
	step(t, r)
	for i := range 4 {
		sum, high := 0.0, 0
		for _, q := range r.Trainer.Shares.Row(i).Data {
			sum += q
			switch {
			case math.Abs(q-0.91) < 1e-15:
				high++
			case math.Abs(q-0.01) > 1e-15:
				t.Errorf("share %v", q)
			}
		}
		if math.Abs(sum-1) > 1e-14 || high != 1 {
			t.Errorf("image %d: shares %v", i, r.Trainer.Shares.Row(i).Data)
		}
	}
	c.Mixup = 0.3
	whole := start[float32](t, c, drawn())
	for !whole.Done() {
		step(t, whole)
	}
	again := start[float32](t, c, drawn())
	step(t, again)
	resumed, err := Resume[float32](saved(t, again), drawn().Dataset())
	if err != nil {
		t.Fatal(err)
	}
	for !resumed.Done() {
		step(t, resumed)
	}
	sameRun(t, "resumed", resumed, whole)
	if c.Smoothing, c.Mixup = 0, 0; true {
		plain := start[float32](t, c, drawn())
		if step(t, plain); plain.Trainer.Shares != nil {
			t.Error("shares without either setting")
		}
	}
}

// The images of a batch are mixed by the share of their labels.
func TestMix(t *testing.T) {
	c := short()
	r := start[float64](t, c, drawn())
	r.images = tensor.From([]float64{1, 2, 3, 4, 5, 6}, 3, 1, 1, 2)
	r.mix(0.75, []int{2, 1, 0})
	for i, want := range []float64{2, 3, 3, 4, 4, 5} {
		if r.images.Data[i] != want {
			t.Errorf("element %d is %v, want %v", i, r.images.Data[i], want)
		}
	}
}
