package figures

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// Round is a round of power iteration.
type Round struct {
	Value  float64 // |A v|^2, (A.5)
	Change float64 // squared norm of the update of v
}

// PowerRounds returns the given number of rounds of a layer's power iteration, (A.4) and (A.5), from the
// start vector of csc.NewLayer. They continue after the round where csc.PowerIteration stops. The layer is
// not changed.
func PowerRounds[T tensor.Float](l *csc.Layer[T], rounds int) []Round {
	v := csc.NewLayer[T](l.Weight.Shape[0], l.Weight.Shape[1], l.Weight.Shape[2], l.Height, l.Width,
		l.Settings).Vector
	signal, u := tensor.New[T](1, l.Weight.Shape[1], l.Height, l.Width), tensor.New[T](v.Shape...)
	var list []Round
	for range rounds {
		conv.Transpose(signal, v, l.Weight, l.Geometry)
		conv.Forward(u, signal, l.Weight, l.Geometry)
		tensor.Scale(u, u, T(1/max(math.Sqrt(tensor.SumSquares(u)), 1e-12)))
		move := distance(u, v)
		copy(v.Data, u.Data)
		conv.Transpose(signal, v, l.Weight, l.Geometry)
		list = append(list, Round{Value: tensor.SumSquares(signal), Change: float64(move * move)})
	}
	return list
}

// SingularValues returns the singular values of a dictionary w (M, C, k, k) as a matrix of M rows, largest
// first. They show how many directions of the space of patches the atoms use.
func SingularValues[T tensor.Float](w *tensor.Tensor[T]) ([]float64, error) {
	rows := w.Shape[0]
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(rows, w.Len()/rows, slices.Clone(tensor.Convert[float64](w).Data)),
		mat.SVDNone) {
		return nil, fmt.Errorf("no singular values of a matrix of %d rows were found", rows)
	}
	return svd.Values(nil), nil
}

// distance is |a - b|; b nil counts as zero.
func distance[T tensor.Float](a, b *tensor.Tensor[T]) float64 {
	if b == nil {
		return math.Sqrt(tensor.SumSquares(a))
	}
	d := tensor.New[T](a.Shape...)
	tensor.AddScaled(d, a, b, -1)
	return math.Sqrt(tensor.SumSquares(d))
}
