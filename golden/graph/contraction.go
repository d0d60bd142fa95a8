package graph

import (
	"math"

	"sdref/conv"
	"sdref/tensor"
)

// Geometry reads a convolution's settings.
func (n *Node) Geometry() conv.Geometry {
	return conv.Geometry{Stride: n.int("stride"), Padding: n.int("padding"), Dilation: n.int("dilation")}
}

func (n *Node) int(name string) int { return int(n.Attrs[name]) }

func analysis(n *Node, in []*Tensor) *Tensor {
	y := tensor.New[float64](n.Shape...)
	conv.Forward(y, in[0], in[1], n.Geometry())
	return y
}

func analysisTerms(_ *Node, in []*Tensor) int { return tensor.Size(in[1].Shape[1:]) }

func synthesis(n *Node, in []*Tensor) *Tensor {
	x := tensor.New[float64](n.Shape...)
	conv.Transpose(x, in[0], in[1], n.Geometry())
	return x
}

func synthesisTerms(_ *Node, in []*Tensor) int {
	w := in[1].Shape
	return w[0] * w[2] * w[3]
}

func filter(n *Node, in []*Tensor) *Tensor {
	w := tensor.New[float64](n.Shape...)
	conv.WeightGradient(w, in[0], in[1], n.Geometry())
	return w
}

func filterTerms(_ *Node, in []*Tensor) int {
	y := in[1].Shape
	return y[0] * y[2] * y[3]
}

// Convolution returns the settings of a convolution.
func Convolution(g conv.Geometry) Attrs {
	return Attrs{"stride": float64(max(1, g.Stride)), "padding": float64(g.Padding),
		"dilation": float64(max(1, g.Dilation))}
}

// TransposedConvolution returns the settings of the transposed convolution that gives images of the given
// size.
func TransposedConvolution(g conv.Geometry, height, width int) Attrs {
	a := Convolution(g)
	a["height"], a["width"] = float64(height), float64(width)
	return a
}

// ofAbsolutes is the magnitude of a function that is a sum of products of its inputs with nonnegative
// weights: its value at their absolute values.
func ofAbsolutes(value func(*Node, []*Tensor) *Tensor) func(*Node, []*Tensor, *Tensor) *Tensor {
	return func(n *Node, in []*Tensor, _ *Tensor) *Tensor {
		sizes := make([]*Tensor, len(in))
		for i, t := range in {
			sizes[i] = absolute(nil, nil, t)
		}
		return value(n, sizes)
	}
}

// absolute is |y|.
func absolute(_ *Node, _ []*Tensor, y *Tensor) *Tensor {
	size := tensor.New[float64](y.Shape...)
	for i, v := range y.Data {
		size.Data[i] = math.Abs(v)
	}
	return size
}

// The spreads: for each plane (or kernel) of the result, the sum over the other channels of the largest
// factors. A kernel's largest element counts nine times, once for each tap.

func analysisSpread(_ *Node, in []*Tensor, y *Tensor) []float64 {
	x, w := planes(in[0]), planes(in[1])
	return spread(y, func(image, m int) (sum float64) {
		for c, size := range x[image] {
			sum += float64(9 * size * w[m][c])
		}
		return sum
	})
}

func synthesisSpread(_ *Node, in []*Tensor, y *Tensor) []float64 {
	z, w := planes(in[0]), planes(in[1])
	return spread(y, func(image, c int) (sum float64) {
		for m, size := range z[image] {
			sum += float64(9 * size * w[m][c])
		}
		return sum
	})
}

func filterSpread(_ *Node, in []*Tensor, dw *Tensor) []float64 {
	x, y := planes(in[0]), planes(in[1])
	area := float64(in[1].Shape[2] * in[1].Shape[3])
	return spread(dw, func(m, c int) (sum float64) {
		for image := range x {
			sum += float64(area * x[image][c] * y[image][m])
		}
		return sum
	})
}

// planes returns the largest |element| of each plane of a tensor (A, B, H, W).
func planes(t *Tensor) [][]float64 {
	largest := make([][]float64, t.Shape[0])
	area := t.Shape[2] * t.Shape[3]
	for a := range largest {
		largest[a] = make([]float64, t.Shape[1])
		for b := range largest[a] {
			for _, v := range t.Row(a).Row(b).Data[:area] {
				largest[a][b] = max(largest[a][b], math.Abs(v))
			}
		}
	}
	return largest
}

// spread gives every element of plane (a, b) of y the value at(a, b).
func spread(y *Tensor, at func(a, b int) float64) []float64 {
	s := tensor.New[float64](y.Shape...)
	for a := range y.Shape[0] {
		for b := range y.Shape[1] {
			s.Row(a).Row(b).Fill(at(a, b))
		}
	}
	return s.Data
}
