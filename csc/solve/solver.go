package solve

import (
	"fmt"
	"math"
	"time"

	"sdref/tensor"
)

// Solver is a way to solve a Problem.
type Solver[T tensor.Float] interface {
	// Name is the name for tables and flags.
	Name() string
	// Supports tells why the solver cannot take a problem, nil if it can.
	Supports(p *Problem[T]) error
	// Solve starts from z = 0 and goes on until stop says so. It shows observe, if not nil, every certified iterate; z is valid during
	// the call only, and false interrupts. A problem that is not sound or not supported is a panic.
	Solve(p *Problem[T], stop Stop, observe func(r Record, z *tensor.Tensor[T]) bool) Result[T]
}

// Stop says when a solver is done.
type Stop struct {
	RelativeGap float64 // as soon as every image's certified gap is at most this share of its objective
	Iterations  int     // at the latest
	Every       int     // certify every so many iterations, which costs about as much as one; 0 means 1
}

// Record is what is known of an iterate. Numbers are totals over the batch where nothing else is said.
type Record struct {
	Iteration   int     // from 1
	Objective   float64 // F(z), the sum of the next three
	Fidelity    float64 // |x - A z|^2/2
	Sparsity    float64 // lambda |z|_1
	Ridge       float64 // mu |z|^2/2
	Gap         float64 // F(z) is at most this above its least value
	RelativeGap float64 // the worst image's gap as a share of its objective
	KKT         float64 // the worst violation of an optimality condition
	Change      float64 // |z - z before|
	Step        float64 // step size, of solvers that have one; ADMM: 1/rho; Newton: sigma
	Momentum    float64 // m_k of (A.1), the first image's; 0 for solvers without
	Nonzeros    int
	Restart     bool          // the momentum of some image has been reset since the last record
	Elapsed     time.Duration // spent by the solver, certificates and observers not counted
}

// Reason is why a solver stopped.
type Reason int

const (
	GapReached  Reason = iota // the relative gap asked for
	OutOfRounds               // the number of iterations
	Stalled                   // the gap fell no further for three quarters of the iterations: rounding errors, or a bad step
	Diverged                  // the objective is not finite, or far above that of z = 0
	Interrupted               // by the observer
)

var reasonNames = []string{"gap reached", "iterations used up", "stalled", "diverged", "interrupted"}

func (r Reason) String() string {
	if r < 0 || int(r) >= len(reasonNames) {
		return fmt.Sprintf("Reason(%d)", int(r))
	}
	return reasonNames[r]
}

// Result is the last iterate, certified.
type Result[T tensor.Float] struct {
	Z           *tensor.Tensor[T] // (N, M, Ho, Wo)
	Last        Record            // of Z
	Certificate Certificate       // of Z
	Reason      Reason
}

// run is the part of a solver that all have in common: the clock, the certificates, the reasons to stop.
type run[T tensor.Float] struct {
	judge    *judge[T]
	stop     Stop
	observe  func(Record, *tensor.Tensor[T]) bool
	resumed  time.Time
	spent    time.Duration
	zero     float64 // the objective of z = 0
	restart  bool
	best     float64 // gap
	bestAt   int     // iteration of the best gap
	checks   int     // since then
	last     Record
	verdict  Certificate
	reason   Reason
	finished bool
}

// The rule for Stalled and for Diverged.
const (
	stallChecks   = 200 // certificates without a smaller gap, at least, and three quarters of all iterations
	divergedShare = 1e3 // of the objective of z = 0, where all solvers start
)

// newRun starts the clock.
func newRun[T tensor.Float](s Solver[T], p *Problem[T], stop Stop, observe func(Record, *tensor.Tensor[T]) bool) *run[T] {
	p.mustBeSound(s.Name())
	if err := s.Supports(p); err != nil {
		panic(fmt.Sprintf("solve.%s: %v", s.Name(), err))
	}
	if stop.Iterations < 1 {
		panic(fmt.Sprintf("solve.%s: %d iterations", s.Name(), stop.Iterations))
	}
	stop.Every = max(1, stop.Every)
	r := &run[T]{judge: newJudge(p), stop: stop, observe: observe, best: math.Inf(1)}
	r.zero = tensor.SumSquares(r.judge.p.X) / 2
	r.resumed = time.Now()
	return r
}

// done takes note of iteration r.Iteration, which led to z, and tells whether the solver is to stop.
func (u *run[T]) done(r Record, z *tensor.Tensor[T]) bool {
	u.restart = u.restart || r.Restart
	if r.Iteration%u.stop.Every != 0 && r.Iteration != 1 && r.Iteration != u.stop.Iterations {
		return false
	}
	u.spent += time.Since(u.resumed)
	u.verdict = u.judge.certify(z)
	r.take(u.verdict)
	r.Restart, r.Elapsed = u.restart, u.spent
	u.restart, u.last = false, r
	u.finished = u.decide(r)
	if u.observe != nil && !u.observe(r, z) && !u.finished {
		u.reason, u.finished = Interrupted, true
	}
	u.resumed = time.Now()
	return u.finished
}

// take copies what the certificate says.
func (r *Record) take(c Certificate) {
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
	case !(r.Objective <= divergedShare*u.zero):
		u.reason = Diverged
	case u.checks >= stallChecks && r.Iteration >= 4*u.bestAt:
		u.reason = Stalled
	case r.Iteration >= u.stop.Iterations:
		u.reason = OutOfRounds
	default:
		return false
	}
	return true
}

func (u *run[T]) result(z *tensor.Tensor[T]) Result[T] {
	return Result[T]{Z: z, Last: u.last, Certificate: u.verdict, Reason: u.reason}
}
