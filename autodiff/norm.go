package autodiff

import (
	"errors"
	"math"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// leastNorm is the floor of the norms that vectors are divided by, as published.
const leastNorm = 1e-12

// SumSquares returns |v|^2, summed in float64: the eigenvalue (A.5) where v is A times a vector of norm 1. No gradient.
func SumSquares(v *Node) *Node { return Apply(sumSquaresOp, nil, v) }

// Distance returns |a - b|^2, summed in float64. No gradient.
func Distance(a, b *Node) *Node { return Apply(distanceOp, nil, a, b) }

// Unit returns v/|v|, the norm floored at 1e-12: what power iteration (A.4) makes of A*A v. No gradient.
func Unit(v *Node) *Node { return Apply(unitOp, nil, v) }

// UnitAtoms returns w (M, ...) with each atom w[m] divided by its norm, floored at 1e-12. No gradient.
func UnitAtoms(w *Node) *Node { return Apply(unitAtomsOp, nil, w) }

// StepSize returns share/s for the eigenvalue s. No gradient.
func StepSize(s *Node, share float64) *Node { return Apply(stepSizeOp, Attrs{"share": share}, s) }

// Rounds returns the number of the first change that is at most tolerance, or how many there are: the rounds that power
// iteration does. No gradient.
func Rounds(tolerance float64, changes ...*Node) *Node {
	return Apply(roundsOp, Attrs{"tolerance": tolerance}, changes...)
}

var sumSquaresOp = &Op{
	Name:    "sum_squares",
	Formula: "|v|^2 (v)",
	Shape:   scalarShape,
	Wide:    true,
	Float32: Kernel[float32]{Whole: sumSquares[float32]},
	Float64: Kernel[float64]{Whole: sumSquares[float64]},
}

func sumSquares[T tensor.Float](c *Call[T]) { c.Wide[0] = tensor.SumSquares(c.In[0]) }

var distanceOp = &Op{
	Name:    "distance",
	Formula: "|a - b|^2 (a, b)",
	Shape:   dotShape,
	Wide:    true,
	Float32: Kernel[float32]{Whole: distance[float32]},
	Float64: Kernel[float64]{Whole: distance[float64]},
}

func distance[T tensor.Float](c *Call[T]) {
	d := c.arena.Get(c.In[0].Shape...)
	tensor.AddScaledWithin(c.Workers, d, c.In[0], c.In[1], -1)
	c.Wide[0] = tensor.SumSquaresWithin(c.Workers, d)
	c.arena.Put(d)
}

var unitOp = &Op{
	Name:    "unit",
	Formula: "v/|v|, the norm floored at 1e-12 (v)",
	Shape:   likeInput(0),
	Float32: Kernel[float32]{Whole: unit[float32]},
	Float64: Kernel[float64]{Whole: unit[float64]},
}

func unit[T tensor.Float](c *Call[T]) {
	scale := T(1 / max(math.Sqrt(tensor.SumSquaresWithin(c.Workers, c.In[0])), leastNorm))
	c.limit().Ranges(c.Out.Len(), tensor.Grain, func(lo, hi int) { c.set.Scale(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], scale) })
}

var unitAtomsOp = &Op{
	Name:    "unit_atoms",
	Formula: "each w[m] divided by its norm, floored at 1e-12 (w)",
	Shape: func(n *Node) ([]int, error) {
		if len(n.Inputs[0].Shape) == 0 {
			return nil, errors.New("a number has no atoms")
		}
		return n.Inputs[0].Shape, nil
	},
	Float32: Kernel[float32]{Whole: unitAtoms[float32]},
	Float64: Kernel[float64]{Whole: unitAtoms[float64]},
}

func unitAtoms[T tensor.Float](c *Call[T]) { NormalizeAtomsWithin(c.Workers, c.Out, c.In[0]) }

// NormalizeAtoms sets dst to w with each atom w[m] divided by its norm, floored at 1e-12; dst may be w.
func NormalizeAtoms[T tensor.Float](dst, w *tensor.Tensor[T]) { NormalizeAtomsWithin(0, dst, w) }

// NormalizeAtomsWithin is NormalizeAtoms on at most so many goroutines; 0 is no limit but GOMAXPROCS.
func NormalizeAtomsWithin[T tensor.Float](workers int, dst, w *tensor.Tensor[T]) {
	tensor.MustMatch("NormalizeAtoms", dst.Shape, w.Shape)
	parallel.Limit(workers).Ranges(w.Shape[0], 8, func(lo, hi int) {
		for m := lo; m < hi; m++ {
			atom, out := w.Row(m), dst.Row(m).Data
			norm := max(math.Sqrt(tensor.SumSquares(atom)), leastNorm)
			for i, a := range atom.Data {
				out[i] = T(float64(a) / norm)
			}
		}
	})
}

var stepSizeOp = &Op{
	Name:    "step",
	Formula: "share/s (s; share)",
	Shape:   shapeOfFirst(0),
	Float32: Kernel[float32]{Whole: stepSize[float32]},
	Float64: Kernel[float64]{Whole: stepSize[float64]},
}

func stepSize[T tensor.Float](c *Call[T]) { c.Out.Data[0] = T(c.Attrs["share"] / c.Scalar(0)) }

var roundsOp = &Op{
	Name:    "rounds",
	Formula: "the number of the first change at most tolerance, else how many there are (change, ...; tolerance)",
	Shape:   shapeOfFirst(0),
	Float32: Kernel[float32]{Whole: rounds[float32]},
	Float64: Kernel[float64]{Whole: rounds[float64]},
}

func rounds[T tensor.Float](c *Call[T]) {
	c.Out.Data[0] = T(len(c.In))
	for i := range c.In {
		if c.Scalar(i) <= c.Attrs["tolerance"] {
			c.Out.Data[0] = T(i + 1)
			return
		}
	}
}
