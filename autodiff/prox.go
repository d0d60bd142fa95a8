package autodiff

import "sdref/tensor"

// Shrinkage is the settings of Prox.
type Shrinkage struct {
	Lambda      float64 // weight of |z|_1, unless that is an input
	Mu          float64 // weight of |z|^2/2: the elastic net
	Nonnegative bool    // z >= 0
}

// Prox returns the proximal operator of t*(lambda*|.|_1 + mu/2*|.|^2) at u, the shrinkage (A.3), for the step size t, a scalar:
//
//	soft(a u, b),  a = 1/(1 + mu t),  b = lambda t a,  soft(v, b) = sign(v) max(|v| - b, 0),
//
// or, with z >= 0, max(a u - b, 0). lambda is a scalar, or nil for the setting. Pullbacks, where z is not 0: du = a*dz, dlambda =
// -a*t <sign(z), dz>, dt = -a <lambda*sign(z) + mu*z, dz>; all are 0 where z is (the derivative at the kink is taken as 0).
func Prox(u, t, lambda *Node, s Shrinkage) *Node {
	a := Attrs{"mu": s.Mu}
	if lambda == nil {
		a["lambda"] = s.Lambda
	}
	if s.Nonnegative {
		a["nonnegative"] = 1
	}
	return Apply(proxOp, a, optional(lambda, u, t)...)
}

var proxOp = &Op{
	Name:    "prox",
	Formula: "soft(a u, b), a = 1/(1 + mu t), b = lambda t a; then max(., 0) if nonnegative (u, t, optional lambda; lambda, mu, nonnegative)",
	Shape:   shapeOfFirst(1),
	Pull: func(b *Gradient, n *Node, i int, dz *Node) *Node {
		switch i {
		case 0:
			return b.For(n, i, Apply(proxGradOp, Attrs{"mu": n.Attrs["mu"]}, n, dz, n.Inputs[1]))
		case 1:
			return b.For(n, i, Apply(proxDStepOp, n.Attrs, append([]*Node{n, dz}, n.Inputs[1:]...)...))
		default:
			return b.For(n, i, Apply(proxDLambdaOp, Attrs{"mu": n.Attrs["mu"]}, n, dz, n.Inputs[1]))
		}
	},
	Float32:    Kernel[float32]{Begin: beginProx[float32], Each: prox[float32]},
	Float64:    Kernel[float64]{Begin: beginProx[float64], Each: prox[float64]},
	Aligned:    1,
	Overwrites: []int{0},
	Sparse:     true,
}

// shrinkage returns lambda, the factor a = 1/(1 + mu t) and t itself, of which input at is the step size and the next one lambda,
// if there is one.
func shrinkage[T tensor.Float](c *Call[T], at int) (lambda, a, t float64) {
	lambda, t = c.Attrs["lambda"], float64(c.In[at].Data[0])
	if len(c.In) > at+1 {
		lambda = c.Scalar(at + 1)
	}
	return lambda, 1 / (1 + float64(c.Attrs["mu"]*t)), t
}

// beginProx prepares factor and threshold, and whether z >= 0.
func beginProx[T tensor.Float](c *Call[T]) {
	lambda, a, t := shrinkage(c, 1)
	s := c.grow(3)
	s[0], s[1], s[2] = T(a), T(lambda*t*a), T(c.Attrs["nonnegative"])
}

func prox[T tensor.Float](c *Call[T], _, lo, hi int) {
	shrink := c.set.Shrink
	if c.Scratch[2] != 0 {
		shrink = c.set.ShrinkNonnegative
	}
	shrink(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.Scratch[0], c.Scratch[1])
}

var proxGradOp = &Op{
	Name:       "prox_grad",
	Formula:    "dz/(1 + mu t) where z is not 0, else 0 (z, dz, t; mu)",
	Shape:      shapeOfFirst(2),
	Float32:    Kernel[float32]{Begin: beginProxGrad[float32], Each: proxGrad[float32]},
	Float64:    Kernel[float64]{Begin: beginProxGrad[float64], Each: proxGrad[float64]},
	Aligned:    2,
	Overwrites: []int{1},
}

func beginProxGrad[T tensor.Float](c *Call[T]) {
	_, a, _ := shrinkage(c, 2)
	c.grow(1)[0] = T(a)
}

func proxGrad[T tensor.Float](c *Call[T], _, lo, hi int) {
	c.set.ShrinkGrad(c.Out.Data[lo:hi], c.In[0].Data[lo:hi], c.In[1].Data[lo:hi], c.Scratch[0])
}

var proxDStepOp = &Op{
	Name:    "prox_dt",
	Formula: "-<lambda sign(z) + mu z, dz>/(1 + mu t) (z, dz, t, optional lambda; lambda, mu)",
	Shape:   dotShape,
	Float32: Kernel[float32]{Whole: proxDStep[float32]},
	Float64: Kernel[float64]{Whole: proxDStep[float64]},
}

func proxDStep[T tensor.Float](c *Call[T]) {
	lambda, a, _ := shrinkage(c, 2)
	z, dz := c.In[0], c.In[1]
	along := float64(lambda*tensor.DotSignWithin(c.Workers, z, dz)) + float64(c.Attrs["mu"]*tensor.DotWithin(c.Workers, z, dz))
	c.Out.Data[0] = T(-a * along)
}

var proxDLambdaOp = &Op{
	Name:    "prox_dlambda",
	Formula: "-t <sign(z), dz>/(1 + mu t) (z, dz, t; mu)",
	Shape:   dotShape,
	Float32: Kernel[float32]{Whole: proxDLambda[float32]},
	Float64: Kernel[float64]{Whole: proxDLambda[float64]},
}

func proxDLambda[T tensor.Float](c *Call[T]) {
	_, a, t := shrinkage(c, 2)
	c.Out.Data[0] = T(-a * t * tensor.DotSignWithin(c.Workers, c.In[0], c.In[1]))
}
