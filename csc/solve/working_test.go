package solve

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/internal/random"
	"sdref/tensor"
)

// sparseProblem is images that are sums of few atoms, and noise: a full boundary, 12 atoms of 6 x 6.
func sparseProblem(images int) *Problem[float64] {
	w := fill[float64](11, 1, 12, 1, 6, 6)
	for m := range 12 {
		tensor.Scale(w.Row(m), w.Row(m), 1/norm(w.Row(m)))
	}
	p := &Problem[float64]{A: Full(w), X: fill[float64](12, 0.05, images, 1, 32, 29)}
	z, s := tensor.New[float64](p.CodeShape()...), random.New(13)
	for i := range z.Data {
		if s.Intn(uint64(i), 250) == 0 {
			z.Data[i] = s.Unit(uint64(i))
		}
	}
	x := tensor.New[float64](p.X.Shape...)
	p.A.Synthesize(x, z)
	tensor.AddScaled(p.X, p.X, x, 1)
	p.Lambda = lambdaMax(p) / 10
	return p
}

// TestKeptBounds: what solvers say about the least F of each image is true, never falls, and is at times more than what the iterate
// itself proves. Images are independent: the bound of each holds for the image alone.
func TestKeptBounds(t *testing.T) {
	p := sparseProblem(3)
	var least []float64
	for n := range 3 {
		least = append(least, Certify(p.image(n), exact(p.image(n))).Objective)
	}
	for _, s := range []Solver[float64]{FISTA[float64]{}, FISTA[float64]{Restart: RestartGradient}, WorkingSet[float64]{}} {
		before, better := 0.0, 0
		r := s.Solve(p, Stop{RelativeGap: 1e-10, Iterations: 3000, Every: 10}, func(r Record, z *tensor.Tensor[float64]) bool {
			if bound := r.Objective - r.Gap; bound < before-1e-11*r.Objective {
				t.Errorf("%s, iteration %d: the lower bound falls from %.17g to %.17g", s.Name(), r.Iteration, before, bound)
			} else {
				before = bound
			}
			if c := Certify(p, z); r.Gap < 0.99*c.Gap {
				better++
			}
			return true
		})
		if better == 0 {
			t.Errorf("%s: no bound was kept", s.Name())
		}
		if r.Reason != GapReached {
			t.Errorf("%s: %v at gap %g", s.Name(), r.Reason, r.Last.RelativeGap)
		}
		for n, b := range r.Certificate.Images {
			if bound := b.Objective - b.Gap; bound > least[n]*(1+1e-13) || bound < least[n]*(1-1e-9) {
				t.Errorf("%s: image %d: F is at least %.17g, they say; it is %.17g", s.Name(), n, bound, least[n])
			}
		}
	}
}

// TestKeepByImage: floors are the images' own, and no gap gets larger.
func TestKeepByImage(t *testing.T) {
	u := &run[float64]{floors: make([]float64, 2)}
	certificate := func(objectives, gaps [2]float64) Certificate {
		var c Certificate
		for n := range 2 {
			c.Images = append(c.Images, Bounds{Objective: objectives[n], Gap: gaps[n], RelativeGap: gaps[n] / objectives[n]})
		}
		return c
	}
	for i, s := range []struct{ objectives, gaps, want [2]float64 }{
		{[2]float64{10, 20}, [2]float64{4, 1}, [2]float64{4, 1}},
		{[2]float64{9, 19.5}, [2]float64{5, 2}, [2]float64{3, 0.5}},
		{[2]float64{8, 19.25}, [2]float64{1, 7}, [2]float64{1, 0.25}},
		{[2]float64{7.5, 30}, [2]float64{6, 14}, [2]float64{0.5, 11}},
		{[2]float64{math.Inf(1), 19.25}, [2]float64{math.Inf(1), 0.1}, [2]float64{math.Inf(1), 0.1}},
		{[2]float64{7.25, 19.2}, [2]float64{2, 2}, [2]float64{0.25, 0.05}},
	} {
		c := certificate(s.objectives, s.gaps)
		u.keep(&c)
		for n, b := range c.Images {
			if math.Abs(b.Gap-s.want[n]) > 1e-10 || b.Gap > s.gaps[n] {
				t.Errorf("certificate %d, image %d: gap %g, want %g", i, n, b.Gap, s.want[n])
			}
			if want := b.Gap / s.objectives[n]; math.Abs(b.RelativeGap-want) > 1e-12 {
				t.Errorf("certificate %d, image %d: relative gap %g, want %g", i, n, b.RelativeGap, want)
			}
		}
		if sum := c.Images[0].Gap + c.Images[1].Gap; c.Gap != sum {
			t.Errorf("certificate %d: the batch's gap is %g, want %g", i, c.Gap, sum)
		}
	}
}

// TestWorkingSetStep: where the code is sparse the working set's steps are longer than A's greatest eigenvalue allows, and it proves a
// relative gap of 1e-8 in fewer iterations than FISTA with restart; its code is the same.
func TestWorkingSetStep(t *testing.T) {
	p := sparseProblem(1)
	stop := Stop{RelativeGap: 1e-8, Iterations: 20000, Every: 7} // choices fall between certificates
	all := FISTA[float64]{Restart: RestartGradient}.Solve(p, stop, nil)
	set := WorkingSet[float64]{}.Solve(p, stop, nil)
	if all.Reason != GapReached || set.Reason != GapReached {
		t.Fatalf("%v at %g and %v at %g", all.Reason, all.Last.RelativeGap, set.Reason, set.Last.RelativeGap)
	}
	if !(set.Last.Step > 1.5*all.Last.Step) || !(set.Last.Iteration < all.Last.Iteration) {
		t.Errorf("%d iterations, step %g; FISTA on all elements takes %d, step %g", set.Last.Iteration, set.Last.Step, all.Last.Iteration, all.Last.Step)
	}
	if e := relative(set.Z, all.Z); !(e < 1e-3) {
		t.Errorf("the codes differ by %g", e)
	}
}

// TestMemberStep: the step for the first members is 1 over the largest eigenvalue of their atoms' inner products, as gonum finds it, or
// a little longer.
func TestMemberStep(t *testing.T) {
	p := sparseProblem(2)
	d := newDescent(p, rule{guarded: true, long: true, momentum: true})
	d.choose(newMembers(newSupport(p.A, p.X.Shape)), tensor.New[float64](p.CodeShape()...))
	if d.members == nil || len(d.members.at) < 20 {
		t.Fatal("no members")
	}
	columns := mat.NewDense(p.X.Len(), len(d.members.at), nil)
	z, x := tensor.New[float64](p.CodeShape()...), tensor.New[float64](p.X.Shape...)
	for k, at := range d.members.at {
		z.Data[at] = 1
		p.A.Synthesize(x, z)
		z.Data[at] = 0
		columns.SetCol(k, x.Data)
	}
	var svd mat.SVD
	if !svd.Factorize(columns, mat.SVDNone) {
		t.Fatal("no singular values")
	}
	if most := svd.Values(nil)[0]; !(d.t*most*most >= 1-1e-12) || !(d.t*most*most < 1.2) {
		t.Errorf("step %g, the largest eigenvalue is %g", d.t, most*most)
	}
}
