package solve

import (
	"sdref/csc"
	"sdref/tensor"
)

// ISTA is the proximal gradient method, z <- prox(z + t A*(x - A z)).
type ISTA[T tensor.Float] struct {
	Step float64 // t; 0 means 1/|A|^2 as power iteration estimates it, shortened when a step proves too long
}

// FISTA is (A.1) with the gradient at the extrapolated point.
type FISTA[T tensor.Float] struct {
	Step float64 // as for ISTA
	// Backtracking begins with a step that is too long, and shortens it until the quadratic model bounds F.
	Backtracking bool
	Restart      Restart
}

// Published is the loop of the authors' code: FISTA with the gradient at the last iterate. An iteration costs
// as much as one of FISTA, but without mu > 0 it converges slowly.
type Published[T tensor.Float] struct {
	Step float64 // as for ISTA, but never shortened
}

// Restart says when an image's momentum is reset (O'Donoghue and Candes, "Adaptive restart for accelerated
// gradient schemes", 2015).
type Restart int

const (
	NoRestart       Restart = iota
	RestartGradient         // when the momentum points against the step: <y - z, z - z before> > 0
	RestartFunction         // when the objective rises
)

var restartNames = []string{"", "-gradient-restart", "-function-restart"}

func (ISTA[T]) Name() string      { return "ista" }
func (Published[T]) Name() string { return "published" }
func (f FISTA[T]) Name() string {
	if f.Backtracking {
		return "fista-backtracking" + restartNames[f.Restart]
	}
	return "fista" + restartNames[f.Restart]
}

func (ISTA[T]) Supports(*Problem[T]) error      { return nil }
func (FISTA[T]) Supports(*Problem[T]) error     { return nil }
func (Published[T]) Supports(*Problem[T]) error { return nil }

func (s ISTA[T]) Solve(p *Problem[T], stop Stop, observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	return descend(s, p, stop, observe, rule{step: s.Step, guarded: s.Step == 0})
}

func (s FISTA[T]) Solve(p *Problem[T], stop Stop, observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	return descend(s, p, stop, observe, rule{
		step: s.Step, guarded: s.Step == 0 || s.Backtracking, long: s.Backtracking, momentum: true,
		restart: s.Restart, variant: csc.Paper,
	})
}

func (s Published[T]) Solve(p *Problem[T], stop Stop,
	observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	return descend(s, p, stop, observe, rule{step: s.Step, momentum: true, variant: csc.Published})
}

// rule is the differences between the proximal gradient methods.
type rule struct {
	step     float64
	guarded  bool // whether steps that are too long are shortened
	long     bool // whether the first step is too long
	momentum bool
	restart  Restart
	variant  csc.Variant
}

// descend is the loop of all proximal gradient methods.
func descend[T tensor.Float](s Solver[T], p *Problem[T], stop Stop,
	observe func(Record, *tensor.Tensor[T]) bool, how rule) Result[T] {
	run := newRun(s, p, stop, observe)
	d := newDescent(p, how)
	for k := 1; ; k++ {
		r := Record{Iteration: k, Momentum: d.m[0]}
		if !how.momentum {
			r.Momentum = 0
		}
		d.iterate()
		r.Step, r.Change, r.Restart = d.t, d.change, d.restarted
		if run.done(r, d.z) {
			return run.result(d.z)
		}
	}
}
