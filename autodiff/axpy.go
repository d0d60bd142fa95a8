package autodiff

import "sdref/tensor"

// Axpy returns a + s*b, rounded once, for a number s, times the scalar t unless that is nil; a - b with s = -1. Shapes of a and b
// equal. Pullbacks: da = dy, db = s*t*dy, dt = s*<b, dy>.
func Axpy(a, b *Node, s float64, t *Node) *Node {
	return Apply(axpyOp, Attrs{"scale": s}, optional(t, a, b)...)
}

// Scale returns s*x for a number s, times the scalar t unless that is nil. Pullbacks: dx = s*t*dy, dt = s*<x, dy>.
func Scale(x *Node, s float64, t *Node) *Node {
	return Apply(scaleOp, Attrs{"scale": s}, optional(t, x)...)
}

// Dot returns s*<x, y>, a number, summed in float64.
func Dot(x, y *Node, s float64) *Node { return Apply(dotOp, Attrs{"scale": s}, x, y) }

// optional is the inputs, and one more unless it is nil.
func optional(last *Node, inputs ...*Node) []*Node {
	if last != nil {
		inputs = append(inputs, last)
	}
	return inputs
}

// beginFactor prepares the setting scale, times the scalar input behind the aligned ones, if there is one.
func beginFactor[T tensor.Float](c *Call[T]) {
	s := c.grow(1)
	s[0] = T(c.Attrs["scale"])
	if at := c.Op.Aligned; len(c.In) > at {
		s[0] *= c.In[at].Data[0]
	}
}

var axpyOp = &Op{
	Name:    "axpy",
	Formula: "a + s t b (a, b, optional t; scale s)",
	Shape:   shapeOfFirst(2),
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		s := n.Attrs["scale"]
		switch {
		case i == 0, i == 1 && s == 1 && len(n.Inputs) == 2:
			return dy
		case i == 1 && len(n.Inputs) == 2:
			return b.For(n, i, Scale(b.Seed(n, dy), s, nil))
		case i == 1:
			return b.For(n, i, Scale(b.Seed(n, dy), s, n.Inputs[2]))
		default:
			return b.For(n, i, Dot(n.Inputs[1], b.Seed(n, dy), s))
		}
	},
	Float32:    Kernel[float32]{Begin: beginFactor[float32], Each: axpy[float32]},
	Float64:    Kernel[float64]{Begin: beginFactor[float64], Each: axpy[float64]},
	Aligned:    2,
	Overwrites: []int{0, 1},
}

func axpy[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.AddScaled(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.In[1].Data[lo:hi], c.Scratch[0])
}

var scaleOp = &Op{
	Name:       "scale",
	Formula:    "s t x (x, optional t; scale s)",
	Shape:      shapeOfFirst(1),
	Float32:    Kernel[float32]{Begin: beginFactor[float32], Each: scale[float32]},
	Float64:    Kernel[float64]{Begin: beginFactor[float64], Each: scale[float64]},
	Aligned:    1,
	Overwrites: []int{0},
}

// Scaling is its own derivative, which no initial value can say.
func init() {
	scaleOp.Pull = func(b *Gradient, n *Node, i int, dy *Node) *Node {
		s, dy := n.Attrs["scale"], b.Seed(n, dy)
		switch {
		case i == 1:
			return b.For(n, i, Dot(n.Inputs[0], dy, s))
		case len(n.Inputs) == 2:
			return b.For(n, i, Scale(dy, s, n.Inputs[1]))
		default:
			return b.For(n, i, Scale(dy, s, nil))
		}
	}
}

func scale[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.Scale(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.Scratch[0])
}

var dotOp = &Op{
	Name:    "dot",
	Formula: "s <x, y> (x, y; scale s)",
	Shape:   dotShape,
	Float32: Kernel[float32]{Whole: dot[float32]},
	Float64: Kernel[float64]{Whole: dot[float64]},
}

// dotShape is a number's, for operators that sum over two values of equal shapes.
func dotShape(n *Node) ([]int, error) {
	if _, err := shapeOfFirst(2)(n); err != nil {
		return nil, err
	}
	return []int{}, nil
}

func dot[T tensor.Float](c *Call[T]) {
	c.Out.Data[0] = T(c.Attrs["scale"] * tensor.DotWithin(c.Workers, c.In[0], c.In[1]))
}
