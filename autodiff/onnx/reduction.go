package onnx

import (
	"sdref/autodiff"
	"sdref/tensor"
)

// leastNorm is the floor of the norms that vectors are divided by, as published.
const leastNorm = 1e-12

func sumSquares(_ *speaker, _ *autodiff.Node, in []string) call {
	return apply("ReduceSumSquare", in[0]).with("keepdims", 0)
}

func distance(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("ReduceSumSquare", s.get(apply("Sub", in[0], in[1]))).with("keepdims", 0)
}

func unit(s *speaker, _ *autodiff.Node, in []string) call {
	norm := s.get(apply("ReduceL2", in[0]).with("keepdims", 0))
	return apply("Div", in[0], s.get(apply("Max", norm, s.number(leastNorm))))
}

func unitAtoms(s *speaker, n *autodiff.Node, in []string) call {
	var axes []int // all but the first
	for axis := range n.Shape[1:] {
		axes = append(axes, 1+axis)
	}
	norms := s.get(apply("ReduceL2", in[0]).with("axes", axes).with("keepdims", 1))
	return apply("Div", in[0], s.get(apply("Max", norms, s.number(leastNorm))))
}

func stepSize(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Div", s.number(n.Attrs["share"]), in[0])
}

// rounds is one more than the place of the first of the changes that is at most the tolerance, the last one
// counting in any case.
func rounds(s *speaker, n *autodiff.Node, in []string) call {
	hits := []string{}
	for _, change := range in[:len(in)-1] {
		small := s.get(apply("LessOrEqual", change, s.number(n.Attrs["tolerance"])))
		hit := s.get(apply("Cast", small).with("to", int(Float32)))
		hits = append(hits, s.get(apply("Unsqueeze", hit, s.ints(0))))
	}
	last := s.get(apply("Unsqueeze", s.number(1), s.ints(0)))
	list := s.get(apply("Concat", append(hits, last)...).with("axis", 0))
	first := s.get(apply("ArgMax", list).with("axis", 0).with("keepdims", 0))
	return apply("Cast", s.get(apply("Add", first, s.whole(1)))).with("to", int(Float32))
}

// pixels are the axes of (N, C, H, W) that a channel's statistics go over.
var pixels = []int{0, 2, 3}

// overChannels is a value (C) in the shape (C, 1, 1), which meets (N, C, H, W) channel by channel.
func overChannels(s *speaker, v string) string { return s.get(apply("Unsqueeze", v, s.ints(1, 2))) }

// centred is x - mean.
func centred(s *speaker, x, mean string) string {
	return s.get(apply("Sub", x, overChannels(s, mean)))
}

// inverse is 1/sqrt(var + epsilon).
func inverse(s *speaker, n *autodiff.Node, variance string) string {
	root := s.get(apply("Sqrt", s.get(apply("Add", variance, s.number(n.Attrs["epsilon"])))))
	return s.get(apply("Reciprocal", root))
}

func channelMean(_ *speaker, _ *autodiff.Node, in []string) call {
	return apply("ReduceMean", in[0]).with("axes", pixels).with("keepdims", 0)
}

func channelVariance(s *speaker, _ *autodiff.Node, in []string) call {
	d := centred(s, in[0], in[1])
	return apply("ReduceMean", s.get(apply("Mul", d, d))).with("axes", pixels).with("keepdims", 0)
}

func running(s *speaker, n *autodiff.Node, in []string) call {
	m := n.Attrs["momentum"]
	return apply("Add", s.times(in[0], 1-m), s.times(in[1], m*n.Attrs["factor"]))
}

// bias is x + b of each channel.
func bias(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("Add", in[0], overChannels(s, in[1]))
}

// batchNorm is ONNX's operator with the statistics that the node names, those of the batch or the running
// ones.
func batchNorm(_ *speaker, n *autodiff.Node, in []string) call {
	x, mean, variance, gamma, beta := in[0], in[1], in[2], in[3], in[4]
	return apply("BatchNormalization", x, gamma, beta, mean, variance).
		with("epsilon", float32(n.Attrs["epsilon"]))
}

func batchNormDGamma(s *speaker, n *autodiff.Node, in []string) call {
	x, dy, mean, variance := in[0], in[1], in[2], in[3]
	along := s.get(apply("Mul", dy, centred(s, x, mean)))
	sums := s.get(apply("ReduceSum", along, s.ints(pixels...)).with("keepdims", 0))
	return apply("Mul", sums, inverse(s, n, variance))
}

func batchNormDBeta(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("ReduceSum", in[0], s.ints(pixels...)).with("keepdims", 0)
}

// batchNormDX is gamma i (dy - dbeta/n - (x - mean) i dgamma/n), i = 1/sqrt(var + epsilon), or gamma i dy if
// not training.
func batchNormDX(s *speaker, n *autodiff.Node, in []string) call {
	x, dy, mean, variance, gamma, dgamma, dbeta := in[0], in[1], in[2], in[3], in[4], in[5], in[6]
	i := inverse(s, n, variance)
	d := dy
	if n.Attrs["training"] != 0 {
		count := s.number(float64(tensor.Size(n.Shape) / n.Shape[1]))
		slope := overChannels(s, s.get(apply("Mul", s.get(apply("Div", dgamma, count)), i)))
		d = s.get(apply("Sub", d, overChannels(s, s.get(apply("Div", dbeta, count)))))
		d = s.get(apply("Sub", d, s.get(apply("Mul", centred(s, x, mean), slope))))
	}
	return apply("Mul", d, overChannels(s, s.get(apply("Mul", gamma, i))))
}

func crossEntropy(_ *speaker, _ *autodiff.Node, in []string) call {
	return apply("SoftmaxCrossEntropyLoss", in[0], in[1]).with("reduction", "mean")
}

func crossEntropyGrad(s *speaker, n *autodiff.Node, in []string) call {
	images, classes := n.Shape[0], n.Shape[1]
	levels := s.constant(Tensor{Name: "numbers:0,1", Shape: []int{2}, Floats: []float32{0, 1}})
	hot := s.get(apply("OneHot", in[1], s.whole(classes), levels).with("axis", 1))
	p := s.get(apply("Softmax", in[0]).with("axis", 1))
	return apply("Div", s.get(apply("Sub", p, hot)), s.number(float64(images)))
}
