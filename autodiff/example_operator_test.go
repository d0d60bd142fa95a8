package autodiff_test

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"sdref/autodiff"
	"sdref/tensor"
)

// product returns a*b, element by element. Shapes equal. Pullbacks: da = b*dy, db = a*dy.
func product(a, b *autodiff.Node) *autodiff.Node { return autodiff.Apply(productOp, nil, a, b) }

var productOp = &autodiff.Op{
	Name:    "product",
	Formula: "a b (a, b)",
	Shape: func(n *autodiff.Node) ([]int, error) {
		if a, b := n.Inputs[0].Shape, n.Inputs[1].Shape; !slices.Equal(a, b) {
			return nil, errors.New("shapes must be equal")
		}
		return n.Inputs[0].Shape, nil
	},
	// Each computes any range of elements, so this may follow a convolution on its planes; element i reads
	// only elements i of both inputs, and may be written over either.
	Float32:    autodiff.Kernel[float32]{Each: multiply[float32]},
	Float64:    autodiff.Kernel[float64]{Each: multiply[float64]},
	Aligned:    2,
	Overwrites: []int{0, 1},
}

// multiply is the kernel for both types.
func multiply[T tensor.Float](c *autodiff.Call[T], _, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.Out.Data[i] = c.In[0].Data[i] * c.In[1].Data[i]
	}
}

// The pullback is made of nodes, here of the operator itself, which no initial value can say.
func init() {
	productOp.Pull = func(b *autodiff.Gradient, n *autodiff.Node, i int, dy *autodiff.Node) *autodiff.Node {
		return b.For(n, i, product(n.Inputs[1-i], dy))
	}
}

// An operator of one's own: a formula, the shape, a kernel, a pullback; and the check of the pullback, that
// <dx, e> is the derivative of <seed, y> as x moves along e.
func ExampleOp() {
	g := autodiff.NewGraph()
	x, seed := g.Input("x", 2, 3), g.Input("seed", 2, 3)
	h := autodiff.Scale(x, 3, nil).At("", 0, "h")
	y := autodiff.Add(product(h, h), product(h, x)).At("", 0, "y") // 12 x^2
	dx := autodiff.Backward(y, seed, x)[0]
	for _, n := range g.Nodes {
		fmt.Println(n)
	}

	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{y, dx}}),
		tensor.NewArena[float64]())
	value, weights, e := tensor.New[float64](2, 3), tensor.New[float64](2, 3), tensor.New[float64](2, 3)
	for i, t := range []*tensor.Tensor[float64]{value, weights, e} {
		tensor.FillUniform(t, uint64(i), 1, 0)
	}
	p.Set(seed, weights)
	at := func(step float64) float64 {
		moved := tensor.New[float64](2, 3)
		tensor.AddScaled(moved, value, e, step)
		p.Set(x, moved)
		p.Run()
		return tensor.Dot(p.Value(y), weights)
	}
	const step = 1. / 16 // exact, as y is quadratic
	difference := (at(step) - at(-step)) / (2 * step)
	at(0)
	slope := tensor.Dot(p.Value(dx), e)
	fmt.Println("the gradient is right:", math.Abs(slope-difference) < 1e-12*math.Abs(slope))

	defer func() { fmt.Println(recover()) }()
	product(x, g.Input("z", 3))
	// Output:
	// h = scale(x; scale 3) [2 3]
	// product_2 = product(h, h) [2 3]
	// product_3 = product(h, x) [2 3]
	// y = add(product_2, product_3) [2 3]
	// grad/h/product_3 = product(x, seed) [2 3]
	// grad/x/product_3 = product(h, seed) [2 3]
	// grad/h/product_2 = product(h, seed) [2 3]
	// grad/h/product_2/2 = product(h, seed) [2 3]
	// grad/h = add(grad/h/product_3, grad/h/product_2, grad/h/product_2/2) [2 3]
	// grad/x/h = scale(grad/h; scale 3) [2 3]
	// grad/x = add(grad/x/product_3, grad/x/h) [2 3]
	// the gradient is right: true
	// autodiff: node product_12: product of shapes [[2 3] [3]]: shapes must be equal
}
