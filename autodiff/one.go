package autodiff

import "sdref/tensor"

// Seed is dy, or a node whose value is 1 if dy is nil, as it is where Backward starts from n without a seed. Pullbacks that compute
// with dy ask for it.
func (b *Gradient) Seed(n, dy *Node) *Node {
	if dy != nil {
		return dy
	}
	return b.Once(n, "seed", func() *Node { return Apply(oneOp, nil, n) })
}

var oneOp = &Op{
	Name:    "one",
	Formula: "1 (y)",
	Shape: func(n *Node) ([]int, error) {
		return []int{}, n.mustHaveAxes(0, 0)
	},
	Float32: Kernel[float32]{Whole: one[float32]},
	Float64: Kernel[float64]{Whole: one[float64]},
}

func one[T tensor.Float](c *Call[T]) { c.Out.Data[0] = 1 }
