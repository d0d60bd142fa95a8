package autodiff

import (
	"errors"
	"fmt"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// Sum returns the sum of all elements, a number, summed in float64. Pullback: dx = dy at every element.
func Sum(x *Node) *Node { return Apply(sumOp, Attrs{"divisor": 1}, x) }

// Mean returns the mean of all elements, a number, summed in float64 and divided once. Pullback: dx = dy/n at every one of the n
// elements. No elements are a panic with a *ShapeError.
func Mean(x *Node) *Node { return Apply(sumOp, Attrs{"divisor": float64(tensor.Size(x.Shape))}, x) }

var sumOp = &Op{
	Name:    "sum",
	Formula: "(sum of all elements)/d (x; divisor d)",
	Shape: func(n *Node) ([]int, error) {
		if n.Attrs["divisor"] == 0 {
			return nil, errors.New("no elements have no mean")
		}
		return []int{}, nil
	},
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		a := Attrs{"divisor": n.Attrs["divisor"], "axes": float64(len(n.Inputs[0].Shape))}
		for axis, side := range n.Inputs[0].Shape {
			a[sideName(axis)] = float64(side)
		}
		return b.For(n, i, Apply(sumGradOp, a, b.Seed(n, dy)))
	},
	Float32: Kernel[float32]{Whole: sum[float32]},
	Float64: Kernel[float64]{Whole: sum[float64]},
}

// sideName is the setting that holds a side of a shape.
func sideName(axis int) string { return fmt.Sprintf("side%d", axis) }

func sum[T tensor.Float](c *Call[T]) { c.Out.Data[0] = T(tensor.Sum(c.In[0]) / c.Attrs["divisor"]) }

var sumGradOp = &Op{
	Name:    "sum_grad",
	Formula: "dy/d everywhere (dy; divisor d, axes, side0, side1, ...)",
	Shape: func(n *Node) ([]int, error) {
		if err := n.mustHaveAxes(0, 0); err != nil {
			return nil, err
		}
		shape := make([]int, n.Int("axes"))
		for axis := range shape {
			shape[axis] = n.Int(sideName(axis))
		}
		return shape, nil
	},
	Float32: Kernel[float32]{Whole: sumGrad[float32]},
	Float64: Kernel[float64]{Whole: sumGrad[float64]},
}

func sumGrad[T tensor.Float](c *Call[T]) {
	share := T(c.Scalar(0) / c.Attrs["divisor"])
	c.limit().Ranges(c.Out.Len(), parallel.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			c.Out.Data[i] = share
		}
	})
}
