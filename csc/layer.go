package csc

import (
	"slices"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/internal/misuse"
	"sdref/tensor"
)

// Layer is a CSC layer: signal in, code out. Its state is three named tensors that a checkpoint holds, and one more for each
// scalar that is learned.
type Layer[T tensor.Float] struct {
	Settings
	Height, Width int               // of the signal, 1 for an axis that it does not have
	Weight        *tensor.Tensor[T] // (M, C, k, k), (M, C, k) or (M, C), a parameter
	StepSize      *tensor.Tensor[T] // one element, a buffer: t = 0.9/lambda
	Vector        *tensor.Tensor[T] // (1, M, Ho, Wo), (1, M, Lo) or (1, M), a buffer: where power iteration stands

	Penalty    *tensor.Tensor[T] // one element, a parameter: lambda; nil unless LearnLambda
	StepFactor *tensor.Tensor[T] // one element, a parameter: t = StepFactor StepSize; nil unless LearnStep

	power *power[T]
}

// NewLayer returns a layer for signals (N, channels, height, width), with zero weights and step size and a fixed start vector
// for power iteration. Sizes and settings that make no layer are a panic.
func NewLayer[T tensor.Float](atoms, channels, kernel, height, width int, s Settings) *Layer[T] {
	return layerFor[T]([]int{1, channels, height, width}, []int{atoms, channels, kernel, kernel}, s)
}

// NewLayer1D is NewLayer for signals (N, channels, length): weights (atoms, channels, kernel), codes (N, atoms, Lo).
func NewLayer1D[T tensor.Float](atoms, channels, kernel, length int, s Settings) *Layer[T] {
	return layerFor[T]([]int{1, channels, length}, []int{atoms, channels, kernel}, s)
}

// NewMatrixLayer is NewLayer for vectors (N, channels), the authors' matrix layer: weights (atoms, channels), codes (N, atoms).
// Of the settings' geometry nothing is used.
func NewMatrixLayer[T tensor.Float](atoms, channels int, s Settings) *Layer[T] {
	return layerFor[T]([]int{1, channels}, []int{atoms, channels}, s)
}

// layerFor returns a layer for signals of shape x and weights of shape w.
func layerFor[T tensor.Float](x, w []int, s Settings) *Layer[T] {
	code := s.CodeShape(x, w)
	if slices.Min(w) < 1 || slices.Min(code) < 1 || s.Iterations < 1 ||
		!(s.Lambda >= 0) || !(s.Mu >= 0) || (s.Variant != Published && s.Variant != Paper) ||
		(s.Gradient != Unrolled && s.Gradient != Implicit) || s.LearnStep && s.Gradient == Implicit {
		panic(misuse.Errorf("csc: no layer of weights %v for signals %v, %+v", w, x[1:], s))
	}
	height, width := conv.Sizes(x)
	l := &Layer[T]{
		Settings: s, Height: height, Width: width,
		Weight:   tensor.New[T](w...),
		StepSize: tensor.New[T](),
		Vector:   tensor.New[T](code...),
	}
	tensor.FillUniform(l.Vector, 1, 1, 0) // power iteration cannot leave zero
	if s.LearnLambda {
		l.Penalty = tensor.New[T]()
	}
	if s.LearnStep {
		l.StepFactor = tensor.New[T]()
	}
	l.ResetScalars()
	return l
}

// Code appends the code of x by FISTA, with the atoms w and the step size t, and returns it; a nil lambda stands for s.Lambda. Its
// gradient is that of the unrolled iterations or of the solution, as s.Gradient says.
func Code(layer string, x, w, t, lambda *autodiff.Node, s Settings) *autodiff.Node {
	z := FISTA(layer, x, w, t, lambda, s)
	if s.Gradient == Implicit {
		return Solution(layer, z, x, w, lambda, s, Accuracy{}, nil)
	}
	return z
}

// Step is the step size that the layer's code takes: StepSize, times StepFactor if that is learned.
func (l *Layer[T]) Step() T {
	if l.StepFactor == nil {
		return l.StepSize.Data[0]
	}
	return l.StepSize.Data[0] * l.StepFactor.Data[0]
}

// Current is the layer's Settings with lambda as it stands, learned or not.
func (l *Layer[T]) Current() Settings {
	s := l.Settings
	if l.Penalty != nil {
		s.Lambda = float64(l.Penalty.Data[0])
	}
	return s
}

// ResetScalars sets what is learned beside the atoms to where it starts: lambda to the settings', the step's factor to 1.
func (l *Layer[T]) ResetScalars() {
	if l.Penalty != nil {
		l.Penalty.Fill(T(l.Lambda))
	}
	if l.StepFactor != nil {
		l.StepFactor.Fill(1)
	}
}

// Project brings what is learned beside the atoms back to where it has a meaning after an optimiser's step: a lambda or a factor
// below 0 becomes 0.
func (l *Layer[T]) Project() {
	for _, s := range []*tensor.Tensor[T]{l.Penalty, l.StepFactor} {
		if s != nil {
			s.Data[0] = max(s.Data[0], 0)
		}
	}
}

// UpdateStep continues the power iteration on the weights as they are and sets the step size.
func (l *Layer[T]) UpdateStep() Estimate {
	if l.power == nil {
		l.power = newPower[T](l.Vector.Shape, l.Weight.Shape, l.Height, l.Width, l.Geometry)
	}
	e := l.power.run(l.Vector, l.Weight, l.Workers)
	l.StepSize.Data[0] = T(e.Step())
	return e
}

// Normalize brings the atoms to norm 1, if the settings ask for it.
func (l *Layer[T]) Normalize() {
	if l.UnitNormAtoms {
		autodiff.NormalizeAtomsWithin(l.Workers, l.Weight, l.Weight)
	}
}

// Reconstruct returns A z, the signal (N, C, H, W) that the code z (N, M, Ho, Wo) stands for.
func (l *Layer[T]) Reconstruct(z *tensor.Tensor[T]) *tensor.Tensor[T] {
	x := tensor.New[T](signalShape(z.Shape[0], l.Weight.Shape, l.Height, l.Width)...)
	conv.Transpose(x, z, l.Weight, l.Geometry)
	return x
}
