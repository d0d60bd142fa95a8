package autodiff

import (
	"errors"

	"sdref/tensor"
)

// Linear returns y = x w* + b. Shapes: x (N, I), w (O, I), b (O), y (N, O). Pullbacks: dx = dy w, dw = dy* x, db = the sum
// of dy over images, in float64.
func Linear(x, w, b *Node) *Node { return Apply(linearOp, nil, x, w, b) }

// Product returns the matrix product a b, which is Linear's pullback dx. Shapes: a (N, O), b (O, I), result (N, I). No gradient.
func Product(a, b *Node) *Node { return Apply(linearDXOp, nil, a, b) }

// TransposedProduct returns a* b, which is Linear's pullback dw. Shapes: a (N, O), b (N, I), result (O, I). No gradient.
func TransposedProduct(a, b *Node) *Node { return Apply(linearDWOp, nil, a, b) }

var linearOp = &Op{
	Name:    "linear",
	Formula: "x w' + b (x, w, b)",
	Shape: func(n *Node) ([]int, error) {
		x, w, b := n.Inputs[0].Shape, n.Inputs[1].Shape, n.Inputs[2].Shape
		if len(x) != 2 || len(w) != 2 || x[1] != w[1] || len(b) != 1 || b[0] != w[0] {
			return nil, errors.New("want (N, I), (O, I) and (O)")
		}
		return []int{x[0], w[0]}, nil
	},
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		switch i {
		case 0:
			return b.For(n, i, Product(dy, n.Inputs[1]))
		case 1:
			return b.For(n, i, TransposedProduct(dy, n.Inputs[0]))
		default:
			return b.For(n, i, Apply(linearDBOp, nil, dy))
		}
	},
	Float32: Kernel[float32]{Whole: linear[float32]},
	Float64: Kernel[float64]{Whole: linear[float64]},
}

func linear[T tensor.Float](c *Call[T]) {
	tensor.MatMulWithin(c.Workers, c.Out, c.In[0], c.In[1], false, true)
	for n := range c.Out.Shape[0] {
		row := c.Out.Row(n)
		tensor.AddScaledWithin(c.Workers, row, row, c.In[2], 1)
	}
}

var linearDXOp = &Op{
	Name:    "linear_dx",
	Formula: "dy w (dy, w)",
	Shape: func(n *Node) ([]int, error) {
		dy, w := n.Inputs[0].Shape, n.Inputs[1].Shape
		if len(dy) != 2 || len(w) != 2 || dy[1] != w[0] {
			return nil, errors.New("want (N, O) and (O, I)")
		}
		return []int{dy[0], w[1]}, nil
	},
	Float32: Kernel[float32]{Whole: linearDX[float32]},
	Float64: Kernel[float64]{Whole: linearDX[float64]},
}

func linearDX[T tensor.Float](c *Call[T]) {
	tensor.MatMulWithin(c.Workers, c.Out, c.In[0], c.In[1], false, false)
}

var linearDWOp = &Op{
	Name:    "linear_dw",
	Formula: "dy' x (dy, x)",
	Shape: func(n *Node) ([]int, error) {
		dy, x := n.Inputs[0].Shape, n.Inputs[1].Shape
		if len(dy) != 2 || len(x) != 2 || dy[0] != x[0] {
			return nil, errors.New("want (N, O) and (N, I)")
		}
		return []int{dy[1], x[1]}, nil
	},
	Float32: Kernel[float32]{Whole: linearDW[float32]},
	Float64: Kernel[float64]{Whole: linearDW[float64]},
}

func linearDW[T tensor.Float](c *Call[T]) {
	tensor.MatMulWithin(c.Workers, c.Out, c.In[0], c.In[1], true, false)
}

var linearDBOp = &Op{
	Name:    "linear_db",
	Formula: "sum of dy over images (dy)",
	Shape: func(n *Node) ([]int, error) {
		if err := n.mustHaveAxes(0, 2); err != nil {
			return nil, err
		}
		return n.Inputs[0].Shape[1:], nil
	},
	Float32: Kernel[float32]{Whole: linearDB[float32]},
	Float64: Kernel[float64]{Whole: linearDB[float64]},
}

func linearDB[T tensor.Float](c *Call[T]) {
	dy := c.In[0]
	for o := range c.Out.Data {
		sum := 0.0
		for n := range dy.Shape[0] {
			sum += float64(dy.Data[n*len(c.Out.Data)+o])
		}
		c.Out.Data[o] = T(sum)
	}
}
