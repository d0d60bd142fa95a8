package autodiff

import (
	"sdref/internal/elementary"
	"sdref/tensor"
)

// Log returns the natural logarithm of x, computed in float64 and rounded: -Inf of 0, NaN below. Pullback: dx = dy/x.
func Log(x *Node) *Node { return Apply(logOp, nil, x) }

var logOp = &Op{
	Name:    "log",
	Formula: "log x (x)",
	Shape:   shapeOfFirst(1),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Apply(logGradOp, nil, n.Inputs[0], b.Seed(n, dy)))
	},
	Float32:    Kernel[float32]{Each: logarithm[float32]},
	Float64:    Kernel[float64]{Each: logarithm[float64]},
	Aligned:    1,
	Overwrites: []int{0},
}

func logarithm[T tensor.Float](c *Call[T], _, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.Out.Data[i] = T(elementary.Log(float64(c.In[0].Data[i])))
	}
}

var logGradOp = &Op{
	Name:       "log_grad",
	Formula:    "dy/x (x, dy)",
	Shape:      shapeOfFirst(2),
	Float32:    Kernel[float32]{Each: logGrad[float32]},
	Float64:    Kernel[float64]{Each: logGrad[float64]},
	Aligned:    2,
	Overwrites: []int{0, 1},
}

func logGrad[T tensor.Float](c *Call[T], _, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.Out.Data[i] = c.In[1].Data[i] / c.In[0].Data[i]
	}
}
