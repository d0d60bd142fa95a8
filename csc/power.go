package csc

import (
	"math"

	"sdref/conv"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// The stopping rule of the power iteration and the share of 1/lambda_max that the step size takes, as published.
const (
	PowerTolerance = 1e-5 // on the squared norm of the update
	PowerRounds    = 50   // at the most
	StepShare      = 0.9
)

// Estimate is what power iteration found out about the largest eigenvalue of A*A.
type Estimate struct {
	Value     float64 // <v, A*A v> = |A v|^2: a lower bound of the largest eigenvalue, (A.5)
	Rounds    int     // how many were done
	Change    float64 // squared norm of the last update of v
	Converged bool    // Change <= PowerTolerance; otherwise the rounds ran out
}

// Step is the step size 0.9/lambda.
func (e Estimate) Step() float64 { return StepShare / e.Value }

// PowerIteration improves v (1, M, Ho, Wo) in place towards the eigenvector of A*A with the largest eigenvalue,
//
//	v <- A*A v / |A*A v|                                    (A.4)
//
// until the squared norm of the update is at most PowerTolerance or PowerRounds are done, and returns |A v|^2 (A.5). height and
// width are the signal's. The norm is floored at 1e-12. At least one round is done.
//
// Fifty rounds often do not converge: the value is then a lower bound that may be a few per cent low, and the step 0.9/value
// exceeds 0.9/lambda_max by as much.
func PowerIteration[T tensor.Float](v, w *tensor.Tensor[T], height, width int, g conv.Geometry) Estimate {
	signal := tensor.New[T](signalShape(1, w, height, width)...)
	u := tensor.New[T](v.Shape...)
	e := Estimate{Change: math.Inf(1)}
	for e.Rounds < PowerRounds && !e.Converged {
		conv.Transpose(signal, v, w, g)
		conv.Forward(u, signal, w, g)
		tensor.Scale(u, u, T(1/max(math.Sqrt(tensor.SumSquares(u)), 1e-12)))
		tensor.AddScaled(v, u, v, -1) // the update
		e.Rounds++
		e.Change = tensor.SumSquares(v)
		copy(v.Data, u.Data)
		e.Converged = e.Change <= PowerTolerance
	}
	conv.Transpose(signal, v, w, g)
	e.Value = tensor.SumSquares(signal)
	return e
}

// signalShape is the shape of n signals for atoms w.
func signalShape[T tensor.Float](n int, w *tensor.Tensor[T], height, width int) []int {
	shape := conv.WithSizes(w.Shape, height, width)
	shape[0] = n
	return shape
}

// NormalizeAtoms divides each atom w[m] by its l2 norm, floored at 1e-12, in place.
func NormalizeAtoms[T tensor.Float](w *tensor.Tensor[T]) {
	parallel.Ranges(w.Shape[0], 8, func(lo, hi int) {
		for m := lo; m < hi; m++ {
			atom := w.Row(m)
			norm := max(math.Sqrt(tensor.SumSquares(atom)), 1e-12)
			for i, a := range atom.Data {
				atom.Data[i] = T(float64(a) / norm)
			}
		}
	})
}
