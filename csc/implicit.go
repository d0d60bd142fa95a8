package csc

import (
	"sdref/autodiff"
	"sdref/conv"
	"sdref/internal/names"
	"sdref/tensor"
)

// Gradient is how the backward pass of a layer differentiates the code.
type Gradient int

const (
	Unrolled Gradient = iota // through every iteration of FISTA, as the published networks are trained
	Implicit                 // as the solution that FISTA approaches (see Solution), whatever the iterations were
)

var gradientNames = []string{Unrolled: "unrolled", Implicit: "implicit"}

func (g Gradient) String() string { return names.Of(g, gradientNames) }

// ParseGradient is the inverse of String.
func ParseGradient(name string) (Gradient, error) {
	return names.Parse[Gradient]("gradient", name, gradientNames)
}

// MarshalText returns the name, for files and flags.
func (g Gradient) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText is ParseGradient.
func (g *Gradient) UnmarshalText(text []byte) (err error) {
	*g, err = ParseGradient(string(text))
	return err
}

// Solution returns z, a solution of the problem, as a function of x, w and lambda, by the implicit function theorem: no gradient
// goes through the iterations that z came from. Let S be the support of z, s its signs and A_S the columns of A on S. Where
// |A*r - mu z| < lambda off the support (strict complementarity) S and s stay as they are nearby, r = x - A z, and the
// optimality condition on S,
//
//	A_S* r - mu z_S = lambda s ,     differentiates to     H dz_S = A_S* dx + (dA_S)* r - A_S* dA z - s dlambda ,
//	H = A_S* A_S + mu .
//
// For a gradient g at z this gives, with q = H^-1 g on S and 0 elsewhere, the gradients
//
//	A q  at x,     Filter(r, q) - Filter(A q, z)  at w,     -<s, q>  at lambda,
//
// so that one linear system for each image is solved, in the memory of five codes whatever the iterations were. It is solved
// as far as a says, and observe, if not nil, is shown how that went. If A_S has dependent columns and mu = 0, the solution is
// not unique and has no derivative; q is then the shortest of those that come nearest (see System).
//
// lambda may be nil, for the constant s.Lambda; s.Iterations does not matter. At a z that is no solution the result is the
// gradient of the code on z's support that the formula knows of, and as far from the unrolled one as z from the solution.
func Solution(layer string, z, x, w, lambda *autodiff.Node, s Settings, a Accuracy, observe func([]System)) *autodiff.Node {
	inputs := []*autodiff.Node{z, x, w}
	if lambda != nil {
		inputs = append(inputs, lambda)
	}
	return autodiff.Apply(solutionOp(s, a, observe), nil, inputs...).At(layer, 0, "solution")
}

// solutionOp is the operator whose value is z and whose derivative is that of the solution.
func solutionOp(s Settings, a Accuracy, observe func([]System)) *autodiff.Op {
	system := systemOp(s, a, observe)
	return &autodiff.Op{
		Name:    "solution",
		Formula: "z, with the gradient of the problem's solution (z, x, w, optional lambda)",
		Shape:   func(n *autodiff.Node) ([]int, error) { return n.Inputs[0].Shape, nil },
		Pull: func(b *autodiff.Gradient, n *autodiff.Node, i int, g *autodiff.Node) *autodiff.Node {
			z, x, w := n.Inputs[0], n.Inputs[1], n.Inputs[2]
			height, width := conv.Sizes(x.Shape)
			sizes := autodiff.Attrs{"height": float64(height), "width": float64(width)}
			q := b.Once(n, "q", func() *autodiff.Node { return autodiff.Apply(system, sizes, g, z, w) })
			aq := b.Once(n, "aq", func() *autodiff.Node { return autodiff.Synthesis(q, w, height, width, s.Geometry) })
			switch i {
			case 1:
				return aq
			case 2:
				r := autodiff.Axpy(x, autodiff.Synthesis(z, w, height, width, s.Geometry), -1, nil)
				kernel := w.Shape[2:]
				return b.For(n, i, autodiff.Axpy(autodiff.Filter(r, q, kernel, s.Geometry), autodiff.Filter(aq, z, kernel, s.Geometry), -1, nil))
			default:
				return b.For(n, i, autodiff.Apply(signOp, nil, z, q))
			}
		},
		Constants:  []int{0},
		Float32:    autodiff.Kernel[float32]{Each: identity[float32]},
		Float64:    autodiff.Kernel[float64]{Each: identity[float64]},
		Aligned:    1,
		Overwrites: []int{0},
	}
}

// identity copies a range, unless it is there already.
func identity[T tensor.Float](c *autodiff.Call[T], _, lo, hi int) {
	if dst, src := c.Out.Data[lo:hi], c.In[0].Data[lo:hi]; len(dst) > 0 && &dst[0] != &src[0] {
		copy(dst, src)
	}
}

// systemOp is the operator that solves H q = g.
func systemOp(s Settings, a Accuracy, observe func([]System)) *autodiff.Op {
	return &autodiff.Op{
		Name:    "solution_system",
		Formula: "q with (A_S* A_S + mu) q = g on the support S of z, 0 elsewhere (g, z, w; height, width of the signal)",
		Shape:   func(n *autodiff.Node) ([]int, error) { return n.Inputs[0].Shape, nil },
		Float32: autodiff.Kernel[float32]{Whole: solveSystem[float32](s, a, observe)},
		Float64: autodiff.Kernel[float64]{Whole: solveSystem[float64](s, a, observe)},
	}
}

func solveSystem[T tensor.Float](s Settings, a Accuracy, observe func([]System)) func(c *autodiff.Call[T]) {
	return func(c *autodiff.Call[T]) {
		g, z, w := c.In[0], c.In[1], c.In[2]
		height, width := c.Int("height"), c.Int("width")
		signal := c.Arena().Get(signalShape(z.Shape[0], w.Shape, height, width)...)
		systems := conjugateResiduals(c.Out, g, &normalOperator[T]{z: z, w: w, signal: signal, Settings: s}, withDefaults[T](a), c.Arena())
		c.Arena().Put(signal)
		if observe != nil {
			observe(systems)
		}
	}
}

// signOp is the gradient of a solution at lambda.
var signOp = &autodiff.Op{
	Name:    "solution_dlambda",
	Formula: "-<sign(z), q> (z, q)",
	Shape:   func(*autodiff.Node) ([]int, error) { return []int{}, nil },
	Float32: autodiff.Kernel[float32]{Whole: signs[float32]},
	Float64: autodiff.Kernel[float64]{Whole: signs[float64]},
}

func signs[T tensor.Float](c *autodiff.Call[T]) { c.Out.Data[0] = T(-tensor.DotSign(c.In[0], c.In[1])) }

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
