package optim_test

import (
	"math"
	"testing"

	"sdref/sdnet/optim"
	"sdref/tensor"
)

// Slow weights against the formula, on weights that somebody else moves, for totals that Every divides and does not.
func TestLookahead(t *testing.T) {
	for _, total := range []int{15, 17} {
		fast := []*tensor.Tensor[float64]{noise[float64](1, 3, 4), noise[float64](2, 7)}
		l := optim.NewLookahead(5, fast)
		slow := []*tensor.Tensor[float64]{fast[0].Clone(), fast[1].Clone()}
		for step := 1; step <= total; step++ {
			for i, w := range fast {
				tensor.AddScaled(w, w, noise[float64](uint64(10*step+i), w.Shape...), 0.1)
			}
			moved := []*tensor.Tensor[float64]{fast[0].Clone(), fast[1].Clone()}
			l.Step(step, total, fast)
			d, due := math.Pow(0.95, 5)*math.Pow(float64(step)/float64(total), 3), step%5 == 0
			for i, w := range fast {
				want := moved[i]
				if due {
					for k := range slow[i].Data {
						slow[i].Data[k] += (1 - d) * (moved[i].Data[k] - slow[i].Data[k])
					}
				}
				if due || step == total {
					want = slow[i]
				}
				compare(t, "fast", w.Data, want.Data, 1e-14)
				compare(t, "slow", l.Slow[i].Data, slow[i].Data, 1e-14)
			}
		}
	}
}
