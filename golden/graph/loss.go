package graph

import (
	"math"

	"sdref/internal/elementary"
	"sdref/tensor"
)

// softmax returns, for one image's logits, the probabilities, the largest logit, and the logarithm of the sum
// of exp(x - top).
func softmax(x []float64) (p []float64, top, logSum float64) {
	top = x[0]
	for _, v := range x {
		top = max(top, v)
	}
	p = make([]float64, len(x))
	sum := 0.0
	for k, v := range x {
		p[k] = elementary.Exp(v - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p, top, elementary.Log(sum)
}

// crossEntropyTerms is the length of the longest sum, over classes or images, and the roundings of exp and
// log.
func crossEntropyTerms(_ *Node, in []*Tensor) int { return in[0].Shape[0] + in[0].Shape[1] + 12 }

func crossEntropy(_ *Node, in []*Tensor) *Tensor {
	loss := 0.0
	for image, label := range in[1].Data {
		x := in[0].Row(image).Data
		_, top, logSum := softmax(x)
		loss += logSum - (x[int(label)] - top)
	}
	return scalar(loss / float64(in[1].Len()))
}

// crossEntropyMagnitude: an image's loss is a difference; 1 more covers the errors of the exponentials' sum.
func crossEntropyMagnitude(_ *Node, in []*Tensor, _ *Tensor) *Tensor {
	size := 0.0
	for image, label := range in[1].Data {
		x := in[0].Row(image).Data
		_, top, logSum := softmax(x)
		size += 1 + logSum + math.Abs(top) + math.Abs(x[int(label)])
	}
	return scalar(size / float64(in[1].Len()))
}

func crossEntropyGrad(_ *Node, in []*Tensor) *Tensor {
	return overImages(in, func(p, _, hot float64) float64 { return p - hot })
}

// crossEntropyGradMagnitude: exp turns the rounding of x - top into a relative error |x| + |top| times as
// large.
func crossEntropyGradMagnitude(_ *Node, in []*Tensor, _ *Tensor) *Tensor {
	return overImages(in, func(p, size, hot float64) float64 { return math.FMA(p, 1+size, hot) })
}

// overImages fills a tensor (N, K) with f(p, |x|+|top|, 1 at the label)/N.
func overImages(in []*Tensor, f func(p, size, hot float64) float64) *Tensor {
	y := tensor.New[float64](in[0].Shape...)
	for image, label := range in[1].Data {
		x := in[0].Row(image).Data
		p, top, _ := softmax(x)
		for k := range p {
			hot := 0.0
			if k == int(label) {
				hot = 1
			}
			y.Row(image).Data[k] = f(p[k], math.Abs(x[k])+math.Abs(top), hot) / float64(in[1].Len())
		}
	}
	return y
}
