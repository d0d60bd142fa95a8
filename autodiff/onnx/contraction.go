package onnx

import (
	"slices"

	"sdref/autodiff"
	"sdref/conv"
)

// A convolution has as many axes as its signal has besides images and channels. With none it is a product of
// matrices.

func analysis(_ *speaker, n *autodiff.Node, in []string) call {
	x, w, g := n.Inputs[0].Shape, n.Inputs[1].Shape, n.Geometry()
	if len(x) == 2 {
		return apply("Gemm", in[0], in[1]).with("transB", 1)
	}
	return convolution(apply("Conv", in[0], in[1]), w[2:], max(1, g.Stride), max(1, g.Dilation)).
		with("pads", repeat(2*len(x[2:]), g.Padding))
}

// synthesis is a ConvTranspose. Its weights lie in ONNX as they do here, (M, C, k, k): channels of its input,
// z, first.
func synthesis(_ *speaker, n *autodiff.Node, in []string) call {
	z, w, g := n.Inputs[0].Shape, n.Inputs[1].Shape, n.Geometry()
	if len(z) == 2 {
		return apply("MatMul", in[0], in[1])
	}
	c := convolution(apply("ConvTranspose", in[0], in[1]), w[2:], max(1, g.Stride), max(1, g.Dilation)).
		with("pads", repeat(2*len(z[2:]), g.Padding))
	var more []int // rows and columns beyond the last that z reaches
	for axis, size := range n.Shape[2:] {
		more = append(more, size-g.SignalSize(z[2+axis], w[2+axis]))
	}
	return c.with("output_padding", more)
}

// filter is a Conv of the signal with the code's gradient as its kernel, images in the place of channels,
//
//	w[m,c,u,v] = sum over n, i, j of y[n,m,i,j] x[n,c,i*s+u*d-p,j*s+v*d-p]
//	w'(C, M, k, k) = Conv(x' (C, N, H, W), y' (M, N, Ho, Wo); stride d, dilation s) ,
//
// with less padding at the end where the signal has rows that no code reaches, and a Slice where it has more
// of them than padding.
func filter(s *speaker, n *autodiff.Node, in []string) call {
	x, y, g := n.Inputs[0].Shape, n.Inputs[1].Shape, n.Geometry()
	if len(x) == 2 {
		return apply("Gemm", in[1], in[0]).with("transA", 1)
	}
	stride, dilation := max(1, g.Stride), max(1, g.Dilation)
	swap := exchanged(len(x))
	pads, cut := repeat(2*len(x[2:]), g.Padding), false
	for axis, k := range n.Shape[2:] {
		end := (k-1)*dilation + (y[2+axis]-1)*stride + 1 - x[2+axis] - g.Padding
		pads[len(x[2:])+axis] = max(0, end)
		cut = cut || end <= -dilation // so that another tap fits
	}
	signal, kernel := s.get(apply("Transpose", in[0]).with("perm", swap)), s.get(apply("Transpose", in[1]).with("perm", swap))
	w := s.get(convolution(apply("Conv", signal, kernel), y[2:], dilation, stride).with("pads", pads))
	if cut {
		axes := make([]int, len(x[2:]))
		for i := range axes {
			axes[i] = 2 + i
		}
		starts, ends := make([]int, len(axes)), n.Shape[2:]
		w = s.get(apply("Slice", w, s.ints(starts...), s.ints(ends...), s.ints(axes...)))
	}
	return apply("Transpose", w).with("perm", swap)
}

// convolution adds the attributes of Conv and ConvTranspose.
func convolution(c call, kernel []int, stride, dilation int) call {
	return c.with("kernel_shape", kernel).
		with("strides", repeat(len(kernel), stride)).with("dilations", repeat(len(kernel), dilation))
}

func repeat(n, v int) []int { return slices.Repeat([]int{v}, n) }

// exchanged is the order of axes in which the first two are exchanged.
func exchanged(axes int) []int {
	order := make([]int, axes)
	for i := range order {
		order[i] = i
	}
	order[0], order[1] = 1, 0
	return order
}

func linear(_ *speaker, _ *autodiff.Node, in []string) call {
	return apply("Gemm", in[0], in[1], in[2]).with("transB", 1)
}

func linearDX(_ *speaker, _ *autodiff.Node, in []string) call { return apply("MatMul", in[0], in[1]) }

func linearDW(_ *speaker, _ *autodiff.Node, in []string) call {
	return apply("Gemm", in[0], in[1]).with("transA", 1)
}

func linearDB(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("ReduceSum", in[0], s.ints(0)).with("keepdims", 0)
}

func maxPool(_ *speaker, n *autodiff.Node, in []string) call {
	return apply("MaxPool", in[0]).with("kernel_shape", repeat(2, n.Int("size"))).
		with("strides", repeat(2, n.Int("stride"))).with("pads", repeat(4, n.Int("padding")))
}

// maxPoolGrad adds dy up where MaxPool, computed again, says that the maxima were. Of equal elements ONNX
// does not say which one is the maximum; here it is the first, which is what ONNX Runtime takes.
func maxPoolGrad(s *speaker, n *autodiff.Node, in []string) call {
	flat := func(v string) string { return s.get(apply("Reshape", v, s.ints(-1))) }
	winners := flat(s.gets(maxPool(s, n, in), 2)[1])
	zeros := s.get(apply("ConstantOfShape", s.get(apply("Shape", flat(in[0])))))
	sums := apply("ScatterElements", zeros, winners, flat(in[1])).with("axis", 0).with("reduction", "add")
	return apply("Reshape", s.get(sums), s.get(apply("Shape", in[0])))
}

func averagePool(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("Flatten", s.get(apply("GlobalAveragePool", in[0]))).with("axis", 1)
}

func averagePoolGrad(s *speaker, n *autodiff.Node, in []string) call {
	height, width := conv.Sizes(n.Shape)
	share := s.get(apply("Div", in[0], s.number(float64(height*width))))
	return apply("Expand", s.get(apply("Unsqueeze", share, s.ints(2, 3))), s.ints(1, 1, height, width))
}
