package autodiff

import "sdref/tensor"

// Mul returns a*b, element by element, rounded once. Shapes equal. Pullbacks: da = b*dy, db = a*dy.
func Mul(a, b *Node) *Node { return Apply(mulOp, nil, a, b) }

var mulOp = &Op{
	Name:       "mul",
	Formula:    "a b (a, b)",
	Shape:      shapeOfFirst(2),
	Float32:    Kernel[float32]{Each: mul[float32]},
	Float64:    Kernel[float64]{Each: mul[float64]},
	Aligned:    2,
	Overwrites: []int{0, 1},
}

// A product's gradient is made of products, which no initial value can say.
func init() {
	mulOp.Pull = func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Mul(n.Inputs[1-i], b.Seed(n, dy)))
	}
}

func mul[T tensor.Float](c *Call[T], _, lo, hi int) {
	out, a, b := c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.In[1].Data[lo:hi]
	for i := range out {
		out[i] = a[i] * b[i]
	}
}
