package csc

import (
	"fmt"
	"slices"

	"sdref/autodiff"
	"sdref/conv"
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
		panic(fmt.Sprintf("csc: no layer of weights %v for signals %v, %+v", w, x[1:], s))
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

// Forward returns the code of x by FISTA with the layer's step size; w is the layer's Weight on x's tape. Lambda and the step size
// are constants.
func (l *Layer[T]) Forward(x, w *autodiff.Var[T]) *autodiff.Var[T] {
	return l.ForwardLearned(x, w, nil, nil)
}

// ForwardLearned is Forward where the layer's Penalty and StepFactor, those that it has, are on x's tape as well, so that they get
// gradients; one that is nil is a constant.
func (l *Layer[T]) ForwardLearned(x, w, penalty, factor *autodiff.Var[T]) *autodiff.Var[T] {
	if l.Gradient == Implicit {
		var constant *autodiff.Var[T]
		if penalty != nil {
			constant = penalty.Keep().Detach()
		}
		z := l.unrolled(x.Keep().Detach(), w.Detach(), constant, nil)
		return Solution(z, x, w, penalty, l.Settings, Accuracy{}, nil)
	}
	return l.unrolled(x, w, penalty, factor)
}

// unrolled is FISTA with the layer's scalars.
func (l *Layer[T]) unrolled(x, w, penalty, factor *autodiff.Var[T]) *autodiff.Var[T] {
	if l.Penalty == nil && l.StepFactor == nil {
		return FISTA(x, w, l.StepSize.Data[0], l.Settings)
	}
	if penalty == nil && l.Penalty != nil {
		penalty = x.Tape().Constant(l.Penalty)
	}
	t := x.Tape().Constant(l.StepSize)
	if l.StepFactor != nil {
		if factor == nil {
			factor = x.Tape().Constant(l.StepFactor)
		}
		t = autodiff.Scale(factor, l.StepSize.Data[0])
	}
	return LearnedFISTA(x, w, t, penalty, l.Settings)
}

// Step is the step size that Forward takes: StepSize, times StepFactor if that is learned.
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

// Reconstruct returns A z, the signal (N, C, H, W) that the code z (N, M, Ho, Wo) stands for.
func (l *Layer[T]) Reconstruct(z *tensor.Tensor[T]) *tensor.Tensor[T] {
	x := tensor.New[T](signalShape(z.Shape[0], l.Weight, l.Height, l.Width)...)
	conv.Transpose(x, z, l.Weight, l.Geometry)
	return x
}
