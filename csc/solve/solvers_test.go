package solve

import (
	"math"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// converges tells whether a solver can be asked for full accuracy: the authors' loop only with mu > 0.
func converges(s Solver[float64], p *Problem[float64]) bool {
	return s.Supports(p) == nil && (s.Name() != "published" || p.Mu > 0)
}

// TestSolversAgree: on fifty problems, with -short five, for each boundary and sign every solver reaches a relative gap of
// 1e-13, all come to one z, and no certificate on the way puts the least objective above what some solver
// attained.
func TestSolversAgree(t *testing.T) {
	problems := uint64(50)
	if testing.Short() {
		problems = 5
	}
	for _, b := range boundaries {
		for seed := range problems {
			for _, nonnegative := range []bool{false, true} {
				solversAgree(t, randomProblem(seed, b, nonnegative))
			}
		}
	}
}

// every is how often a solver is certified: those that need many iterations seldom.
func every(s Solver[float64]) int {
	switch s.Name() {
	case "newton", "coordinate":
		return 1
	case "ista", "fista", "fista-backtracking", "published":
		return 50
	}
	return 10
}

func solversAgree(t *testing.T, p *Problem[float64]) {
	t.Helper()
	stop := Stop{RelativeGap: 1e-13, Iterations: 50000}
	if p.Mu > 0 {
		stop.RelativeGap = 1e-15 // the gap is of second order in |z - z*| then
	}
	var first *tensor.Tensor[float64]
	least, bound := math.Inf(1), 0.0
	for _, s := range Solvers[float64]() {
		if !converges(s, p) {
			continue
		}
		stop.Every = every(s)
		r := s.Solve(p, stop, func(r Record, _ *tensor.Tensor[float64]) bool {
			least, bound = min(least, r.Objective), max(bound, r.Objective-r.Gap)
			return true
		})
		if r.Reason != GapReached {
			t.Errorf("%s: %s stopped after %d iterations, %v, at gap %g", describe(p), s.Name(),
				r.Last.Iteration, r.Reason, r.Last.RelativeGap)
		}
		if first == nil {
			first = r.Z
		} else if e := relative(r.Z, first); !(e <= 1e-6) {
			t.Errorf("%s: %s is %g away from ista", describe(p), s.Name(), e)
		}
	}
	if !(bound <= least*(1+1e-14)) {
		t.Errorf("%s: a certificate says that F is at least %.17g, but %.17g was reached", describe(p), bound,
			least)
	}
}

// TestPublishedIsTheLayer: iteration by iteration, Published has the bits of the layer's FISTA, and FISTA
// without restarts is the paper's within rounding.
func TestPublishedIsTheLayer(t *testing.T) {
	s := csc.Settings{Geometry: conv.Geometry{Stride: 2, Padding: 1}, Lambda: 0.1, Mu: 0.05,
		Nonnegative: true}
	x, w := fill[float64](1, 2, 2, 3, 9, 8), fill[float64](2, 0.5, 5, 3, 3, 3)
	layer := func(v csc.Variant, k int) *tensor.Tensor[float64] {
		s.Variant, s.Iterations = v, k
		return csc.Solve(x, w, 0.05, s)
	}
	p := FromSettings(x, w, s)
	Published[float64]{Step: 0.05}.Solve(p, Stop{Iterations: 12},
		func(r Record, z *tensor.Tensor[float64]) bool {
			if want := layer(csc.Published, r.Iteration); !tensor.SameBits(z, want) {
				t.Errorf("iteration %d: element %d of the published loop differs from the layer's",
					r.Iteration,
					tensor.FirstDifference(z, want))
			}
			return true
		})
	FISTA[float64]{Step: 0.05}.Solve(p, Stop{Iterations: 12}, func(r Record, z *tensor.Tensor[float64]) bool {
		if e := relative(z, layer(csc.Paper, r.Iteration)); !(e <= 1e-14) {
			t.Errorf("iteration %d: FISTA is %g away from the layer's", r.Iteration, e)
		}
		return true
	})
}

// TestBatch: the images of a batch are separate problems, so each solver gives each image the bits that it
// has alone.
func TestBatch(t *testing.T) {
	for _, b := range boundaries {
		p := randomProblem(1, b, b == FullBoundary)
		p.X = fill[float64](8, 2, 3, p.X.Shape[1], 9, 10)
		for _, s := range Solvers[float64]() {
			if s.Supports(p) != nil || s.Name() == "fista-backtracking" ||
				s.Name() == "fista-backtracking-gradient-restart" || s.Name() == "working-set" {
				continue // these choose one step for all
			}
			stop := Stop{Iterations: 7}
			all := s.Solve(p, stop, nil).Z
			for n := range 3 {
				if one := s.Solve(p.image(n), stop, nil).Z; !tensor.SameBits(oneImage(all, n), one) {
					t.Errorf("%v: %s: image %d has another code alone", b, s.Name(), n)
				}
			}
		}
	}
}

// TestFloat32: in float32 every solver converges up to the rounding errors of float32.
func TestFloat32(t *testing.T) {
	for _, b := range boundaries {
		for seed := range uint64(6) {
			p := Convert[float32](randomProblem(seed, b, seed%2 == 0))
			for _, s := range Solvers[float32]() {
				if s.Supports(p) != nil || s.Name() == "published" {
					continue
				}
				if r := s.Solve(p, Stop{RelativeGap: 3e-6, Iterations: 5000, Every: 5},
					nil); r.Reason != GapReached {
					t.Errorf("seed %d, %v: %s: %v at gap %g", seed, b, s.Name(), r.Reason, r.Last.RelativeGap)
				}
			}
		}
	}
}

// TestReasons: each way to stop.
func TestReasons(t *testing.T) {
	p := randomProblem(0, FullBoundary, false)
	for _, c := range []struct {
		s       Solver[float64]
		stop    Stop
		observe func(Record, *tensor.Tensor[float64]) bool
		want    Reason
	}{
		{FISTA[float64]{}, Stop{RelativeGap: 1e-3, Iterations: 1000}, nil, GapReached},
		{FISTA[float64]{}, Stop{Iterations: 3}, nil, IterationsUsedUp},
		{FISTA[float64]{Restart: RestartGradient}, Stop{Iterations: 1 << 20}, nil, Stalled},
		{ISTA[float64]{Step: 10}, Stop{Iterations: 1000}, nil, Diverged},
		{Coordinate[float64]{}, Stop{Iterations: 1000}, func(r Record, _ *tensor.Tensor[float64]) bool {
			return r.Iteration < 2
		}, Interrupted},
	} {
		if r := c.s.Solve(p, c.stop, c.observe); r.Reason != c.want {
			t.Errorf("%s, %+v: %v at iteration %d, gap %g, want %v", c.s.Name(), c.stop, r.Reason,
				r.Last.Iteration, r.Last.RelativeGap, c.want)
		}
	}
	mustPanic(t, "no iterations", func() { ISTA[float64]{}.Solve(p, Stop{}, nil) })
	mustPanic(t, "ADMM off the torus", func() { ADMM[float64]{}.Solve(p, Stop{Iterations: 1}, nil) })
}

// TestRecord: the numbers of a record are those of one iterate, and of the z passed with it.
func TestRecord(t *testing.T) {
	p := randomProblem(2, ZeroBoundary, true)
	for _, s := range Solvers[float64]() {
		if s.Supports(p) != nil {
			continue
		}
		before, last := tensor.New[float64](p.CodeShape()...), 0
		r := s.Solve(p, Stop{Iterations: 8}, func(r Record, z *tensor.Tensor[float64]) bool {
			c := Certify(p, z)
			if r.Iteration != last+1 || r.Objective != c.Objective || r.Gap != c.Gap || r.KKT != c.KKT ||
				r.Nonzeros != tensor.CountNonzero(z) {
				t.Errorf("%s: record %+v, certificate %+v", s.Name(), r, c.Bounds)
			}
			if d := distance(z, before); !(math.Abs(r.Change-d) <= 1e-12*norm(z)) {
				t.Errorf("%s, iteration %d: change %g, want %g", s.Name(), r.Iteration, r.Change, d)
			}
			copy(before.Data, z.Data)
			last = r.Iteration
			return true
		})
		if !tensor.SameBits(r.Z, before) || r.Last.Iteration != last || r.Reason == IterationsUsedUp && last != 8 {
			t.Errorf("%s: the result, %v at %+v, is not the last iterate", s.Name(), r.Reason, r.Last)
		}
	}
}

// TestLookup: every solver is found by its name.
func TestLookup(t *testing.T) {
	for _, s := range Solvers[float32]() {
		if got, err := Lookup[float32](s.Name()); err != nil || got != s {
			t.Errorf("%s: %v, %v", s.Name(), got, err)
		}
	}
	if _, err := Lookup[float32]("simplex"); err == nil {
		t.Error("a solver called simplex")
	}
}
