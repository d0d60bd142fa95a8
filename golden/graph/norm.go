package graph

import (
	"math"

	"sdref/tensor"
)

// leastNorm is the floor of the norms that vectors are divided by, as published.
const leastNorm = 1e-12

func scalar(v float64) *Tensor { return tensor.From([]float64{v}) }

// sizeTerms is the length of a sum over all of the first input, and what is done to its terms and to the
// result.
func sizeTerms(_ *Node, in []*Tensor) int { return in[0].Len() + 4 }

func sumSquares(_ *Node, in []*Tensor) *Tensor { return scalar(tensor.SumSquares(in[0])) }

func distance(_ *Node, in []*Tensor) *Tensor {
	d := tensor.New[float64](in[0].Shape...)
	tensor.AddScaled(d, in[0], in[1], -1)
	return scalar(tensor.SumSquares(d))
}

// distanceMagnitude: a difference of neighbours keeps the errors of both, |a - b| (|a| + |b|) in first order.
func distanceMagnitude(_ *Node, in []*Tensor, _ *Tensor) *Tensor {
	sum := 0.0
	for i, a := range in[0].Data {
		b := in[1].Data[i]
		sum += float64(math.Abs(a-b) * (math.Abs(a) + math.Abs(b)))
	}
	return scalar(sum)
}

func unit(_ *Node, in []*Tensor) *Tensor {
	norm := max(math.Sqrt(tensor.SumSquares(in[0])), leastNorm)
	return each(in[0], func(i int) float64 { return in[0].Data[i] / norm })
}

func unitAtoms(_ *Node, in []*Tensor) *Tensor {
	w := tensor.New[float64](in[0].Shape...)
	for m := range w.Shape[0] {
		copy(w.Row(m).Data, unit(nil, []*Tensor{in[0].Row(m)}).Data)
	}
	return w
}

func atomTerms(_ *Node, in []*Tensor) int { return tensor.Size(in[0].Shape[1:]) + 4 }

func step(n *Node, in []*Tensor) *Tensor { return scalar(n.Attrs["share"] / in[0].Data[0]) }

func rounds(n *Node, in []*Tensor) *Tensor {
	for i, change := range in {
		if change.Data[0] <= n.Attrs["tolerance"] {
			return scalar(float64(i + 1))
		}
	}
	return scalar(float64(len(in)))
}

// roundsGap is how near any change came to the tolerance, relative to it: where it is small, another count is
// right too.
func roundsGap(n *Node, in []*Tensor, _ *Tensor) []float64 {
	gap := math.Inf(1)
	for _, change := range in {
		gap = min(gap, math.Abs(change.Data[0]-n.Attrs["tolerance"])/n.Attrs["tolerance"])
	}
	return []float64{gap}
}
