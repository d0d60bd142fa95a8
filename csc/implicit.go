package csc

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// Gradient is how the backward pass of a layer differentiates the code.
type Gradient int

const (
	Unrolled Gradient = iota // through every iteration of FISTA, as the published networks are trained
	Implicit                 // as the solution that FISTA approaches (see Solution), whatever the iterations were
)

func (g Gradient) String() string {
	switch g {
	case Unrolled:
		return "unrolled"
	case Implicit:
		return "implicit"
	}
	return fmt.Sprintf("Gradient(%d)", int(g))
}

// ParseGradient is the inverse of String.
func ParseGradient(name string) (Gradient, error) {
	for _, g := range []Gradient{Unrolled, Implicit} {
		if g.String() == name {
			return g, nil
		}
	}
	return 0, fmt.Errorf("csc: unknown gradient %q (unrolled, implicit)", name)
}

// MarshalText returns the name, for files and flags.
func (g Gradient) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText is ParseGradient.
func (g *Gradient) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGradient(string(text))
	return err
}

// Solution returns z, a solution of the problem computed without a gradient (see autodiff's Detach), as a function of x, w and
// lambda, by the implicit function theorem. Let S be the support of z, s its signs and A_S the columns of A on S. Where
// |A*r - mu z| < lambda off the support (strict complementarity) S and s stay as they are nearby, r = x - A z, and the
// optimality condition on S,
//
//	A_S* r - mu z_S = lambda s ,     differentiates to     H dz_S = A_S* dx + (dA_S)* r - A_S* dA z - s dlambda ,
//	H = A_S* A_S + mu .
//
// For a gradient g at z this gives, with q = H^-1 g on S and 0 elsewhere, the gradients
//
//	A q  at x,     conv.Filter(r, q) - conv.Filter(A q, z)  at w,     -<s, q>  at lambda,
//
// so that one linear system for each image is solved, in the memory of five codes whatever the iterations were. It is solved
// as far as a says, and observe, if not nil, is shown how that went. If A_S has dependent columns and mu = 0, the solution is
// not unique and has no derivative; q is then the shortest of those that come nearest (see System).
//
// lambda may be nil, for the constant s.Lambda; s.Iterations does not matter. At a z that is no solution the result is the
// gradient of the code on z's support that the formula knows of, and as far from the unrolled one as z from the solution.
func Solution[T tensor.Float](z, x, w, lambda *autodiff.Var[T], s Settings, a Accuracy, observe func([]System)) *autodiff.Var[T] {
	rule := func(dst []*tensor.Tensor[T], dz, z *tensor.Tensor[T], args []*tensor.Tensor[T], arena *tensor.Arena[T]) {
		var dlambda *tensor.Tensor[T]
		if lambda != nil {
			dlambda = dst[2]
		}
		systems := solutionGradient(dst[0], dst[1], dlambda, dz, z, args[0], args[1], s, a, arena)
		if observe != nil {
			observe(systems)
		}
	}
	if lambda == nil {
		return autodiff.Custom(z, rule, x, w)
	}
	return autodiff.Custom(z, rule, x, w, lambda)
}

// solutionGradient sets dx, dw and dlambda, of which any may be nil, to the gradients that Solution states.
func solutionGradient[T tensor.Float](dx, dw, dlambda, dz, z, x, w *tensor.Tensor[T], s Settings, a Accuracy, arena *tensor.Arena[T]) []System {
	aq := arena.Get(x.Shape...)
	normal := &normalOperator[T]{z: z, w: w, signal: aq, Settings: s}
	q := arena.Get(z.Shape...)
	systems := conjugateResiduals(q, dz, normal, withDefaults[T](a), arena)
	conv.Transpose(aq, q, w, s.Geometry)
	if dx != nil {
		copy(dx.Data, aq.Data)
	}
	if dlambda != nil {
		dlambda.Data[0] = T(-tensor.DotSign(z, q))
	}
	if dw != nil {
		second := arena.Get(w.Shape...)
		conv.Filter(second, aq, z, s.Geometry)
		r := aq
		conv.Transpose(r, z, w, s.Geometry)
		tensor.AddScaled(r, x, r, -1)
		conv.Filter(dw, r, q, s.Geometry)
		tensor.AddScaled(dw, dw, second, -1)
		arena.Put(second)
	}
	arena.Put(q)
	arena.Put(aq)
	return systems
}

// normalOperator is H = A_S* A_S + mu on codes that are 0 off the support S of z.
type normalOperator[T tensor.Float] struct {
	z, w   *tensor.Tensor[T]
	signal *tensor.Tensor[T] // scratch, of the signal's shape
	Settings
}

// apply sets dst = H v; dst is not v.
func (h *normalOperator[T]) apply(dst, v *tensor.Tensor[T]) {
	conv.Transpose(h.signal, v, h.w, h.Geometry)
	conv.Forward(dst, h.signal, h.w, h.Geometry)
	h.mask(dst, dst)
	if h.Mu != 0 {
		tensor.AddScaled(dst, dst, v, T(h.Mu))
	}
}

// mask sets dst = v on the support and 0 elsewhere.
func (h *normalOperator[T]) mask(dst, v *tensor.Tensor[T]) { tensor.ShrinkGrad(dst, h.z, v, 1) }
