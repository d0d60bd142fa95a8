// Package optim is stochastic gradient descent as the published recipes use it, and their learning-rate schedules.
//
// It knows nothing of networks: parameters and gradients are tensors in a fixed order.
package optim

import (
	"math"

	"sdref/internal/elementary"
	"sdref/tensor"
)

// SGD is stochastic gradient descent with Nesterov momentum and weight decay on every parameter, as PyTorch defines it:
//
//	d = g + Decay*w,  v = Momentum*v + d,  w = w - rate*(d + Momentum*v),   v = 0 at first;
//
// with Plain momentum, w = w - rate*v.
type SGD[T tensor.Float] struct {
	Momentum, Decay float64
	Plain           bool
	Velocity        []*tensor.Tensor[T] // one per parameter; a checkpoint holds them
}

// NewSGD returns an optimiser with zero velocities for parameters of the given shapes.
func NewSGD[T tensor.Float](parameters []*tensor.Tensor[T], momentum, decay float64) *SGD[T] {
	s := &SGD[T]{Momentum: momentum, Decay: decay}
	for _, p := range parameters {
		s.Velocity = append(s.Velocity, tensor.New[T](p.Shape...))
	}
	return s
}

// Step moves parameter i by its gradient.
func (s *SGD[T]) Step(i int, parameter, gradient *tensor.Tensor[T], rate float64) {
	if !s.Plain {
		tensor.Momentum(parameter, s.Velocity[i], gradient, T(rate), T(s.Momentum), T(s.Decay))
		return
	}
	tensor.Momentum(parameter, s.Velocity[i], gradient, 0, T(s.Momentum), T(s.Decay)) // moves the velocity only
	tensor.AddScaled(parameter, parameter, s.Velocity[i], -T(rate))
}

// Schedule gives the learning rate of each step of a run.
type Schedule interface {
	// Rate is the learning rate of step number i (from 0) of a run of total steps with perEpoch steps each epoch.
	Rate(i, perEpoch, total int) float64
}

// Cosine is the published CIFAR schedule, changed at every iteration: Base (1 + cos(pi i/total))/2, after Warmup epochs of
// linear rise (0 as published).
type Cosine struct {
	Base   float64
	Warmup float64 // epochs
}

func (c Cosine) Rate(i, perEpoch, total int) float64 {
	warm := c.Warmup * float64(perEpoch)
	if float64(i) < warm {
		return c.Base * (float64(i) + 1) / math.Ceil(warm)
	}
	return c.Base * (1 + elementary.Cos(math.Pi*float64(i)/float64(total))) / 2
}

// Steps is the published ImageNet schedule: Base times Factor for every one of the Epochs that has passed.
type Steps struct {
	Base, Factor float64 // 0.1, 0.1
	Epochs       []int   // 30, 60, 90
}

func (s Steps) Rate(i, perEpoch, _ int) float64 {
	rate := s.Base
	for _, e := range s.Epochs {
		if i >= e*perEpoch {
			rate *= s.Factor
		}
	}
	return rate
}
