package training

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/tensor"
)

// With Muon the filters of all layers but the stem's have norm sqrt(M) after a short step, however high the others' rate is; the stem and
// the other parameters move as without it.
func TestMuonIsForFiltersBehindTheStem(t *testing.T) {
	after := func(muon, rate float64) []sdnet.Named[float64] {
		c := short()
		c.Network, c.Fast, c.Muon, c.Rate = "sdnet_air_narrow", FastAir().Fast, muon, rate
		c.Lookahead = 0
		r := start[float64](t, c, drawn())
		step(t, r)
		return r.Net().Parameters()
	}
	plain, low, high, long := after(0, 0.1), after(1e-6, 0.1), after(1e-6, 0.2), after(0.1, 0.1)
	filters := 0
	for i, p := range plain {
		size := math.Sqrt(tensor.SumSquares(low[i].Tensor))
		switch {
		case len(p.Shape) != 4 || strings.HasPrefix(p.Name, "layer0.0."):
			if !slices.Equal(low[i].Data, p.Data) {
				t.Errorf("%s moves otherwise than without Muon", p.Name)
			}
		case !(math.Abs(size-math.Sqrt(float64(p.Shape[0]))) < 1e-5*size) || slices.Equal(low[i].Data, long[i].Data):
			t.Errorf("%s: %d filters have norm %g", p.Name, p.Shape[0], size)
		default:
			filters++
			for k, v := range low[i].Data {
				if !(math.Abs(v-high[i].Data[k]) < 1e-12) {
					t.Fatalf("%s: Muon's step depends on the others' rate", p.Name)
				}
			}
		}
	}
	if filters != 6 {
		t.Errorf("%d layers took Muon's steps", filters)
	}
}
