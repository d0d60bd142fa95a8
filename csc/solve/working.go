package solve

import (
	"sdref/csc"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// WorkingSet is FISTA with backtracking and gradient restart on the few elements that may be other than 0:
// those that are, and those whose c = A*(x - A z) exceeds lambda, the largest first. Every workingPeriod
// iterations they are chosen anew, which costs an analysis; in between an iteration costs as many products as
// these elements have taps. Where they are many it is FISTA on all.
type WorkingSet[T tensor.Float] struct{}

// The rules of WorkingSet.
const (
	workingPeriod = 30 // iterations between two choices
	// workingShare: the working set is at first at most 1/64 of the elements; later at most twice as many as
	// are not 0.
	workingShare   = 64
	maxLevelRaises = 20 // how often the level that a member's c must exceed is raised, per choice
)

func (WorkingSet[T]) Name() string               { return "working-set" }
func (WorkingSet[T]) Supports(*Problem[T]) error { return nil }

func (s WorkingSet[T]) Solve(p *Problem[T], stop Stop,
	observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	run := newRun(s, p, stop, observe)
	d := newDescent(p, rule{guarded: true, long: true, momentum: true, restart: RestartGradient,
		variant: csc.Paper})
	members, mark := newSupport(p.A, p.X.Shape), tensor.New[T](p.CodeShape()...)
	for k := 1; ; k++ {
		if members != nil && k%workingPeriod == 1 {
			d.choose(members, mark)
		}
		r := Record{Iteration: k, Momentum: d.m[0]}
		d.iterate()
		r.Step, r.Change, r.Restart = d.t, d.change, d.restarted
		if run.done(r, d.z) {
			return run.result(d.z)
		}
	}
}

// choose lists the working set's members; mark is scratch of the code's shape.
func (d *descent[T]) choose(members *support[T], mark *tensor.Tensor[T]) {
	tensor.AddScaled(d.r, d.p.X, d.az, -1)
	d.a.analyze(d.slope, d.r, nil)
	level, maxMembers := d.p.Lambda, max(2*tensor.CountNonzero(d.z), mark.Len()/workingShare)
	for range maxLevelRaises {
		count, top := d.above(level)
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
	clear(d.next.Data) // the values of former members
	d.members = nil
	if members.find(mark); members.isSparse() {
		d.members = members
	}
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
	pieces(d.slope.Len(), func(lo, hi int) (f found) {
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
	s := d.members
	s.load(d.r)
	s.gather(d.slope)
	height, width, atoms := s.code[2], s.code[3], s.code[1]
	parallel.Ranges(len(d.sums), 1, func(lo, hi int) {
		for plane := lo; plane < hi; plane++ {
			beta, sums := T(d.beta[plane/atoms]), stepSums{}
			for r := plane * height; r < (plane+1)*height; r++ {
				for _, j := range s.column[r*width : r*width+int(s.count[r])] {
					i := r*width + int(j)
					z := d.z.Data[i]
					y := z + T(beta*(z-d.before.Data[i]))
					v := soft(T((y+T(t*d.slope.Data[i]))*scale), threshold, d.p.Nonnegative)
					d.next.Data[i] = v
					sums.add(float64(y), float64(z), float64(v))
				}
			}
			d.sums[plane] = sums
		}
	})
	s.scatter(d.next)
	s.store(d.azNext)
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
