package graph

import (
	"math"
	"testing"

	"sdref/internal/random"
	"sdref/tensor"
)

// A backend that subtracts the mean before it rounds it answers a mean that is not the one it subtracted. Where the spread is as small as
// the mean's last digit, as in the drawn training step in which this program failed its own judge, the variance shows it, and is within the bound.
func TestVarianceAboutAnotherMean(t *testing.T) {
	// The provable bound of a sum of so few terms, in units of 2^-24 times the magnitude.
	const n, units = 8, 10
	draws := random.New(1)
	x := tensor.New[float64](n, 1, 1, 1)
	for i := range x.Data {
		x.Data[i] = float64(float32(1.3 + 7e-5*draws.Unit(uint64(i))))
	}
	beyond := 0
	for try := range 50 {
		mean := 0.0
		for i := range x.Data {
			x.Data[i] += float64(float32(0x1p-22 * draws.Sub("try", uint64(try)).Unit(uint64(i))))
			mean += x.Data[i] / n
		}
		answered := tensor.From([]float64{float64(float32(mean))}, 1)
		in := []*Tensor{x, answered}
		want := channelVariance(nil, in)
		exact := channelVariance(nil, []*Tensor{x, tensor.From([]float64{mean}, 1)}).Data[0]
		unit := 0x1p-24 * channelVarianceMagnitude(nil, in, want).Data[0]
		difference := math.Abs(exact - want.Data[0])
		if difference > units*unit {
			t.Errorf("try %d: %g, which is %.3g units", try, difference, difference/unit)
		}
		if difference > units*0x1p-24*want.Data[0] { // the bound without the second term
			beyond++
		}
	}
	if beyond == 0 {
		t.Error("no difference worth a bound: the test shows nothing")
	}
}
