package autodiff

import "sdref/tensor"

// Extrapolate returns z + r (z - z'), the momentum point of (A.1), third line, for a number r. Shapes equal. Pullbacks: (1 + r) dy
// for z and -r dy for z'.
func Extrapolate(z, before *Node, r float64) *Node {
	return Apply(extrapolateOp, Attrs{"ratio": r}, z, before)
}

var extrapolateOp = &Op{
	Name:    "extrapolate",
	Formula: "z + r (z - z'), the momentum point (z, z'; ratio r)",
	Shape:   shapeOfFirst(2),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		r := n.Attrs["ratio"]
		if i == 0 {
			return b.For(n, i, Scale(dy, 1+r, nil))
		}
		return b.For(n, i, Scale(dy, -r, nil))
	},
	Float32:    Kernel[float32]{Begin: beginExtrapolate[float32], Each: extrapolate[float32]},
	Float64:    Kernel[float64]{Begin: beginExtrapolate[float64], Each: extrapolate[float64]},
	Aligned:    2,
	Overwrites: []int{1}, // z is read once more after the difference has been written
}

func beginExtrapolate[T tensor.Float](c *Call[T]) { c.grow(1)[0] = T(c.Attrs["ratio"]) }

func extrapolate[T tensor.Float](c *Call[T], _, lo, hi int) {
	out, z := c.Out.Data[lo:hi], c.In[0].Data[lo:hi]
	c.set.AddScaled(out, z, c.In[1].Data[lo:hi], -1)
	c.set.AddScaled(out, z, out, c.Scratch[0])
}
