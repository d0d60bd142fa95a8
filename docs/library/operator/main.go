// An operator of one's own, softplus, with the check of its gradient.
package main

import (
	"fmt"
	"math"

	"sdref/autodiff"
	"sdref/tensor"
)

var softplus = &autodiff.Op{
	Name:    "softplus",
	Formula: "log(1 + e^x) (x)",
	Shape:   func(n *autodiff.Node) ([]int, error) { return n.Inputs[0].Shape, nil },
	Pull: func(b *autodiff.Gradient, n *autodiff.Node, i int, dy *autodiff.Node) *autodiff.Node {
		sigmoid := autodiff.Exp(autodiff.Axpy(n.Inputs[0], n, -1, nil)) // e^(x - y) = e^x/(1 + e^x)
		return b.For(n, i, autodiff.Mul(sigmoid, b.Seed(n, dy)))
	},
	Float32: autodiff.Kernel[float32]{Each: compute[float32]},
	Float64: autodiff.Kernel[float64]{Each: compute[float64]},
	Aligned: 1,
}

func compute[T tensor.Float](c *autodiff.Call[T], _, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.Out.Data[i] = T(math.Log1p(math.Exp(float64(c.In[0].Data[i]))))
	}
}

func main() {
	x := tensor.New[float64](4, 5)
	tensor.FillUniform(x, 1, 3, 0)
	check := autodiff.GradientCheck{At: []*tensor.Tensor[float64]{x},
		F: func(in []*autodiff.Node) *autodiff.Node { return autodiff.Apply(softplus, nil, in[0]) }}
	fmt.Println("the gradient is right:", check.Errors()[0] < 1e-8)
}
