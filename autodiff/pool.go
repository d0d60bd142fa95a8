package autodiff

import (
	"errors"
	"fmt"
	"slices"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// MaxPool returns the maximum over size x size windows at the given stride, of x with padding borders that never win.
// Shapes: x (N, C, H, W), y (N, C, Ho, Wo) with Ho = floor((H + 2*padding - size)/stride) + 1. Of equal elements the first
// in row-major order wins; a NaN wins over all. Pullback: dy goes to the winner.
func MaxPool(x *Node, size, stride, padding int) *Node {
	return Apply(maxPoolOp, Attrs{"size": float64(size), "stride": float64(stride), "padding": float64(padding)}, x)
}

// AveragePool returns each channel's mean over all pixels. Shapes: x (N, C, H, W), y (N, C). The sum is in float64.
// Pullback: dx = dy/(H*W) at every pixel.
func AveragePool(x *Node) *Node { return Apply(averagePoolOp, nil, x) }

var maxPoolOp = &Op{
	Name:    "max_pool",
	Formula: "maximum over windows, of borders that never win (x; size, stride, padding)",
	Shape:   pooledShape,
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Apply(maxPoolGradOp, n.Attrs, n.Inputs[0], dy))
	},
	Float32: Kernel[float32]{Whole: maxPool[float32]},
	Float64: Kernel[float64]{Whole: maxPool[float64]},
}

// pooledShape is the shape of a pooling of the first input.
func pooledShape(n *Node) ([]int, error) {
	if err := n.mustHaveAxes(0, 4); err != nil {
		return nil, err
	}
	x, size, stride, padding := n.Inputs[0].Shape, n.Int("size"), n.Int("stride"), n.Int("padding")
	if size < 1 || stride < 1 || padding < 0 || 2*padding > size || min(x[2], x[3])+2*padding < size {
		return nil, errors.New("the windows do not fit")
	}
	return []int{x[0], x[1], (x[2]+2*padding-size)/stride + 1, (x[3]+2*padding-size)/stride + 1}, nil
}

// windows calls visit with the place of each element of a plane of y, and with that of its window's winner in the plane of x, for
// planes lo..hi-1.
func windows[T tensor.Float](n *Node, x []T, in, out []int, lo, hi int, visit func(out, winner int)) {
	size, stride, padding := n.Int("size"), n.Int("stride"), n.Int("padding")
	h, w, ho, wo := in[2], in[3], out[2], out[3]
	for plane := lo; plane < hi; plane++ {
		for i := range ho {
			top, bottom := max(0, i*stride-padding), min(h, i*stride-padding+size)
			for j := range wo {
				best := -1
				for a := top; a < bottom; a++ {
					for b := max(0, j*stride-padding); b < min(w, j*stride-padding+size); b++ {
						at := (plane*h+a)*w + b
						if best < 0 || x[at] > x[best] || x[at] != x[at] {
							best = at
						}
					}
				}
				visit((plane*ho+i)*wo+j, best)
			}
		}
	}
}

// poolGrain is the least number of planes worth a goroutine of their own where windows goes through them.
const poolGrain = 8

// pairs tells whether the windows are 2x2 and side by side, which the kernels know.
func (n *Node) pairs() bool {
	return n.Int("size") == 2 && n.Int("stride") == 2 && n.Int("padding") == 0
}

// eachPairs calls body for ranges of planes, with the places of their elements in x and of their windows in y.
func eachPairs(limit parallel.Limit, x []int, body func(xLo, xHi, yLo, yHi int)) {
	area, windows := x[2]*x[3], x[2]/2*(x[3]/2)
	limit.Ranges(x[0]*x[1], max(1, parallel.Grain/max(1, area)), func(lo, hi int) {
		body(lo*area, hi*area, lo*windows, hi*windows)
	})
}

func maxPool[T tensor.Float](c *Call[T]) {
	x, y := c.In[0], c.Out
	if c.pairs() {
		eachPairs(c.limit(), x.Shape, func(xLo, xHi, yLo, yHi int) {
			c.set.MaxPool2(y.Data[yLo:yHi], x.Data[xLo:xHi], x.Shape[2], x.Shape[3])
		})
		return
	}
	c.limit().Ranges(x.Shape[0]*x.Shape[1], poolGrain, func(lo, hi int) {
		windows(c.Node, x.Data, x.Shape, y.Shape, lo, hi, func(out, winner int) { y.Data[out] = x.Data[winner] })
	})
}

var maxPoolGradOp = &Op{
	Name:    "max_pool_grad",
	Formula: "dy added up at each window's first largest element (x, dy; size, stride, padding)",
	Shape: func(n *Node) ([]int, error) {
		y, err := pooledShape(n)
		if err == nil && !slices.Equal(n.Inputs[1].Shape, y) {
			err = fmt.Errorf("%s must have shape %v", n.Inputs[1].Name, y)
		}
		return n.Inputs[0].Shape, err
	},
	Float32: Kernel[float32]{Whole: maxPoolGrad[float32]},
	Float64: Kernel[float64]{Whole: maxPoolGrad[float64]},
}

func maxPoolGrad[T tensor.Float](c *Call[T]) {
	x, dy, dx := c.In[0], c.In[1], c.Out
	if c.pairs() {
		eachPairs(c.limit(), x.Shape, func(xLo, xHi, yLo, yHi int) {
			c.set.MaxPool2Grad(dx.Data[xLo:xHi], x.Data[xLo:xHi], dy.Data[yLo:yHi], x.Shape[2], x.Shape[3])
		})
		return
	}
	plane := x.Shape[2] * x.Shape[3]
	c.limit().Ranges(x.Shape[0]*x.Shape[1], poolGrain, func(lo, hi int) {
		clear(dx.Data[lo*plane : hi*plane])
		windows(c.Node, x.Data, x.Shape, dy.Shape, lo, hi, func(out, winner int) { dx.Data[winner] += dy.Data[out] })
	})
}

var averagePoolOp = &Op{
	Name:    "average_pool",
	Formula: "mean of each channel of each image (x)",
	Shape: func(n *Node) ([]int, error) {
		if err := n.mustHaveAxes(0, 4); err != nil {
			return nil, err
		}
		return n.Inputs[0].Shape[:2], nil
	},
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		x := n.Inputs[0].Shape
		return b.For(n, i, Apply(averagePoolGradOp, Attrs{"height": float64(x[2]), "width": float64(x[3])}, dy))
	},
	Float32: Kernel[float32]{Whole: averagePool[float32]},
	Float64: Kernel[float64]{Whole: averagePool[float64]},
}

// averageGrain is the least number of planes whose means are worth a goroutine of their own.
const averageGrain = 64

func averagePool[T tensor.Float](c *Call[T]) {
	x, area := c.In[0], c.In[0].Shape[2]*c.In[0].Shape[3]
	c.limit().Ranges(c.Out.Len(), averageGrain, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			c.Out.Data[p] = T(c.set.Sum(x.Data[p*area:(p+1)*area]) / float64(area))
		}
	})
}

var averagePoolGradOp = &Op{
	Name:    "average_pool_grad",
	Formula: "dy/(height width) everywhere (dy; height, width)",
	Shape: func(n *Node) ([]int, error) {
		if err := n.mustHaveAxes(0, 2); err != nil {
			return nil, err
		}
		return append(slices.Clone(n.Inputs[0].Shape), n.Int("height"), n.Int("width")), nil
	},
	Float32: Kernel[float32]{Whole: averagePoolGrad[float32]},
	Float64: Kernel[float64]{Whole: averagePoolGrad[float64]},
}

func averagePoolGrad[T tensor.Float](c *Call[T]) {
	area := c.Int("height") * c.Int("width")
	c.limit().Ranges(c.In[0].Len(), averageGrain, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			share := T(float64(c.In[0].Data[p]) / float64(area))
			row := c.Out.Data[p*area : (p+1)*area]
			for i := range row {
				row[i] = share
			}
		}
	})
}
