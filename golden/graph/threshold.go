package graph

import "math"

// shrinkage returns prox's factor 1/(1 + mu t) and its threshold lambda t/(1 + mu t).
func shrinkage(n *Node, t *Tensor) (factor, threshold float64) {
	factor = 1 / (1 + float64(n.Attrs["mu"]*t.Data[0]))
	return factor, n.Attrs["lambda"] * t.Data[0] * factor
}

func prox(n *Node, in []*Tensor) *Tensor {
	factor, threshold := shrinkage(n, in[1])
	return each(in[0], func(i int) float64 {
		u := float64(factor * in[0].Data[i]) // not fused with what follows
		switch {
		case u != u:
			return u
		case n.Attrs["nonnegative"] != 0:
			return max(u-threshold, 0)
		default:
			return math.Copysign(max(math.Abs(u)-threshold, 0), u) + 0 // no -0
		}
	})
}

func proxMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	factor, threshold := shrinkage(n, in[1])
	return each(in[0], func(i int) float64 { return math.FMA(factor, math.Abs(in[0].Data[i]), threshold) })
}

func proxGap(n *Node, in []*Tensor, _ *Tensor) []float64 {
	factor, threshold := shrinkage(n, in[1])
	return each(in[0], func(i int) float64 {
		u := float64(factor * in[0].Data[i]) // not fused with what follows
		if n.Attrs["nonnegative"] == 0 {
			u = math.Abs(u)
		}
		return u - threshold
	}).Data
}

func proxGrad(n *Node, in []*Tensor) *Tensor {
	factor, _ := shrinkage(n, in[2])
	return each(in[0], func(i int) float64 {
		if in[0].Data[i] != 0 {
			return factor * in[1].Data[i]
		}
		return 0
	})
}

// proxGradTerms: without mu the derivative is 0 or 1.
func proxGradTerms(n *Node, _ []*Tensor) int {
	if n.Attrs["mu"] == 0 {
		return 0
	}
	return 4
}
