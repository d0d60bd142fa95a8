package autodiff

import (
	"math"
	"testing"

	"sdref/tensor"
)

// However large a channel's mean is beside its spread, y and dx in float32 are as exact as float32 input and output allow: they are those
// of float64 for the same float32 x, to a few rounding errors, on every row. A mean that is rounded before it is subtracted would be
// off by half a spacing of float32 at 1e4, 5e-4, and y by 5e-2 where the spread is 0.01.
func TestBatchNormLargeMean(t *testing.T) {
	for _, c := range []struct{ mean, spread float64 }{{0, 1}, {1e4, 1}, {1e4, 0.01}, {-3e3, 0.1}, {1e6, 1}} {
		g := NewGraph()
		x := g.Input("x", 4, 3, 9, 11)
		p := Norm{g.Input("gamma", 3), g.Input("beta", 3), g.Input("mean", 3), g.Input("variance", 3), BatchNormEpsilon, BatchNormMomentum}
		y, _, _ := BatchNorm("bn", x, p, true)
		dx := Backward(y, g.Input("dy", y.Shape...), x)[0]
		in := drawn[float64](g, 1)
		for i, v := range in[x].Data {
			in[x].Data[i] = float64(float32(c.mean + c.spread*v))
		}
		single := values[float32]{}
		for n, v := range in {
			single[n] = tensor.Convert[float32](v)
		}
		want := evaluate(in, y, dx)
		everywhere(t, func(where string) {
			for k, got := range evaluate(single, y, dx) {
				largest := 0.0
				for _, v := range want[k].Data {
					largest = max(largest, math.Abs(v))
				}
				for i, v := range got.Data {
					if e := math.Abs(float64(v) - want[k].Data[i]); !(e <= 4*0x1p-24*largest) {
						t.Fatalf("mean %g, spread %g, %s: %s of element %d is %v, want %v", c.mean, c.spread, where, []string{"y", "dx"}[k], i, v, want[k].Data[i])
					}
				}
			}
		})
	}
}
