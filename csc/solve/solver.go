package solve

import (
	"fmt"
	"math"
	"time"

	"sdref/internal/misuse"
	"sdref/tensor"
)

// Solver is a way to solve a Problem.
type Solver[T tensor.Float] interface {
	// Name is the solver's name in tables and flags.
	Name() string
	// Supports returns an error that says why the solver cannot solve a problem, nil if it can.
	Supports(p *Problem[T]) error
	// Solve starts from z = 0 and iterates until stop is met. It calls observe, if not nil, with every
	// certified iterate; z is valid during the call only, and false interrupts. It panics for a problem that
	// is not valid or not supported.
	Solve(p *Problem[T], stop Stop, observe func(r Record, z *tensor.Tensor[T]) bool) Result[T]
}

// Stop says when a solver is done.
type Stop struct {
	RelativeGap float64 // the certified gap, as a share of the objective, that every image must reach
	Iterations  int     // the greatest number of iterations
	Every       int     // iterations per certificate, which costs about as much as one; 0 means 1
}

// Record describes an iterate. Numbers are totals over the batch unless something else is said.
type Record struct {
	Iteration   int           // from 1
	Objective   float64       // F(z), the sum of the next three
	Fidelity    float64       // |x - A z|^2/2
	Sparsity    float64       // lambda |z|_1
	Ridge       float64       // mu |z|^2/2
	Gap         float64       // F(z) is at most this above its least value
	RelativeGap float64       // the worst image's gap as a share of its objective
	KKT         float64       // the worst violation of an optimality condition
	Change      float64       // |z - z before|
	Step        float64       // step size, of solvers that have one; ADMM: 1/rho; Newton: sigma
	Momentum    float64       // m_k of (A.1), the first image's; 0 for solvers without momentum
	Nonzeros    int           // elements of z that are not 0
	Restart     bool          // whether the momentum of some image has been reset since the last record
	Elapsed     time.Duration // time spent by the solver, without certificates and observers
}

// Reason is why a solver stopped.
type Reason int

const (
	GapReached       Reason = iota // the relative gap asked for is reached
	IterationsUsedUp               // the greatest number of iterations is reached
	// Stalled: the gap fell no further for three quarters of the iterations, by rounding errors or a bad
	// step.
	Stalled
	Diverged    // the objective is not finite, or far above that of z = 0
	Interrupted // observe returned false
)

var reasonNames = []string{"gap reached", "iterations used up", "stalled", "diverged", "interrupted"}

func (r Reason) String() string {
	if r < 0 || int(r) >= len(reasonNames) {
		return fmt.Sprintf("Reason(%d)", int(r))
	}
	return reasonNames[r]
}

// MarshalText returns the text, for files.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Result is the last iterate, certified.
type Result[T tensor.Float] struct {
	Z           *tensor.Tensor[T] // (N, M, Ho, Wo)
	Last        Record            // of Z
	Certificate Certificate       // of Z
	Reason      Reason
}

// run is what all solvers have in common: the time spent, the certificates, the reasons to stop.
type run[T tensor.Float] struct {
	certifier   *certifier[T]
	stop        Stop
	observe     func(Record, *tensor.Tensor[T]) bool
	resumed     time.Time     // when the solver went on after the last certificate
	spent       time.Duration // by the solver until then
	zero        float64       // the objective of z = 0
	restart     bool          // whether a momentum has been reset since the last record
	best        float64       // the smallest relative gap so far
	bestAt      int           // the iteration of the smallest gap
	checks      int           // certificates since the smallest gap
	last        Record
	certificate Certificate
	reason      Reason
	finished    bool
}

// The rules of Stalled and Diverged.
const (
	minStallChecks = 200 // certificates without a smaller gap, besides three quarters of all iterations
	divergedFactor = 1e3 // times the objective of z = 0, where all solvers start
)

// newRun begins a run; the time counts from its return.
func newRun[T tensor.Float](s Solver[T], p *Problem[T], stop Stop,
	observe func(Record, *tensor.Tensor[T]) bool) *run[T] {
	p.mustBeValid(s.Name())
	if err := s.Supports(p); err != nil {
		panic(misuse.Errorf("solve.%s: %v", s.Name(), err))
	}
	if stop.Iterations < 1 {
		panic(misuse.Errorf("solve.%s: %d iterations", s.Name(), stop.Iterations))
	}
	stop.Every = max(1, stop.Every)
	r := &run[T]{certifier: newCertifier(p), stop: stop, observe: observe, best: math.Inf(1)}
	r.zero = tensor.SumSquares(r.certifier.p.X) / 2
	r.resumed = time.Now()
	return r
}

// done certifies z, the iterate of r.Iteration, if it is due, and tells whether the solver is to stop.
func (u *run[T]) done(r Record, z *tensor.Tensor[T]) bool {
	u.restart = u.restart || r.Restart
	if !u.due(r.Iteration) {
		return false
	}
	u.spent += time.Since(u.resumed)
	u.certificate = u.certifier.certify(z)
	r.set(u.certificate)
	r.Restart, r.Elapsed = u.restart, u.spent
	u.restart, u.last = false, r
	u.finished = u.decide(r)
	if u.observe != nil && !u.observe(r, z) && !u.finished {
		u.reason, u.finished = Interrupted, true
	}
	u.resumed = time.Now()
	return u.finished
}

// due tells whether the iterate of iteration k is certified.
func (u *run[T]) due(k int) bool { return k%u.stop.Every == 0 || k == 1 || k == u.stop.Iterations }

// set copies the certificate's numbers.
func (r *Record) set(c Certificate) {
	r.Objective, r.Fidelity, r.Sparsity, r.Ridge = c.Objective, c.Fidelity, c.Sparsity, c.Ridge
	r.Gap, r.RelativeGap, r.KKT, r.Nonzeros = c.Gap, c.RelativeGap, c.KKT, c.Nonzeros
}

// decide finds a reason to stop, if there is one.
func (u *run[T]) decide(r Record) bool {
	u.checks++
	if r.RelativeGap < u.best {
		u.best, u.bestAt, u.checks = r.RelativeGap, r.Iteration, 0
	}
	switch {
	case r.RelativeGap <= u.stop.RelativeGap:
		u.reason = GapReached
	case !(r.Objective <= divergedFactor*u.zero):
		u.reason = Diverged
	case u.checks >= minStallChecks && r.Iteration >= 4*u.bestAt:
		u.reason = Stalled
	case r.Iteration >= u.stop.Iterations:
		u.reason = IterationsUsedUp
	default:
		return false
	}
	return true
}

func (u *run[T]) result(z *tensor.Tensor[T]) Result[T] {
	return Result[T]{Z: z, Last: u.last, Certificate: u.certificate, Reason: u.reason}
}
