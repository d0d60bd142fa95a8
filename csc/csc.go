// Package csc is convolutional sparse coding: the problem
//
//	min over z of  lambda |z|_1 + mu/2 |z|^2 + 1/2 |x - A z|^2,  optionally with z >= 0,        (B.1) with mu = 0
//
// its dictionary A, the solver FISTA unrolled in a graph, the step size from power iteration, and the layer that a network is
// made of. Equation numbers are those of the supplement of Dai et al., "Revisiting Sparse Convolutional Model for Visual
// Recognition" (NeurIPS 2022); docs/paper.md lists where each equation is in the code. In (A.2) the paper gives x M
// channels and z C; the published weights and this project give x C channels and z M.
//
// Shapes: x (N, C, H, W), the signal; z (N, M, Ho, Wo), the code; w (M, C, k, k), the dictionary's atoms as the published
// weights hold them. Signals of one axis, x (N, C, L), z (N, M, Lo), w (M, C, k), and the matrix case, x (N, C), z (N, M),
// w (M, C), go through the same functions: a height or width that is not there is 1. In the matrix case A z = z w and A*x =
// x w*, one row per signal; tokens (B, T, C) are B*T signals. It is for readers of the paper and for those who build networks;
// it knows nothing of networks.
package csc

import (
	"fmt"
	"slices"
	"strings"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/internal/misuse"
	"sdref/internal/names"
	"sdref/tensor"
)

// Settings says which problem a layer poses and how far it is solved.
type Settings struct {
	conv.Geometry         // of the analysis A*; its output padding is not used, the signal's size being known
	Lambda        float64 // weight of |z|_1
	Mu            float64 // weight of |z|^2/2: the elastic net
	Nonnegative   bool    // z >= 0, as in the published networks
	Iterations    int     // of FISTA, at least 1; the published networks use 2
	Variant       Variant // where FISTA takes the gradient
	UnitNormAtoms bool    // atoms are kept at |atom| = 1

	Gradient    Gradient // how the backward pass differentiates the code
	LearnLambda bool     // lambda is a parameter of each layer, and Lambda where it starts
	LearnStep   bool     // so is a factor on the step size, which starts at 1
}

// Variant is the point at which FISTA takes the gradient from its third iteration on. The two agree up to two iterations. In
// long runs without the elastic net, Published converges slowly: its gradient does not see the momentum.
type Variant int

const (
	Published Variant = iota // at the last iterate z_k, as the authors' code does
	Paper                    // at the extrapolated point y_k, as (A.1) says
)

var variantNames = []string{Published: "published", Paper: "paper"}

func (v Variant) String() string { return names.Of(v, variantNames) }

// ParseVariant is the inverse of String.
func ParseVariant(name string) (Variant, error) {
	return names.Parse[Variant]("FISTA variant", name, variantNames)
}

// MarshalText returns the name, for files and flags.
func (v Variant) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText is ParseVariant.
func (v *Variant) UnmarshalText(text []byte) (err error) {
	*v, err = ParseVariant(string(text))
	return err
}

// String says what is not as in the zero value: the problem, the solver, the geometry.
func (s Settings) String() string {
	words := []string{fmt.Sprintf("lambda %g", s.Lambda)}
	add := func(is bool, format string, args ...any) {
		if is {
			words = append(words, fmt.Sprintf(format, args...))
		}
	}
	add(s.Mu != 0, "mu %g", s.Mu)
	add(s.Nonnegative, "z >= 0")
	add(s.UnitNormAtoms, "atoms of norm 1")
	add(true, "%d iterations", s.Iterations)
	add(s.Variant != Published, "variant %v", s.Variant)
	add(s.Gradient != Unrolled, "gradient %v", s.Gradient)
	add(s.LearnLambda, "lambda learned")
	add(s.LearnStep, "step learned")
	add(true, "%v", s.Geometry)
	return strings.Join(words, ", ")
}

// Shrinkage is the settings of the shrinkage (A.3).
func (s Settings) Shrinkage() autodiff.Shrinkage {
	return autodiff.Shrinkage{Lambda: s.Lambda, Mu: s.Mu, Nonnegative: s.Nonnegative}
}

// PaperKernel returns the kernel of the paper's convention, in which A itself is the convolution (A.6),
//
//	(A z)_c = sum over m of p[c,m] * z_m,   p[c,m,u,v] = w[m,c,k-1-u,k-1-v] :
//
// atoms flipped, signal and code channels exchanged. Shapes: w (M, C, KH, KW), p (C, M, KH, KW). It exists at stride 1 only;
// with p, A is conv.Forward and A* is conv.Transpose, both with PaperGeometry. Applied twice it gives w back.
func PaperKernel[T tensor.Float](w *tensor.Tensor[T]) *tensor.Tensor[T] {
	shape := slices.Clone(w.Shape)
	shape[0], shape[1] = shape[1], shape[0]
	p := tensor.New[T](shape...)
	taps := tensor.Size(shape[2:]) // the last is the first, along all axes at once
	for i := range w.Shape[0] {
		for j := range w.Shape[1] {
			for k := range taps {
				p.Data[(j*w.Shape[0]+i)*taps+k] = w.Data[(i*w.Shape[1]+j)*taps+taps-1-k]
			}
		}
	}
	return p
}

// PaperGeometry is the geometry that goes with PaperKernel for a kernel of the given side: padding d(k-1) - p.
func PaperGeometry(g conv.Geometry, kernel int) conv.Geometry {
	if g.Stride > 1 {
		panic(misuse.Errorf("csc: the paper's convention (A.6) has no stride, got %v", g))
	}
	reach := max(1, g.Dilation) * (kernel - 1)
	if g.Padding > reach {
		panic(misuse.Errorf("csc: padding %d exceeds the kernel's reach %d: the paper's convention (A.6) has no such form", g.Padding, reach))
	}
	g.Padding = reach - g.Padding
	return g
}

// Objective is lambda |z|_1 + mu/2 |z|^2 + 1/2 |x - A z|^2, (B.1), summed over the batch in float64, and its three terms.
func Objective[T tensor.Float](x, z, w *tensor.Tensor[T], s Settings) (total, sparsity, ridge, fidelity float64) {
	r := tensor.New[T](x.Shape...)
	conv.Transpose(r, z, w, s.Geometry)
	tensor.AddScaled(r, x, r, -1)
	sparsity = float64(s.Lambda * tensor.SumAbs(z)) // rounded: the compiler must not fuse it into the sum
	ridge = float64(s.Mu / 2 * tensor.SumSquares(z))
	fidelity = tensor.SumSquares(r) / 2
	return sparsity + ridge + fidelity, sparsity, ridge, fidelity
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
