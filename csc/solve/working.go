package solve

import (
	"sdref/csc"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// WorkingSet is FISTA with backtracking and gradient restart on the few elements that may be other than 0:
// those that are, and those whose c = A*(x - A z) exceeds lambda, the largest first. They are chosen anew,
// which costs an analysis, when they are nearer to a solution of their own than the others were to staying at
// 0; in between an iteration costs as many products as these elements have taps. Where they are many it is
// FISTA on all.
//
// The step is as long as the members allow. Their atoms overlap less than all atoms do, so that the largest
// eigenvalue of A*A among them is a fraction of |A|^2: a tenth on an image where one element in 300 is not 0.
type WorkingSet[T tensor.Float] struct{}

// The rules of WorkingSet.
const (
	workingPeriod    = 30 // the least number of iterations between two choices
	maxWorkingPeriod = 60
	// workingGoal: the members are chosen anew when none misses its optimality condition by more than this
	// share of what the worst of all elements missed its own by at the last choice.
	workingGoal = 0.5
	// workingShare: the working set is at first at most 1/64 of the elements; later at most twice as many as
	// are not 0.
	workingShare          = 64
	maxLevelRaises        = 20 // how often the level that a member's c must exceed is raised, per choice
	memberPowerIterations = 12 // for the members' largest eigenvalue, an estimate that backtracking corrects
)

func (WorkingSet[T]) Name() string               { return "working-set" }
func (WorkingSet[T]) Supports(*Problem[T]) error { return nil }

func (s WorkingSet[T]) Solve(p *Problem[T], stop Stop,
	observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	run := newRun(s, p, stop, observe)
	d := newDescent(p, rule{guarded: true, long: true, momentum: true, restart: RestartGradient,
		variant: csc.Paper})
	var set *members[T]
	if list := newSupport(p.A, p.X.Shape); list != nil {
		set = newMembers(list)
	}
	mark := tensor.New[T](p.CodeShape()...)
	chosen, goal := 1-maxWorkingPeriod, 0.0
	for k := 1; ; k++ {
		near := k >= chosen+workingPeriod && d.worstMove() <= goal*d.t
		if set != nil && (near || k >= chosen+maxWorkingPeriod) {
			chosen, goal = k, workingGoal*d.choose(set, mark)
		}
		r := Record{Iteration: k, Momentum: d.m[0]}
		d.iterate()
		if d.members != nil && run.due(k) {
			set.put(d.z, d.before)
		}
		r.Step, r.Change, r.Restart = d.t, d.change, d.restarted
		if run.done(r, d.z) {
			return run.result(d.z)
		}
	}
}

// worstMove is the greatest |z_k - y_k| of a member; divided by the step it is what the member's optimality
// condition is missed by. It is 0 if all elements are moved.
func (d *descent[T]) worstMove() (worst float64) {
	for _, s := range d.sums {
		worst = max(worst, s.worst)
	}
	return worst
}

// choose makes the elements that may be other than 0 the members, if they are few, and returns by how much the
// greatest pull exceeds lambda. mark is scratch of the code's shape.
func (d *descent[T]) choose(set *members[T], mark *tensor.Tensor[T]) (excess float64) {
	if d.members != nil {
		set.put(d.z, d.before)
	}
	tensor.AddScaled(d.r, d.p.X, d.az, -1)
	d.a.analyze(d.slope, d.r, nil)
	level, maxMembers := d.p.Lambda, max(2*tensor.CountNonzero(d.z), mark.Len()/workingShare)
	for raises := range maxLevelRaises {
		count, top := d.above(level)
		if raises == 0 {
			excess = top - level
		}
		if count <= maxMembers {
			break
		}
		level += (top - level) / 8
	}
	parallel.Ranges(mark.Len(), tensor.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			mark.Data[i] = 0
			if d.z.Data[i] != 0 || d.before.Data[i] != 0 || d.pull(i) > level {
				mark.Data[i] = 1
			}
		}
	})
	d.members = nil
	if set.list.find(mark); set.isSparse() {
		set.take()
		set.get(d.z, d.before)
		d.members = set
		if l := d.memberEigenvalue(); l > 0 {
			d.t = 1 / l
		}
	}
	return excess
}

// memberEigenvalue estimates the largest eigenvalue of A*A among the members from below, by power iteration.
// It overwrites next and A next, whose memory is free between two iterations.
func (d *descent[T]) memberEigenvalue() (value float64) {
	s := d.members
	v := tensor.From(s.next, len(s.next))
	for k := range s.next {
		s.next[k] = 1
	}
	for range memberPowerIterations {
		length := norm(v)
		if length == 0 {
			return 0
		}
		tensor.Scale(v, v, T(1/length))
		s.synthesize(d.azNext)
		value = tensor.SumSquares(d.azNext)
		s.analyze(d.azNext)
	}
	return value
}

// pull is |c| of element i, or c where z >= 0.
func (d *descent[T]) pull(i int) float64 {
	if c := float64(d.slope.Data[i]); c > 0 || d.p.Nonnegative {
		return c
	}
	return -float64(d.slope.Data[i])
}

// above counts the elements whose pull exceeds level, and returns the largest pull.
func (d *descent[T]) above(level float64) (count int, top float64) {
	type found struct {
		count int
		top   float64
	}
	pieces(piece, d.slope.Len(), func(lo, hi int) (f found) {
		for i := lo; i < hi; i++ {
			v := d.pull(i)
			f.top = max(f.top, v)
			if v > level {
				f.count++
			}
		}
		return f
	}, func(f found) { count, top = count+f.count, max(top, f.top) })
	return count, top
}

// stepMembers is step for the members of the working set.
func (d *descent[T]) stepMembers(t, scale, threshold T) {
	s, atoms := d.members, d.z.Shape[1]
	s.list.load(d.r)
	clear(d.sums)
	for n, beta := range d.beta {
		d.sums[n*atoms] = s.step(n, T(beta), t, scale, threshold, d.p.Nonnegative)
	}
	s.synthesize(d.azNext)
}

// soft is soft thresholding.
func soft[T tensor.Float](u, threshold T, nonnegative bool) T {
	switch {
	case u > threshold:
		return u - threshold
	case u < -threshold && !nonnegative:
		return u + threshold
	}
	return 0
}
