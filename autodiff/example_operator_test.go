package autodiff_test

import (
	"fmt"
	"math"

	"sdref/autodiff"
	"sdref/tensor"
)

// sigmoid returns 1/(1 + e^-x). Pullback: dx = y (1 - y) dy.
func sigmoid(x *autodiff.Node) *autodiff.Node { return autodiff.Apply(sigmoidOp, nil, x) }

var sigmoidOp = &autodiff.Op{
	Name:    "sigmoid",
	Formula: "1/(1 + e^-x) (x)",
	Shape:   func(n *autodiff.Node) ([]int, error) { return n.Inputs[0].Shape, nil },
	// The pullback is made of nodes: the gradient is a part of the graph like everything else.
	Pull: func(b *autodiff.Gradient, n *autodiff.Node, i int, dy *autodiff.Node) *autodiff.Node {
		slope := autodiff.Axpy(n, autodiff.Mul(n, n), -1, nil) // y - y^2
		return b.For(n, i, autodiff.Mul(slope, b.Seed(n, dy)))
	},
	// Each computes any range of elements, so this may follow a convolution on its planes; element i reads
	// only element i of the input, and may be written over it.
	Float32:    autodiff.Kernel[float32]{Each: computeSigmoid[float32]},
	Float64:    autodiff.Kernel[float64]{Each: computeSigmoid[float64]},
	Aligned:    1,
	Overwrites: []int{0},
}

// computeSigmoid is the kernel for both types.
func computeSigmoid[T tensor.Float](c *autodiff.Call[T], _, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.Out.Data[i] = T(1 / (1 + math.Exp(-float64(c.In[0].Data[i]))))
	}
}

// An operator of one's own: a formula, the shape, a kernel, a pullback; and the check of the pullback.
func ExampleOp() {
	g := autodiff.NewGraph()
	x := g.Input("x", 2, 3)
	loss := autodiff.Mean(sigmoid(x).At("", 0, "y")).At("", 0, "loss")
	autodiff.Backward(loss, nil, x)
	for _, n := range g.Nodes {
		fmt.Println(n)
	}
	// Output:
	// y = sigmoid(x) [2 3]
	// loss = sum(y; divisor 6) []
	// grad/loss/seed = one(loss) []
	// grad/y = sum_grad(grad/loss/seed; axes 2, divisor 6, side0 2, side1 3) [2 3]
	// mul_5 = mul(y, y) [2 3]
	// axpy_6 = axpy(y, mul_5; scale -1) [2 3]
	// grad/x = mul(axpy_6, grad/y) [2 3]
}

// The check of a gradient: differences of values, extrapolated to small steps.
func ExampleGradientCheck() {
	x := tensor.New[float64](2, 3)
	tensor.FillUniform(x, 1, 2, 0)
	right := autodiff.GradientCheck{
		F:  func(in []*autodiff.Node) *autodiff.Node { return sigmoid(in[0]) },
		At: []*tensor.Tensor[float64]{x},
	}
	fmt.Println("right:", right.Errors()[0] < 1e-8)

	// The same with a factor forgotten: y dy in place of y (1 - y) dy.
	wrong := *sigmoidOp
	wrong.Pull = func(b *autodiff.Gradient, n *autodiff.Node, i int, dy *autodiff.Node) *autodiff.Node {
		return b.For(n, i, autodiff.Mul(n, b.Seed(n, dy)))
	}
	right.F = func(in []*autodiff.Node) *autodiff.Node { return autodiff.Apply(&wrong, nil, in[0]) }
	fmt.Println("wrong:", right.Errors()[0] < 1e-8)
	// Output:
	// right: true
	// wrong: false
}
