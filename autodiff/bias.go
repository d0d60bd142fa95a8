package autodiff

import (
	"errors"

	"sdref/tensor"
)

// Bias returns y = x + b, a number for each channel. Shapes: x, y (N, C, H, W), b (C). Pullbacks: dx = dy, db = the sum of dy over images
// and pixels, in float64.
func Bias(x, b *Node) *Node { return Apply(biasOp, nil, x, b) }

var biasOp = &Op{
	Name:    "bias",
	Formula: "x + b of each channel (x, b)",
	Shape: func(n *Node) ([]int, error) {
		if err := n.mustHaveAxes(0, 4); err != nil {
			return nil, err
		}
		x, b := n.Inputs[0].Shape, n.Inputs[1].Shape
		if len(b) != 1 || b[0] != x[1] {
			return nil, errors.New("want (N, C, H, W) and (C)")
		}
		return x, nil
	},
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		if i == 0 {
			return dy
		}
		return b.For(n, i, Apply(batchNormDBetaOp, nil, dy))
	},
	Float32:    Kernel[float32]{Begin: beginBias[float32], Each: bias[float32]},
	Float64:    Kernel[float64]{Begin: beginBias[float64], Each: bias[float64]},
	Aligned:    1,
	Overwrites: []int{0},
	Cheap:      func(*Node) bool { return true },
}

// beginBias prepares what the kernel of BatchNorm's y = (x - mean) scale + shift needs to add a number: mean 0 and scale 1.
func beginBias[T tensor.Float](c *Call[T]) {
	channels := c.Shape[1]
	s := c.grow(2 * channels)
	for ch := range channels {
		s[ch], s[channels+ch] = 0, 1
	}
}

func bias[T tensor.Float](c *Call[T], channel, lo, hi int) {
	channels, plane := c.Shape[1], c.Shape[2]*c.Shape[3]
	count := (hi - lo) / plane
	c.set.Normalize(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.Scratch[channel:][:count], c.Scratch[channels+channel:][:count],
		c.In[1].Data[channel:][:count])
}
