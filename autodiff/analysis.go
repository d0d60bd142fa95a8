package autodiff

import (
	"errors"
	"slices"

	"sdref/conv"
	"sdref/tensor"
)

// Analysis returns A*x, (A.2): the convolution (PyTorch's conv2d)
//
//	y[n,m,i,j] = sum over c, u, v of w[m,c,u,v] x[n,c,i*s+u*d-p,j*s+v*d-p] .
//
// Shapes: x (N, C, H, W), w (M, C, KH, KW), y (N, M, Ho, Wo), or with one axis or none as in package conv. Pullbacks: dx =
// Synthesis(dy, w), dw = Filter(x, dy).
func Analysis(x, w *Node, g conv.Geometry) *Node { return Apply(analysisOp, geometry(g), x, w) }

// Synthesis returns A z, the adjoint of Analysis: the transposed convolution (PyTorch's conv_transpose2d) that gives signals of
// the given height and width; an axis that is not there has size 1. In the paper's convention A itself is a conv2d, (A.6). Shapes: z (N, M, Ho, Wo), w (M, C, KH, KW), x (N, C, H, W).
// Pullbacks: dz = Analysis(dx, w), dw = Filter(dx, z).
func Synthesis(z, w *Node, height, width int, g conv.Geometry) *Node {
	a := geometry(g)
	a["height"], a["width"] = float64(height), float64(width)
	return Apply(synthesisOp, a, z, w)
}

// Filter returns the gradient of Analysis's kernel, of side KH x KW, for the signal x and the gradient y of the code,
//
//	w[m,c,u,v] = sum over n, i, j of y[n,m,i,j] x[n,c,i*s+u*d-p,j*s+v*d-p] .
func Filter(x, y *Node, kernel []int, g conv.Geometry) *Node {
	a := geometry(g)
	sides := append([]int{1, 1}, kernel...)
	a["kernel_height"], a["kernel_width"] = float64(sides[len(sides)-2]), float64(sides[len(sides)-1])
	return Apply(filterOp, a, x, y)
}

// geometry is a convolution's settings.
func geometry(g conv.Geometry) Attrs {
	a := Attrs{"stride": float64(max(1, g.Stride)), "padding": float64(g.Padding), "dilation": float64(max(1, g.Dilation))}
	if g.Algorithm != conv.Direct {
		a["algorithm"] = float64(g.Algorithm)
	}
	return a
}

// fits is the error of shapes that are none of a convolution, instead of conv's panic.
func fits(check func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(error)
			if !ok {
				panic(r)
			}
			err = e
		}
	}()
	check()
	return nil
}

var analysisOp = &Op{
	Name:    "analysis",
	Formula: "A*x: y[n,m,i,j] = sum w[m,c,u,v] x[n,c,i*s+u*d-p,j*s+v*d-p] (x, w; stride, padding, dilation)",
	Shape: func(n *Node) (y []int, err error) {
		x, w, g := n.Inputs[0].Shape, n.Inputs[1].Shape, n.Geometry()
		return y, errors.Join(fits(func() {
			y = g.CodeShape(x, w)
			g.Check("Forward", x, w, y)
		}))
	},
	Float32: Kernel[float32]{Contract: analysis[float32]},
	Float64: Kernel[float64]{Contract: analysis[float64]},
}

func analysis[T tensor.Float](c *Call[T], then conv.Then) {
	conv.ForwardThen(c.Out, c.In[0], c.In[1], c.Geometry(), then)
}

var synthesisOp = &Op{
	Name:    "synthesis",
	Formula: "A z, the adjoint of analysis (z, w; stride, padding, dilation, height, width)",
	Shape: func(n *Node) (x []int, err error) {
		z, w, g := n.Inputs[0].Shape, n.Inputs[1].Shape, n.Geometry()
		return x, errors.Join(fits(func() {
			x = conv.WithSizes(g.SignalShape(z, w), n.Int("height"), n.Int("width"))
			g.Check("Transpose", x, w, z)
		}))
	},
	Float32: Kernel[float32]{Contract: synthesis[float32]},
	Float64: Kernel[float64]{Contract: synthesis[float64]},
	// Where images are large, channels are few, so computing this again trades little time for much memory.
	Cheap: func(n *Node) bool {
		z, w := n.Inputs[0].Shape, n.Inputs[1].Shape
		return tensor.Size(z)*tensor.Size(w[1:]) <= cheapLinks*tensor.Size(n.Shape)
	},
}

func synthesis[T tensor.Float](c *Call[T], then conv.Then) {
	conv.TransposeThen(c.Out, c.In[0], c.In[1], c.Geometry(), then)
}

// cheapLinks is the most multiply-adds an element at which a synthesis is computed again for the gradient rather than kept: 64
// channels with 3x3 kernels.
const cheapLinks = 64 * 3 * 3

// Analysis and synthesis are each other's derivative, which no initial value can say.
func init() {
	analysisOp.Pull = func(b *Gradient, n *Node, i int, dy *Node) *Node {
		x, w := n.Inputs[0], n.Inputs[1]
		if i == 0 {
			height, width := conv.Sizes(x.Shape)
			return b.For(n, 0, Synthesis(dy, w, height, width, n.Geometry()))
		}
		return b.For(n, 1, Filter(x, dy, w.Shape[2:], n.Geometry()))
	}
	synthesisOp.Pull = func(b *Gradient, n *Node, i int, dx *Node) *Node {
		z, w := n.Inputs[0], n.Inputs[1]
		if i == 0 {
			return b.For(n, 0, Analysis(dx, w, n.Geometry()))
		}
		return b.For(n, 1, Filter(dx, z, w.Shape[2:], n.Geometry()))
	}
}

var filterOp = &Op{
	Name:    "filter",
	Formula: "gradient of the kernel of analysis (x, y; stride, padding, dilation, kernel_height, kernel_width)",
	Shape: func(n *Node) (w []int, err error) {
		x, y := n.Inputs[0].Shape, n.Inputs[1].Shape
		sides := []int{n.Int("kernel_height"), n.Int("kernel_width")}
		return w, errors.Join(fits(func() {
			w = slices.Concat([]int{y[1], x[1]}, sides[4-len(x):])
			n.Geometry().Check("Filter", x, w, y)
		}))
	},
	Float32: Kernel[float32]{Whole: filter[float32]},
	Float64: Kernel[float64]{Whole: filter[float64]},
}

func filter[T tensor.Float](c *Call[T]) { conv.WeightGradient(c.Out, c.In[0], c.In[1], c.Geometry()) }
