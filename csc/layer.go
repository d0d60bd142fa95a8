package csc

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// Layer is a CSC layer: signal in, code out. Its state is three named tensors that a checkpoint holds.
type Layer[T tensor.Float] struct {
	Settings
	Height, Width int               // of the signal
	Weight        *tensor.Tensor[T] // (M, C, k, k), a parameter
	StepSize      *tensor.Tensor[T] // one element, a buffer: t = 0.9/lambda
	Vector        *tensor.Tensor[T] // (1, M, Ho, Wo), a buffer: where power iteration stands
}

// NewLayer returns a layer for signals (N, channels, height, width), with zero weights and step size and a fixed start vector
// for power iteration. Sizes and settings that make no layer are a panic.
func NewLayer[T tensor.Float](atoms, channels, kernel, height, width int, s Settings) *Layer[T] {
	ho, wo := s.CodeSize(height, kernel), s.CodeSize(width, kernel)
	if atoms < 1 || channels < 1 || kernel < 1 || ho < 1 || wo < 1 || s.Iterations < 1 ||
		!(s.Lambda >= 0) || !(s.Mu >= 0) || (s.Variant != Published && s.Variant != Paper) {
		panic(fmt.Sprintf("csc: no layer of %d atoms, %d channels, kernel %d, signal %dx%d, %+v", atoms, channels, kernel, height, width, s))
	}
	l := &Layer[T]{
		Settings: s, Height: height, Width: width,
		Weight:   tensor.New[T](atoms, channels, kernel, kernel),
		StepSize: tensor.New[T](),
		Vector:   tensor.New[T](1, atoms, ho, wo),
	}
	tensor.FillUniform(l.Vector, 1, 1, 0) // power iteration cannot leave zero
	return l
}

// Forward returns the code of x by FISTA with the layer's step size; w is the layer's Weight on x's tape.
func (l *Layer[T]) Forward(x, w *autodiff.Var[T]) *autodiff.Var[T] {
	return FISTA(x, w, l.StepSize.Data[0], l.Settings)
}

// UpdateStep continues the power iteration on the weights as they are and sets the step size.
func (l *Layer[T]) UpdateStep() Estimate {
	e := PowerIteration(l.Vector, l.Weight, l.Height, l.Width, l.Geometry)
	l.StepSize.Data[0] = T(e.Step())
	return e
}

// Normalize brings the atoms to norm 1, if the settings ask for it.
func (l *Layer[T]) Normalize() {
	if l.UnitNormAtoms {
		NormalizeAtoms(l.Weight)
	}
}

// Reconstruct returns A z, the signal that the code z (N, M, Ho, Wo) stands for.
func (l *Layer[T]) Reconstruct(z *tensor.Tensor[T]) *tensor.Tensor[T] {
	x := tensor.New[T](z.Shape[0], l.Weight.Shape[1], l.Height, l.Width)
	conv.Transpose(x, z, l.Weight, l.Geometry)
	return x
}
