package graph

import (
	"math"

	"sdref/tensor"
)

// channelTerms is the length of a sum over images and pixels, and what is done to its terms and to the
// result.
func channelTerms(_ *Node, in []*Tensor) int { return in[0].Len()/in[0].Shape[1] + 6 }

// channel is the channel of element i of x (N, C, H, W).
func channel(x *Tensor, i int) int { return i / (x.Shape[2] * x.Shape[3]) % x.Shape[1] }

func bias(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return in[0].Data[i] + in[1].Data[channel(in[0], i)] })
}

func biasMagnitude(_ *Node, in []*Tensor, _ *Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return math.Abs(in[0].Data[i]) + math.Abs(in[1].Data[channel(in[0], i)]) })
}

// overChannels returns, for each channel of x, the sum of term over its elements: in float64, plane by plane.
func overChannels(x *Tensor, term func(i int) float64) *Tensor {
	sums := tensor.New[float64](x.Shape[1])
	area := x.Shape[2] * x.Shape[3]
	for plane := range x.Shape[0] * x.Shape[1] {
		sum := 0.0
		for i := plane * area; i < (plane+1)*area; i++ {
			sum += term(i)
		}
		sums.Data[plane%x.Shape[1]] += sum
	}
	return sums
}

// perChannel is the number of elements of a channel.
func perChannel(x *Tensor) float64 { return float64(x.Len() / x.Shape[1]) }

func channelSum(_ *Node, in []*Tensor) *Tensor {
	return overChannels(in[0], func(i int) float64 { return in[0].Data[i] })
}

func channelMean(n *Node, in []*Tensor) *Tensor {
	sum := channelSum(n, in)
	return each(sum, func(c int) float64 { return sum.Data[c] / perChannel(in[0]) })
}

func channelVariance(_ *Node, in []*Tensor) *Tensor {
	sum := overChannels(in[0], func(i int) float64 {
		d := in[0].Data[i] - in[1].Data[channel(in[0], i)]
		return float64(d * d)
	})
	return each(sum, func(c int) float64 { return sum.Data[c] / perChannel(in[0]) })
}

// channelVarianceMagnitude is the variance itself: a two-pass sum loses nothing to a large mean. But the mean that a backend answers is
// rounded, and the one that it subtracts need not be: sums of squares about two means that are 2^-24 mean apart differ by n (2^-24 mean)^2,
// which shows where a channel's spread is as small as the mean's last digit.
func channelVarianceMagnitude(_ *Node, in []*Tensor, y *Tensor) *Tensor {
	return each(y, func(c int) float64 { return math.Abs(y.Data[c]) + float64(0x1p-24*in[1].Data[c]*in[1].Data[c]) })
}

// inverse is 1/sqrt(var + epsilon) of each channel.
func inverse(n *Node, variance *Tensor) []float64 {
	return each(variance, func(c int) float64 {
		return 1 / math.Sqrt(variance.Data[c]+n.Attrs["epsilon"])
	}).Data
}

func batchNorm(n *Node, in []*Tensor) *Tensor {
	x, mean, gamma, beta := in[0], in[1].Data, in[3].Data, in[4].Data
	i := inverse(n, in[2])
	return each(x, func(at int) float64 {
		c := channel(x, at)
		return math.FMA(float64(gamma[c]*i[c]), x.Data[at]-mean[c], beta[c])
	})
}

func batchNormMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	x, mean, gamma, beta := in[0], in[1].Data, in[3].Data, in[4].Data
	i := inverse(n, in[2])
	return each(x, func(at int) float64 {
		c := channel(x, at)
		return math.FMA(math.Abs(gamma[c])*i[c], math.Abs(x.Data[at])+math.Abs(mean[c]), math.Abs(beta[c]))
	})
}

// batchNormDGamma sums dy (x - mean)/sqrt(var + epsilon).
func batchNormDGamma(n *Node, in []*Tensor) *Tensor {
	x, dy, mean := in[0], in[1].Data, in[2].Data
	sum := overChannels(x, func(i int) float64 { return float64(dy[i] * (x.Data[i] - mean[channel(x, i)])) })
	scale := inverse(n, in[3])
	return each(sum, func(c int) float64 { return sum.Data[c] * scale[c] })
}

// batchNormDGammaMagnitude counts the mean in full, since a backend may hold it to more places than it
// answers.
func batchNormDGammaMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	x, dy, mean := in[0], in[1].Data, in[2].Data
	sum := overChannels(x, func(i int) float64 {
		m := mean[channel(x, i)]
		return float64(math.Abs(dy[i]) * (math.Abs(x.Data[i]-m) + math.Abs(m)))
	})
	scale := inverse(n, in[3])
	return each(sum, func(c int) float64 { return sum.Data[c] * scale[c] })
}

func batchNormDX(n *Node, in []*Tensor) *Tensor {
	x, dy, mean, gamma, dgamma, dbeta := in[0], in[1].Data, in[2].Data, in[4].Data, in[5].Data, in[6].Data
	scale, count := inverse(n, in[3]), perChannel(x)
	return each(x, func(i int) float64 {
		c := channel(x, i)
		d := dy[i]
		if n.Attrs["training"] != 0 {
			d -= dbeta[c] / count
			d -= float64((x.Data[i] - mean[c]) * scale[c] * (dgamma[c] / count))
		}
		return gamma[c] * scale[c] * d
	})
}

func batchNormDXMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	x, dy, mean, gamma, dgamma, dbeta := in[0], in[1].Data, in[2].Data, in[4].Data, in[5].Data, in[6].Data
	scale, count := inverse(n, in[3]), perChannel(x)
	return each(x, func(i int) float64 {
		c := channel(x, i)
		d := math.Abs(dy[i])
		if n.Attrs["training"] != 0 {
			d += math.Abs(dbeta[c]) / count
			d += float64((math.Abs(x.Data[i]) + math.Abs(mean[c])) * scale[c] * (math.Abs(dgamma[c]) / count))
		}
		return math.Abs(gamma[c]) * scale[c] * d
	})
}
