package autodiff

import (
	"math"
	"testing"

	"sdref/internal/kernel"
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

// TestBatchNormSums: each of a channel's four sums is over its planes in the order of images, whatever groups its channels are in, as single
// operators and as pairs, which go through planes together. 33 channels are groups of 16, 8 or 2, with a smaller one at the end.
func TestBatchNormSums(t *testing.T) {
	for _, shape := range [][]int{{3, 1, 4, 4}, {3, 5, 4, 4}, {3, 16, 4, 4}, {3, 33, 4, 4}, {2, 33, 3, 5}, {2, 9, 40, 40}} {
		channels, plane := shape[1], shape[2]*shape[3]
		g := NewGraph()
		x, dy := g.Input("x", shape...), g.Input("dy", shape...)
		variance := g.Input("ones", channels)
		mean := Apply(channelMeanOp, nil, x)
		sums := []*Node{mean, Apply(channelVarianceOp, nil, x, mean), Apply(batchNormDGammaOp, nil, x, dy, mean, variance), Apply(batchNormDBetaOp, nil, dy)}
		in := drawn[float64](g, 5)
		in[variance].Fill(1)
		everywhere(t, func(where string) {
			set := kernel.Active[float64]()
			want := make([][]float64, len(sums))
			for ch := range channels {
				var mean, squares, dot, sum float64
				eachPlane := func(add func(x, dy []float64)) {
					for n := range shape[0] {
						at := (n*channels + ch) * plane
						add(in[x].Data[at:at+plane], in[dy].Data[at:at+plane])
					}
				}
				eachPlane(func(x, _ []float64) { mean += set.Sum(x) })
				mean /= float64(shape[0] * plane)
				eachPlane(func(x, dy []float64) {
					squares += set.SumSquares(x, mean)
					dot += set.Dot(x, dy, mean)
					sum += set.Sum(dy)
				})
				for i, v := range []float64{mean, squares / float64(shape[0]*plane), dot, sum} {
					want[i] = append(want[i], v)
				}
			}
			together, alone := evaluate(in, sums...), naively(g, in).value
			for i, n := range sums {
				mustEqual(t, where+", pairs: "+n.Op.Name, together[i], tensor.From(want[i], channels))
				mustEqual(t, where+", alone: "+n.Op.Name, alone[n], tensor.From(want[i], channels))
			}
		})
	}
}
