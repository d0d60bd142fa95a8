package autodiff

import (
	"sdref/tensor"
)

// Descent is the settings of stochastic gradient descent with momentum and weight decay, as PyTorch defines it.
type Descent struct {
	Rate            float64 // unless it is an input
	Momentum, Decay float64
}

// Velocity returns v' = Momentum v + g + Decay w, the velocity after a step, for the gradient g of the weights w. Shapes equal.
func Velocity(v, g, w *Node, d Descent) *Node {
	return Apply(velocityOp, Attrs{"momentum": d.Momentum, "decay": d.Decay}, v, g, w)
}

// Nesterov returns w - rate (g + Decay w + Momentum v), the weights after a step with Nesterov momentum, v being Velocity's value.
// The rate is a scalar, or nil for the setting. Shapes equal.
func Nesterov(w, g, v, rate *Node, d Descent) *Node {
	a := Attrs{"momentum": d.Momentum, "decay": d.Decay}
	if rate == nil {
		a["rate"] = d.Rate
	}
	return Apply(nesterovOp, a, optional(rate, w, g, v)...)
}

var velocityOp = &Op{
	Name:       "velocity",
	Formula:    "momentum v + g + decay w (v, g, w; momentum, decay)",
	Shape:      shapeOfFirst(3),
	Float32:    Kernel[float32]{Each: velocity[float32]},
	Float64:    Kernel[float64]{Each: velocity[float64]},
	Aligned:    3,
	Overwrites: []int{0},
}

// descentRange is the number of elements between which operators of several steps go to and fro: few enough for the first-level
// cache.
const descentRange = 1024

func velocity[T tensor.Float](c *Call[T], _, lo, hi int) {
	v, g, w := c.In[0].Data, c.In[1].Data, c.In[2].Data
	var d [descentRange]T
	for at := lo; at < hi; at += descentRange {
		end := min(at+descentRange, hi)
		c.set.AddScaled(d[:end-at], g[at:end], w[at:end], T(c.Attrs["decay"]))
		c.set.AddScaled(c.Out.Data[at:end], d[:end-at], v[at:end], T(c.Attrs["momentum"]))
	}
}

var nesterovOp = &Op{
	Name:       "nesterov",
	Formula:    "w - rate (g + decay w + momentum v) (w, g, v, optional rate; rate, momentum, decay)",
	Shape:      shapeOfFirst(3),
	Float32:    Kernel[float32]{Each: nesterov[float32]},
	Float64:    Kernel[float64]{Each: nesterov[float64]},
	Aligned:    3,
	Overwrites: []int{0},
}

// rate is the learning rate of a nesterov node.
func rate[T tensor.Float](c *Call[T]) T {
	if len(c.In) > 3 {
		return c.In[3].Data[0]
	}
	return T(c.Attrs["rate"])
}

func nesterov[T tensor.Float](c *Call[T], _, lo, hi int) {
	w, g, v := c.In[0].Data, c.In[1].Data, c.In[2].Data
	var d [descentRange]T
	for at := lo; at < hi; at += descentRange {
		end := min(at+descentRange, hi)
		c.set.AddScaled(d[:end-at], g[at:end], w[at:end], T(c.Attrs["decay"]))
		c.set.AddScaled(d[:end-at], d[:end-at], v[at:end], T(c.Attrs["momentum"]))
		c.set.AddScaled(c.Out.Data[at:end], w[at:end], d[:end-at], -rate(c))
	}
}

// descentPair moves velocity and weights in one pass.
var descentPair = &Pair{First: velocityOp, Second: nesterovOp,
	Fits: func(v, w *Node) bool {
		return w.Inputs[2] == v && w.Inputs[0] == v.Inputs[2] && w.Inputs[1] == v.Inputs[1] &&
			w.Attrs["momentum"] == v.Attrs["momentum"] && w.Attrs["decay"] == v.Attrs["decay"]
	},
	Float32: descend[float32],
	Float64: descend[float64],
}

func descend[T tensor.Float](v, w *Call[T]) {
	velocity, weights, g := v.Out.Data, w.Out.Data, v.In[1].Data
	w.limit().Ranges(len(g), tensor.Grain, func(lo, hi int) {
		move(velocity[lo:hi], v.In[0].Data[lo:hi])
		move(weights[lo:hi], w.In[0].Data[lo:hi])
		w.set.Momentum(weights[lo:hi], velocity[lo:hi], g[lo:hi], rate(w), T(v.Attrs["momentum"]), T(v.Attrs["decay"]))
	})
}

// move copies src to dst, unless they are the same memory.
func move[T tensor.Float](dst, src []T) {
	if len(dst) > 0 && &dst[0] != &src[0] {
		copy(dst, src)
	}
}
