package graph

import (
	"math"

	"sdref/tensor"
)

func terms(k int) func(*Node, []*Tensor) int { return func(*Node, []*Tensor) int { return k } }

// each returns the tensor of shape t whose element i is f(i).
func each(t *Tensor, f func(i int) float64) *Tensor {
	y := tensor.New[float64](t.Shape...)
	for i := range y.Data {
		y.Data[i] = f(i)
	}
	return y
}

// factor is the attribute scale times the scalar input at, if there is one.
func factor(n *Node, in []*Tensor, at int) float64 {
	s := n.Attrs["scale"]
	if len(in) > at {
		s *= in[at].Data[0]
	}
	return s
}

func add(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 {
		sum := 0.0
		for _, t := range in {
			sum += t.Data[i]
		}
		return sum
	})
}

func addTerms(n *Node, _ []*Tensor) int { return len(n.Inputs) - 1 }

func scale(n *Node, in []*Tensor) *Tensor {
	s := factor(n, in, 1)
	return each(in[0], func(i int) float64 { return s * in[0].Data[i] })
}

func axpy(n *Node, in []*Tensor) *Tensor {
	s := factor(n, in, 2)
	return each(in[0], func(i int) float64 { return math.FMA(s, in[1].Data[i], in[0].Data[i]) })
}

func axpyMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	s := math.Abs(factor(n, in, 2))
	return each(in[0], func(i int) float64 {
		return math.FMA(s, math.Abs(in[1].Data[i]), math.Abs(in[0].Data[i]))
	})
}

func extrapolate(n *Node, in []*Tensor) *Tensor {
	z, before := in[0].Data, in[1].Data
	return each(in[0], func(i int) float64 { return math.FMA(n.Attrs["ratio"], z[i]-before[i], z[i]) })
}

func extrapolateMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	return each(in[0], func(i int) float64 {
		z, before := math.Abs(in[0].Data[i]), math.Abs(in[1].Data[i])
		return math.FMA(math.Abs(n.Attrs["ratio"]), z+before, z)
	})
}

func relu(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 { return max(in[0].Data[i], 0) })
}

func reluGap(_ *Node, in []*Tensor, _ *Tensor) []float64 { return in[0].Data }

func reluGrad(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 {
		if in[0].Data[i] > 0 {
			return in[1].Data[i]
		}
		return 0
	})
}

func running(n *Node, in []*Tensor) *Tensor {
	m := n.Attrs["momentum"]
	f := m * n.Attrs["factor"]
	return each(in[0], func(i int) float64 {
		return math.FMA(f, in[1].Data[i], float64((1-m)*in[0].Data[i]))
	})
}

func velocity(n *Node, in []*Tensor) *Tensor {
	v, g, w := in[0].Data, in[1].Data, in[2].Data
	return each(in[0], func(i int) float64 {
		return math.FMA(n.Attrs["momentum"], v[i], math.FMA(n.Attrs["decay"], w[i], g[i]))
	})
}

func nesterov(n *Node, in []*Tensor) *Tensor {
	w, move := in[0].Data, nesterovMove(n, in[2], in[1], in[0])
	return each(in[0], func(i int) float64 { return math.FMA(-n.Attrs["rate"], move.Data[i], w[i]) })
}

func nesterovMagnitude(n *Node, in []*Tensor, _ *Tensor) *Tensor {
	w := absolute(nil, nil, in[0])
	move := nesterovMove(n, absolute(nil, nil, in[2]), absolute(nil, nil, in[1]), w)
	return each(w, func(i int) float64 { return math.FMA(n.Attrs["rate"], move.Data[i], w.Data[i]) })
}

// nesterovMove is g + decay w + momentum v.
func nesterovMove(n *Node, v, g, w *Tensor) *Tensor { return velocity(n, []*Tensor{v, g, w}) }
