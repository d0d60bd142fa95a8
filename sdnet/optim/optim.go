// Package optim is stochastic gradient descent as the published recipes use it, and their learning-rate
// schedules.
//
// It is for package sdnet and for people who train from Go. It knows nothing of networks: parameters and
// gradients are tensors in a fixed order.
package optim

import (
	"sdref/autodiff"
	"sdref/tensor"
)

// Append appends, for the parameter whose value is w, one step of SGD with Nesterov momentum and weight decay
// as PyTorch defines it,
//
//	d = g + Decay*w,  v' = Momentum*v + d,  w' = w - rate*(d + Momentum*v'),
//
// from its gradient g and velocity v, and returns w' and v': LAYER/after/PARAMETER and
// LAYER/velocity_after/PARAMETER. A nil rate stands for the setting.
func Append(layer, parameter string, w, g, v, rate *autodiff.Node,
	d autodiff.Descent) (after, velocity *autodiff.Node) {
	velocity = autodiff.Velocity(v, g, w, d).At(join(layer, "velocity_after"), 0, parameter)
	return autodiff.Nesterov(w, g, velocity, rate, d).At(join(layer, "after"), 0, parameter), velocity
}

// appendPlain is Append with plain momentum: w' = w - rate*v'.
func appendPlain(layer, parameter string, w, g, v, rate *autodiff.Node,
	d autodiff.Descent) (after, velocity *autodiff.Node) {
	velocity = autodiff.Velocity(v, g, w, d).At(join(layer, "velocity_after"), 0, parameter)
	return autodiff.Axpy(w, velocity, -1, rate).At(join(layer, "after"), 0, parameter), velocity
}

func join(layer, what string) string {
	if layer == "" {
		return what
	}
	return layer + "/" + what
}

// SGD is stochastic gradient descent with Nesterov momentum and weight decay on every parameter (see Append),
// velocities being 0 at first; or, if Plain, with plain momentum, w' = w - rate*v'.
type SGD[T tensor.Float] struct {
	Momentum, Decay float64
	Plain           bool
	Velocity        []*tensor.Tensor[T] // one per parameter; a part of checkpoints
	// Rates, if set, are factors on the learning rate, one per parameter. A parameter's decay is divided by its factor, so that what decay
	// takes from it in a step, rate*Decay*w, is the same for all.
	Rates []float64
	// Orthogonal, if set, tells for each parameter whether its steps are Muon's (see appendMuon) with MuonMomentum and without decay instead.
	Orthogonal   []bool
	MuonMomentum float64
	// Workers is the greatest number of goroutines of a step, beside GOMAXPROCS; 0 is no other.
	Workers int

	steps map[stepKey]*step[T]
}

// step is the program of a step for parameters of one shape.
type step[T tensor.Float] struct {
	*autodiff.Program[T]
	w, g, v, rate, after *autodiff.Node
}

// stepKey is what a step's program depends on. A parameter is a vector, and for Muon a matrix with a row for each filter.
type stepKey struct {
	rows, size int // rows is 0 for a vector
	autodiff.Descent
	plain bool
}

// shape is that of the program's parameter.
func (k stepKey) shape() []int {
	if k.rows > 0 {
		return []int{k.rows, k.size / k.rows}
	}
	return []int{k.size}
}

// NewSGD returns an optimiser with zero velocities for parameters of the given shapes.
func NewSGD[T tensor.Float](parameters []*tensor.Tensor[T], momentum, decay float64) *SGD[T] {
	s := &SGD[T]{Momentum: momentum, Decay: decay, steps: map[stepKey]*step[T]{}}
	for _, p := range parameters {
		s.Velocity = append(s.Velocity, tensor.New[T](p.Shape...))
	}
	return s
}

// Step does one step of parameter i along its gradient.
func (s *SGD[T]) Step(i int, parameter, gradient *tensor.Tensor[T], rate float64) {
	tensor.MustMatch("SGD.Step", parameter.Shape, gradient.Shape, s.Velocity[i].Shape)
	n := parameter.Len()
	decay := s.Decay
	if s.Rates != nil {
		rate, decay = rate*s.Rates[i], decay/s.Rates[i]
	}
	k := stepKey{size: n, Descent: autodiff.Descent{Momentum: s.Momentum, Decay: decay}, plain: s.Plain}
	if s.Orthogonal != nil && s.Orthogonal[i] {
		k = stepKey{rows: parameter.Shape[0], size: n, Descent: autodiff.Descent{Momentum: s.MuonMomentum}}
	}
	p := s.step(k)
	p.Set(p.w, parameter.Reshape(k.shape()...))
	p.Set(p.g, gradient.Reshape(k.shape()...))
	p.Set(p.v, s.Velocity[i].Reshape(k.shape()...))
	p.SetNumber(p.rate, rate)
	p.Workers = s.Workers
	p.Run()
	if k.rows > 0 { // what the new filters are made of is not the old ones, whose place they could take
		copy(parameter.Data, p.Value(p.after).Data)
		p.Release()
	}
}

func (s *SGD[T]) step(k stepKey) *step[T] {
	p := s.steps[k]
	if p == nil {
		g, shape := autodiff.NewGraph(), k.shape()
		p = &step[T]{w: g.Input("w", shape...), g: g.Input("g", shape...), v: g.Input("v", shape...),
			rate: g.Input("rate")}
		var zero, velocity *autodiff.Node
		updates := map[*autodiff.Node]*autodiff.Node{}
		switch {
		case k.rows > 0:
			zero = g.Input("zero", k.rows)
			p.after, velocity = appendMuon("", "w", p.w, p.g, p.v, zero, p.rate, k.Momentum)
		case k.plain:
			p.after, velocity = appendPlain("", "w", p.w, p.g, p.v, p.rate, k.Descent)
			updates[p.after] = p.w
		default:
			p.after, velocity = Append("", "w", p.w, p.g, p.v, p.rate, k.Descent)
			updates[p.after] = p.w
		}
		updates[velocity] = p.v
		plan := autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{velocity, p.after}, Updates: updates})
		p.Program = autodiff.NewProgram(plan, tensor.NewArena[T]())
		if zero != nil {
			p.Set(zero, tensor.New[T](k.rows))
		}
		s.steps[k] = p
	}
	return p
}
