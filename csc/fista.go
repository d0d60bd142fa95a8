package csc

import (
	"fmt"
	"math"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// Prox returns the proximal operator of t (lambda |.|_1 + mu/2 |.|^2), with z >= 0 if s says so, at u:
//
//	prox(u) = soft(u/(1 + mu t), lambda t/(1 + mu t)),   then max(., 0) if nonnegative.
//
// soft(v, b) = sign(v) max(|v| - b, 0) is the shrinkage (A.3).
func Prox[T tensor.Float](u *autodiff.Var[T], t float64, s Settings) *autodiff.Var[T] {
	scale := 1 / (1 + float64(s.Mu*t))
	return autodiff.Shrink(u, T(scale), T(s.Lambda*t*scale), s.Nonnegative)
}

// FISTA returns the code z after s.Iterations steps from z_0 = 0 with step size t:
//
//	z_k     = prox(y_k + t A*(x - A g_k))                  (A.1), first line; g_k = y_k (Paper) or z_{k-1} (Published)
//	m_{k+1} = (1 + sqrt(1 + 4 m_k^2))/2,  m_1 = 1          (A.1), second line
//	y_{k+1} = z_k + (m_k - 1)/m_{k+1} (z_k - z_{k-1})      (A.1), third line; y_1 = 0
//
// The step size and lambda are constants for differentiation.
func FISTA[T tensor.Float](x, w *autodiff.Var[T], t T, s Settings) *autodiff.Var[T] {
	return unroll(x, w, scalars[T]{Settings: s, step: t})
}

// LearnedFISTA is FISTA with the step size t and lambda, Vars of one element, as values on the tape that have gradients; a nil
// lambda stands for s.Lambda. It consumes t and lambda.
func LearnedFISTA[T tensor.Float](x, w, t, lambda *autodiff.Var[T], s Settings) *autodiff.Var[T] {
	if lambda == nil {
		lambda = x.Tape().Constant(tensor.From([]T{T(s.Lambda)}))
	}
	return unroll(x, w, scalars[T]{Settings: s, t: t, lambda: lambda})
}

// unroll is FISTA, iteration after iteration.
func unroll[T tensor.Float](x, w *autodiff.Var[T], s scalars[T]) *autodiff.Var[T] {
	if s.Iterations < 1 {
		panic(fmt.Sprintf("csc: FISTA needs at least one iteration, got %d", s.Iterations))
	}
	height, width := conv.Sizes(x.Shape())
	// k = 1: y_1 = 0, so that the gradient step starts from t A*x.
	z := s.prox(s.times(Analysis(x.Keep(), w, s.Geometry)))
	var before *autodiff.Var[T] // z_{k-2}, once it counts
	m := 1.0
	for k := 2; k <= s.Iterations; k++ {
		next := (1 + math.Sqrt(1+float64(4*m*m))) / 2 // (A.1), second line
		y := z.Keep()
		if before != nil { // at k = 2 the factor m_1 - 1 is 0
			y = autodiff.AddScaled(y, autodiff.AddScaled(z.Keep(), before, -1), T((m-1)/next)) // (A.1), third line
		}
		m = next
		var synthesis *autodiff.Var[T]
		if s.Variant == Paper {
			synthesis = Synthesis(y.Keep(), w, height, width, s.Geometry)
		} else {
			synthesis = Synthesis(z.Keep(), w, height, width, s.Geometry)
		}
		residual := autodiff.AddScaled(x.Keep(), synthesis, -1)
		before, z = z, s.prox(s.plus(y, Analysis(residual, w, s.Geometry))) // (A.1), first line
		if k == s.Iterations {
			before.Drop()
		}
	}
	x.Drop()
	s.drop()
	return z
}

// scalars are the settings of a run of FISTA with its step size and lambda: numbers, or values on the tape.
type scalars[T tensor.Float] struct {
	Settings
	step      T                // if t is nil
	t, lambda *autodiff.Var[T] // or nil: the numbers step and Lambda
}

// times is t u.
func (s scalars[T]) times(u *autodiff.Var[T]) *autodiff.Var[T] {
	if s.t == nil {
		return autodiff.Scale(u, s.step)
	}
	return autodiff.ScaleBy(u, s.t.Keep())
}

// plus is y + t u.
func (s scalars[T]) plus(y, u *autodiff.Var[T]) *autodiff.Var[T] {
	if s.t == nil {
		return autodiff.AddScaled(y, u, s.step)
	}
	return autodiff.AddScaledBy(y, u, s.t.Keep())
}

// prox is Prox at u.
func (s scalars[T]) prox(u *autodiff.Var[T]) *autodiff.Var[T] {
	if s.t == nil {
		return Prox(u, float64(s.step), s.Settings)
	}
	return autodiff.ShrinkBy(u, s.t.Keep(), s.lambda.Keep(), s.Mu, s.Nonnegative)
}

// drop gives up the values on the tape.
func (s scalars[T]) drop() {
	if s.t != nil {
		s.t.Drop()
		s.lambda.Drop()
	}
}
