package autodiff

import (
	"testing"

	"sdref/tensor"
)

// TestBatchNormByChannel: channels know nothing of each other, so each alone gives the same bits. The planes are so large that those of an
// image go through in several parts.
func TestBatchNormByChannel(t *testing.T) {
	const images, channels, side = 3, 7, 30
	x, gamma, beta := tensor.New[float64](images, channels, side, side), tensor.New[float64](channels), tensor.New[float64](channels)
	tensor.FillUniform(x, 1, 1, 0)
	tensor.FillUniform(gamma, 2, 1, 0)
	tensor.FillUniform(beta, 3, 1, 0)
	for _, training := range []bool{true, false} {
		all := normalized(x, gamma, beta, 0, training)
		for c := range channels {
			one := tensor.New[float64](images, 1, side, side)
			for n := range images {
				copy(one.Row(n).Data, x.Row(n).Row(c).Data)
			}
			alone := normalized(one, tensor.From([]float64{gamma.Data[c]}, 1), tensor.From([]float64{beta.Data[c]}, 1), c, training)
			for n := range images {
				if !tensor.SameBits(all.Row(n).Row(c), alone.Row(n).Row(0)) {
					t.Errorf("training %v: channel %d of image %d differs from what it is alone", training, c, n)
				}
			}
		}
	}
}

// normalized is BatchNorm of x; the running statistics of the first channel are those of the given number.
func normalized(x, gamma, beta *tensor.Tensor[float64], first int, training bool) *tensor.Tensor[float64] {
	running := Running[float64]{tensor.New[float64](x.Shape[1]), tensor.New[float64](x.Shape[1])}
	for c := range running.Mean.Data {
		running.Mean.Data[c], running.Var.Data[c] = 0.1*float64(first+c), 1+float64(first+c)
	}
	tape := NoGrad(tensor.NewArena[float64]())
	return BatchNorm(tape.Constant(x), tape.Constant(gamma), tape.Constant(beta), running, training).Value()
}
