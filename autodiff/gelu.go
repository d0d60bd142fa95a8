package autodiff

import "sdref/tensor"

// GELU returns x Phi(x) in its tanh form, x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), Phi being the normal distribution function
// (Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016); internal/kernel says how and how exactly it is computed. NaN stays
// NaN, far below 0 it is -0. Pullback: dx = dy times the derivative at x, which is computed again from x.
func GELU(x *Node) *Node { return Apply(geluOp, nil, x) }

var geluOp = &Op{
	Name:    "gelu",
	Formula: "x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) (x)",
	Shape:   shapeOfFirst(1),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Apply(geluGradOp, nil, n.Inputs[0], dy))
	},
	Float32:    Kernel[float32]{Each: gelu[float32]},
	Float64:    Kernel[float64]{Each: gelu[float64]},
	Aligned:    1,
	Overwrites: []int{0},
	Cheap:      func(*Node) bool { return true }, // its gradient needs x, and then the value need not be kept too
}

func gelu[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.GELU(c.Out.Data[lo:hi], c.In[0].Data[lo:hi])
}

var geluGradOp = &Op{
	Name:       "gelu_grad",
	Formula:    "dy times the derivative of gelu at x (x, dy)",
	Shape:      shapeOfFirst(2),
	Float32:    Kernel[float32]{Each: geluGrad[float32]},
	Float64:    Kernel[float64]{Each: geluGrad[float64]},
	Aligned:    2,
	Overwrites: []int{0, 1},
}

func geluGrad[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.GELUGrad(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.In[1].Data[lo:hi])
}
