package autodiff

import "sdref/tensor"

// Add returns the sum of values of equal shapes, added from the first to the last. Pullbacks: the gradient itself.
func Add(terms ...*Node) *Node { return Apply(addOp, nil, terms...) }

var addOp = &Op{
	Name:       "add",
	Formula:    "a + b + ... (a, b, ...)",
	Shape:      shapeOfFirst(every),
	Pull:       func(_ *Gradient, _ *Node, _ int, dy *Node) *Node { return dy },
	Float32:    Kernel[float32]{Each: add[float32]},
	Float64:    Kernel[float64]{Each: add[float64]},
	Aligned:    every,
	Overwrites: []int{0, 1},
}

func add[T tensor.Float](c *Call[T], _, lo, hi int) {
	out, sum := c.Out.Data[lo:hi], c.In[0].Data[lo:hi]
	if len(c.In) == 1 {
		move(out, sum)
	}
	for _, term := range c.In[1:] {
		c.set.AddScaled(out, sum, term.Data[lo:hi], 1)
		sum = out
	}
}
