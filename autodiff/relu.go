package autodiff

import "sdref/tensor"

// ReLU returns max(x, 0); NaN stays NaN. Pullback: dx = dy where y > 0, else 0 (the derivative at 0 is taken as 0).
func ReLU(x *Node) *Node { return Apply(reluOp, nil, x) }

var reluOp = &Op{
	Name:    "relu",
	Formula: "max(x, 0) (x)",
	Shape:   shapeOfFirst(1),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Apply(reluGradOp, nil, n, b.Seed(n, dy)))
	},
	Float32:    Kernel[float32]{Each: relu[float32]},
	Float64:    Kernel[float64]{Each: relu[float64]},
	Aligned:    1,
	Overwrites: []int{0},
}

func relu[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.ReLU(c.Out.Data[lo:hi], c.In[0].Data[lo:hi])
}

var reluGradOp = &Op{
	Name:       "relu_grad",
	Formula:    "dy where y > 0, else 0 (y, dy)",
	Shape:      shapeOfFirst(2),
	Float32:    Kernel[float32]{Each: reluGrad[float32]},
	Float64:    Kernel[float64]{Each: reluGrad[float64]},
	Aligned:    2,
	Overwrites: []int{1},
}

func reluGrad[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.ReLUGrad(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.In[1].Data[lo:hi])
}
