package solve

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/csc"
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

// TestChoiceKeepsCodes: a choice goes on from the members' codes: A of the code is what the iterations had brought it to.
func TestChoiceKeepsCodes(t *testing.T) {
	p := sparseProblem(2)
	d := newDescent(p, rule{guarded: true, long: true, momentum: true, restart: RestartGradient, variant: csc.Paper})
	set, mark := newMembers(newSupport(p.A, p.X.Shape)), tensor.New[float64](p.CodeShape()...)
	for choice := range 3 {
		d.choose(set, mark)
		if d.members == nil {
			t.Fatal("no members")
		}
		if e := relative(d.az, defined(p, d.z)); !(e < 1e-12) {
			t.Fatalf("after choice %d A of the code misses by %g", choice, e)
		}
		for range 5 {
			d.iterate()
		}
	}
}
