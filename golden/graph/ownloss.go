package graph

import (
	"math"

	"sdref/internal/elementary"
	"sdref/tensor"
)

// The operators that losses of one's own are made of.

func mul(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return in[0].Data[i] * in[1].Data[i] })
}

func sum(n *Node, in []*Tensor) *Tensor { return scalar(tensor.Sum(in[0]) / n.Attrs["divisor"]) }

func sumGrad(n *Node, in []*Tensor) *Tensor {
	y := tensor.New[float64](n.Shape...)
	y.Fill(in[0].Data[0] / n.Attrs["divisor"])
	return y
}

func exp(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return elementary.Exp(in[0].Data[i]) })
}

// expMagnitude: exp as a power of two of x log2(e) turns the rounding of that product into a relative error |x| times as large.
func expMagnitude(_ *Node, in []*Tensor, y *Tensor) *Tensor {
	return each(y, func(i int) float64 { return math.FMA(y.Data[i], math.Abs(in[0].Data[i]), y.Data[i]) })
}

func log(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return elementary.Log(in[0].Data[i]) })
}

// logMagnitude: a logarithm from exponent and mantissa is a sum of terms that cancel near 1, where its error is absolute.
func logMagnitude(_ *Node, _ []*Tensor, y *Tensor) *Tensor {
	return each(y, func(i int) float64 { return math.Abs(y.Data[i]) + 1 })
}

func logGrad(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return in[1].Data[i] / in[0].Data[i] })
}

func one(*Node, []*Tensor) *Tensor { return scalar(1) }
