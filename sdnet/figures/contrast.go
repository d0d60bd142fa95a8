package figures

import (
	"math"

	"sdref/internal/misuse"
	"sdref/tensor"
)

// Contrast returns images x (N, C, H, W) minus the mean of all N.
func Contrast[T tensor.Float](x *tensor.Tensor[T]) *tensor.Tensor[T] {
	mean, out := tensor.New[T](x.Row(0).Shape...), tensor.New[T](x.Shape...)
	for i := range x.Shape[0] {
		tensor.AddScaled(mean, mean, x.Row(i), 1)
	}
	tensor.Scale(mean, mean, T(1/float64(x.Shape[0])))
	for i := range x.Shape[0] {
		tensor.AddScaled(out.Row(i), x.Row(i), mean, -1)
	}
	return out
}

// Correlation is <a, b>/(|a| |b|), between -1 and 1: the similarity of a and b whatever their scales; 0 if
// one of them is 0.
func Correlation[T tensor.Float](a, b *tensor.Tensor[T]) float64 {
	if a.Len() != b.Len() {
		panic(misuse.Errorf("figures.Correlation: shapes %v and %v", a.Shape, b.Shape))
	}
	norms := math.Sqrt(tensor.SumSquares(a)) * math.Sqrt(tensor.SumSquares(b))
	if norms == 0 {
		return 0
	}
	return tensor.Dot(a, b) / norms
}
