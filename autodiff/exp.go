package autodiff

import (
	"sdref/internal/elementary"
	"sdref/tensor"
)

// Exp returns e^x, computed in float64 and rounded. Pullback: dx = y*dy.
func Exp(x *Node) *Node { return Apply(expOp, nil, x) }

var expOp = &Op{
	Name:    "exp",
	Formula: "e^x (x)",
	Shape:   shapeOfFirst(1),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Mul(n, b.Seed(n, dy)))
	},
	Float32:    Kernel[float32]{Each: exp[float32]},
	Float64:    Kernel[float64]{Each: exp[float64]},
	Aligned:    1,
	Overwrites: []int{0},
}

func exp[T tensor.Float](c *Call[T], _, lo, hi int) {
	for i := lo; i < hi; i++ {
		c.Out.Data[i] = T(elementary.Exp(float64(c.In[0].Data[i])))
	}
}
