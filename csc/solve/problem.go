// Package solve treats convolutional sparse coding as an optimisation problem,
//
//	min over z of  F(z) = lambda |z|_1 + mu/2 |z|^2 + 1/2 |x - A z|^2,   (B.1) with mu = 0,
//
// optionally with z >= 0, solved to any accuracy, and certified: Certify bounds how far F(z) is above its
// minimum, for any z.
//
// Shapes: x (N, C, H, W), the signal; z (N, M, Ho, Wo), the code; w (M, C, KH, KW), the atoms. The N images
// are separate problems.
//
// It is for people who need the solution itself, or a bound of the error of one. It knows nothing of
// differentiation, layers and networks: the unrolled iterations of a layer are in package csc.
package solve

import (
	"fmt"
	"slices"

	"sdref/csc"
	"sdref/internal/misuse"
	"sdref/tensor"
)

// Problem is one problem, (B.1), for each image of a batch.
type Problem[T tensor.Float] struct {
	A           Dictionary[T]
	X           *tensor.Tensor[T] // (N, C, H, W)
	Lambda      float64           // weight of |z|_1
	Mu          float64           // weight of |z|^2/2
	Nonnegative bool              // z >= 0
}

// FromSettings is the problem that a layer with weights w solves for x, whatever its number of iterations.
func FromSettings[T tensor.Float](x, w *tensor.Tensor[T], s csc.Settings) *Problem[T] {
	return &Problem[T]{A: ZeroPadded(w, s.Geometry), X: x, Lambda: s.Lambda, Mu: s.Mu,
		Nonnegative: s.Nonnegative}
}

// Check returns an error if the problem is not valid. Solvers and Certify panic with it.
func (p *Problem[T]) Check() error {
	if !(p.Lambda >= 0) || !(p.Mu >= 0) || p.Lambda > maxWeight || p.Mu > maxWeight {
		return fmt.Errorf("lambda %g, mu %g: must be finite and not negative", p.Lambda, p.Mu)
	}
	return p.A.check(p.X.Shape)
}

// maxWeight is the greatest lambda or mu: sums of squares stay finite.
const maxWeight = 1e100

func (p *Problem[T]) mustBeValid(op string) {
	if err := p.Check(); err != nil {
		panic(misuse.Errorf("solve.%s: %v", op, err))
	}
}

// CodeShape is the shape of z.
func (p *Problem[T]) CodeShape() []int { return p.A.CodeShape(p.X.Shape) }

// Convert is the problem with its numbers in another type. From float32 to float64 it is exact.
func Convert[To, T tensor.Float](p *Problem[T]) *Problem[To] {
	return &Problem[To]{
		A: Dictionary[To]{Atoms: tensor.Convert[To](p.A.Atoms), Geometry: p.A.Geometry,
			Boundary: p.A.Boundary},
		X: tensor.Convert[To](p.X), Lambda: p.Lambda, Mu: p.Mu, Nonnegative: p.Nonnegative,
	}
}

// image is the problem of image n alone; it shares the numbers.
func (p *Problem[T]) image(n int) *Problem[T] {
	q := *p
	q.X = oneImage(p.X, n)
	return &q
}

// oneImage is image n of a batch as a batch of one that shares its elements.
func oneImage[T tensor.Float](t *tensor.Tensor[T], n int) *tensor.Tensor[T] {
	return t.Row(n).Reshape(slices.Concat([]int{1}, t.Shape[1:])...)
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
