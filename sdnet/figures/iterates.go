package figures

import (
	"sdref/csc"
	"sdref/tensor"
)

// Iterate is FISTA's iterate z_k on a signal.
type Iterate struct {
	K         int
	Objective float64 // lambda |z|_1 + mu/2 |z|^2 + 1/2 |x - A z|^2, (B.1)
	Sparsity  float64 // lambda |z|_1
	Fidelity  float64 // 1/2 |x - A z|^2
	Nonzeros  int
	Move      float64 // |z_k - z_{k-1}|, with z_0 = 0
}

// Iterates returns the first iterates of FISTA on a signal x (N, C, H, W) with a layer's dictionary and step
// size and the given variant. Each is computed from the start by csc.Solve.
func Iterates[T tensor.Float](l *csc.Layer[T], x *tensor.Tensor[T], iterations int, v csc.Variant) []Iterate {
	s := l.Settings
	s.Variant = v
	var list []Iterate
	var before *tensor.Tensor[T]
	for s.Iterations = 1; s.Iterations <= iterations; s.Iterations++ {
		z := solve(l, x, s)
		i := Iterate{K: s.Iterations, Nonzeros: tensor.CountNonzero(z)}
		i.Objective, i.Sparsity, _, i.Fidelity = csc.Objective(x, z, l.Weight, s)
		i.Move = distance(z, before)
		list = append(list, i)
		before = z
	}
	return list
}

// Limit returns the objective after the given number of iterations of the paper's variant, as an estimate of
// its minimum.
func Limit[T tensor.Float](l *csc.Layer[T], x *tensor.Tensor[T], iterations int) float64 {
	s := l.Settings
	s.Variant, s.Iterations = csc.Paper, iterations
	objective, _, _, _ := csc.Objective(x, solve(l, x, s), l.Weight, s)
	return objective
}

// solve is FISTA with the layer's dictionary and step size and other settings.
func solve[T tensor.Float](l *csc.Layer[T], x *tensor.Tensor[T], s csc.Settings) *tensor.Tensor[T] {
	return csc.Solve(x, l.Weight, l.StepSize.Data[0], s)
}
