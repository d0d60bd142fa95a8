package graph

import "sdref/tensor"

func linear(n *Node, in []*Tensor) *Tensor {
	y := tensor.New[float64](n.Shape...)
	tensor.MatMul(y, in[0], in[1], false, true)
	for image := range y.Shape[0] {
		tensor.AddScaled(y.Row(image), y.Row(image), in[2], 1)
	}
	return y
}

func linearTerms(_ *Node, in []*Tensor) int { return in[0].Shape[1] + 1 }

func linearDX(n *Node, in []*Tensor) *Tensor {
	dx := tensor.New[float64](n.Shape...)
	tensor.MatMul(dx, in[0], in[1], false, false)
	return dx
}

func linearDXTerms(_ *Node, in []*Tensor) int { return in[1].Shape[0] }

func linearDW(n *Node, in []*Tensor) *Tensor {
	dw := tensor.New[float64](n.Shape...)
	tensor.MatMul(dw, in[0], in[1], true, false)
	return dw
}

func linearDWTerms(_ *Node, in []*Tensor) int { return in[0].Shape[0] }

func linearDB(n *Node, in []*Tensor) *Tensor {
	db := tensor.New[float64](n.Shape...)
	for image := range in[0].Shape[0] {
		tensor.AddScaled(db, db, in[0].Row(image), 1)
	}
	return db
}
