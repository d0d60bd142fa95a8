// Package spectrum bounds the largest eigenvalue of A*A, which decides on the step size of a CSC layer:
//
//	Lanczos' Ritz value  <=  lambda_max(A*A) = |A|^2  <=  UpperBound,
//
// for A, the synthesis of a convolutional dictionary on signals with borders of zeros: any stride, padding
// and dilation, two axes, one or none. A gradient step t decreases the objective if t <= 1/lambda_max; that t
// lambda_max < 1 is proven where t times the upper bound is below 1, and refuted where t times a Ritz value
// exceeds 1. All eigenvalues are computed for A on a torus (TorusEigenvalues), by the symbol that the upper
// bound comes from too.
//
// It is for people who want to know whether a step size is safe. It computes in float64 whatever the type of
// the weights is, which it takes as exact. It knows nothing of codes, solvers and networks.
package spectrum

import (
	"slices"

	"sdref/conv"
	"sdref/tensor"
)

// Operator is A for signals of one size, with atoms in float64.
type Operator struct {
	weight       *tensor.Tensor[float64] // (M, C, KH, KW), (M, C, K) or (M, C)
	signal, code []int                   // shapes, of one image
	conv.Geometry
	rows, cols axis
	mask       *tensor.Tensor[float64] // nil, or a code whose elements that are not 0 are the support
}

// axis is what A does along one axis of the image. One that the signal does not have has sizes 1, stride 1
// and no padding.
type axis struct{ size, kernel, stride, padding, dilation int }

// New returns the operator of atoms w (M, C, KH, KW), (M, C, K) or (M, C) on signals (C, height, width), with
// height 1 where signals have no rows, and width 1 where they have no columns. Shapes that do not fit are a
// panic.
func New[T tensor.Float](w *tensor.Tensor[T], height, width int, g conv.Geometry) *Operator {
	g.Algorithm = conv.Direct
	o := &Operator{weight: tensor.Convert[float64](w), Geometry: g}
	o.signal = conv.WithSizes(w.Shape, height, width)
	o.signal[0] = 1
	o.code = g.CodeShape(o.signal, w.Shape)
	g.Check("spectrum.New", o.signal, w.Shape, o.code)
	kernelRows, kernelCols := conv.Sizes(w.Shape)
	o.rows, o.cols = axis{1, 1, 1, 0, 1}, axis{1, 1, 1, 0, 1}
	if len(w.Shape) > 2 {
		o.cols = axis{width, kernelCols, max(1, g.Stride), g.Padding, max(1, g.Dilation)}
	}
	if len(w.Shape) > 3 {
		o.rows = axis{height, kernelRows, max(1, g.Stride), g.Padding, max(1, g.Dilation)}
	}
	return o
}

// On returns A restricted to codes with the support of z (M, Ho, Wo), or of whatever shape a code has. Its
// largest eigenvalue limits the step once the support no longer changes, and may be far smaller than that of
// A*A. UpperBound is still the one of all codes.
func (o *Operator) On(z *tensor.Tensor[float64]) *Operator {
	on := *o
	on.mask = z.Reshape(o.code...)
	return &on
}

// apply sets dst to A A*v for signals or to A*A v for codes, whichever v is; between is scratch of the other
// kind.
func (o *Operator) apply(dst, between, v *tensor.Tensor[float64]) {
	if slices.Equal(v.Shape, o.signal) {
		conv.Forward(between, v, o.weight, o.Geometry)
		o.restrict(between)
		conv.Transpose(dst, between, o.weight, o.Geometry)
		return
	}
	copy(dst.Data, v.Data)
	o.restrict(dst)
	conv.Transpose(between, dst, o.weight, o.Geometry)
	conv.Forward(dst, between, o.weight, o.Geometry)
	o.restrict(dst)
}

// restrict sets a code's elements off the support to 0, if there is one.
func (o *Operator) restrict(z *tensor.Tensor[float64]) {
	if o.mask != nil {
		tensor.ShrinkGrad(z, o.mask, z, 1)
	}
}

// smaller returns the shape of the space, of signals or codes, that has the smaller dimension, and that of
// the other.
func (o *Operator) smaller() (shape, other []int) {
	if tensor.Size(o.signal) <= tensor.Size(o.code) {
		return o.signal, o.code
	}
	return o.code, o.signal
}
