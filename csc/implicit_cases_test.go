package csc

import (
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// TestImplicitSingular: with two equal atoms in the support, half of every gradient goes to each, and what the gradient says of their
// difference counts for nothing: q is the pseudo-inverse's, by gonum's singular values.
func TestImplicitSingular(t *testing.T) {
	p := newProblem(t, 0)
	copy(p.w.Row(1).Data, p.w.Row(0).Data)
	p.a = p.matrix(p.w)
	for _, kind := range []string{"signed", "nonnegative"} {
		s := p.settings(penalties[kind], 1, Paper)
		z := p.solvedWithEqualAtoms(s)
		seed := fill[float64](78, 1, z.Shape...)
		dx, dw, dlambda, systems := p.gradients(z, seed, s, Accuracy{Tolerance: 1e-12, Rounds: 2000})
		wantX, wantW, wantLambda := tensor.New[float64](p.x.Shape...), tensor.New[float64](p.w.Shape...), 0.0
		q := tensor.New[float64](z.Shape...)
		for n := range p.n {
			if systems[n].Outcome != Singular || !(systems[n].Residual > 0.1) {
				t.Errorf("%s: image %d: %+v, want a singular system", kind, n, systems[n])
			}
			pseudoInverse(t, q.Row(n).Data, p.a, z.Row(n).Data, seed.Row(n).Data)
			for j, v := range z.Row(n).Data {
				if v != 0 {
					wantLambda -= math.Copysign(q.Row(n).Data[j], v*q.Row(n).Data[j])
				}
			}
		}
		copy(wantX.Data, synthesis(q, p.w, p.height, p.width, p.g).Data)
		r, second := synthesis(z, p.w, p.height, p.width, p.g), tensor.New[float64](p.w.Shape...)
		tensor.AddScaled(r, p.x, r, -1)
		conv.DefineWeightGradient(wantW, r, q, p.g)
		conv.DefineWeightGradient(second, wantX, z, p.g)
		tensor.AddScaled(wantW, wantW, second, -1)
		near(t, kind+": dx", dx.Data, wantX.Data, 1e-8)
		near(t, kind+": dw", dw.Data, wantW.Data, 1e-8)
		near(t, kind+": dlambda", dlambda.Data, []float64{wantLambda}, 1e-8)
	}
}

// solvedWithEqualAtoms is a solution that uses both of the equal atoms 0 and 1, to 1e-9 or so.
func (p problem) solvedWithEqualAtoms(s Settings) *tensor.Tensor[float64] {
	s.Iterations = 2500
	z := Solve(p.x, p.w, p.step, s)
	for i, v := range z.Data {
		if math.Abs(v) < 1e-6 {
			z.Data[i] = 0
		}
	}
	return z
}

// pseudoInverse sets q = (A_S* A_S)^+ g on the support of z, 0 elsewhere.
func pseudoInverse(t *testing.T, q []float64, a *mat.Dense, z, g []float64) {
	t.Helper()
	columns, _ := onSupport(a, z)
	var svd mat.SVD
	if !svd.Factorize(columns, mat.SVDThin) {
		t.Fatal("gonum found no singular values")
	}
	var v mat.Dense
	svd.VTo(&v)
	var at []int
	for j := range z {
		if z[j] != 0 {
			at = append(at, j)
		}
	}
	clear(q)
	for i, value := range svd.Values(nil) {
		if value < 1e-7 {
			continue
		}
		along := 0.0
		for k, j := range at {
			along += v.At(k, i) * g[j]
		}
		for k, j := range at {
			q[j] += along / (value * value) * v.At(k, i)
		}
	}
}

// TestImplicitOutcomes: rounds that run out are reported; an empty support has gradients 0; NaN does not hang.
func TestImplicitOutcomes(t *testing.T) {
	p := newProblem(t, 0)
	s := p.settings(penalties["signed"], 1, Paper)
	z := p.solved(t, s)
	seed := fill[float64](78, 1, z.Shape...)
	_, _, _, systems := p.gradients(z, seed, s, Accuracy{Rounds: 3})
	for _, y := range systems {
		if y.Outcome != Unfinished || y.Rounds != 3 || !(y.Residual > 1e-10 && y.Residual < 1) {
			t.Errorf("three rounds: %+v", y)
		}
	}
	z.Row(1).Fill(0)
	dx, _, _, systems := p.gradients(z, seed, s, tight)
	if y := systems[1]; y.Outcome != Solved || y.Rounds != 0 || y.Support != 0 || tensor.SumAbs(dx.Row(1)) != 0 || tensor.SumAbs(dx.Row(0)) == 0 {
		t.Errorf("an image without support: %+v, |dx| %g and %g", y, tensor.SumAbs(dx.Row(0)), tensor.SumAbs(dx.Row(1)))
	}
	seed.Data[0] = math.NaN()
	z.Data[0] = 1
	if _, _, _, systems = p.gradients(z, seed, s, tight); systems[0].Outcome != Unfinished {
		t.Errorf("a gradient of NaN: %+v", systems[0])
	}
}

// TestImplicitFloat32 holds single precision to double precision, with the default accuracies.
func TestImplicitFloat32(t *testing.T) {
	p := newProblem(t, 3)
	s := p.settings(penalties["elastic nonnegative"], 400, Paper)
	s.Gradient, s.LearnLambda = Implicit, true
	seed := fill[float64](78, 1, p.codeShape(p.n)...)
	wide, single := layerGradients[float64](p, s, seed), layerGradients[float32](p, s, seed)
	for i := range wide {
		near(t, fmt.Sprintf("gradient %d", i), single[i].Data, wide[i].Data, 1e-4)
	}
}

// layerGradients are those of x, w and lambda through a layer with p's atoms.
func layerGradients[T tensor.Float](p problem, s Settings, seed *tensor.Tensor[float64]) []*tensor.Tensor[T] {
	l := newLayer[T](p.setup, s)
	copy(l.Weight.Data, tensor.Convert[T](p.w).Data)
	l.StepSize.Fill(T(p.step))
	f := flowOf(l, p.signalShape(p.n))
	gradients := f.gradients(f.x, f.w, f.lambda)
	arena := tensor.NewArena[T]()
	r := bind(f, l, arena, gradients...)
	r.Set(f.x, tensor.Convert[T](p.x))
	r.Set(f.dz, tensor.Convert[T](seed))
	r.Run()
	var list []*tensor.Tensor[T]
	for _, n := range gradients {
		list = append(list, r.Value(n).Clone())
	}
	r.Release()
	if arena.Live() != 0 {
		panic(fmt.Sprintf("%d tensors are out after Release", arena.Live()))
	}
	return list
}

// TestImplicitLayer: a layer whose gradient is implicit gives the same code as one that is unrolled, keeps no iterates for it, so that
// memory does not grow with their number, and its gradient is Solution's at that code.
func TestImplicitLayer(t *testing.T) {
	p := newProblem(t, 8)
	s := p.settings(penalties["elastic"], 400, Paper)
	seed := fill[float64](78, 1, p.codeShape(p.n)...)
	var codes []*tensor.Tensor[float64]
	for _, g := range []Gradient{Unrolled, Implicit} {
		s.Gradient = g
		l := newLayer[float64](p.setup, s)
		l.Weight, l.StepSize.Data[0] = p.w, p.step
		f := flowOf(l, p.x.Shape)
		gradients := f.gradients(f.x, f.w)
		arena := tensor.NewArena[float64]()
		r := bind(f, l, arena, append(gradients, f.z)...)
		r.Set(f.x, p.x)
		r.Set(f.dz, seed)
		r.Run()
		codes = append(codes, r.Value(f.z).Clone())
		if g == Implicit {
			dx, dw, _, _ := p.gradients(codes[0], seed, s, Accuracy{})
			same(t, "dx", r.Value(gradients[0]), dx)
			same(t, "dw", r.Value(gradients[1]), dw)
		}
		few := *l
		few.Iterations = 4
		f = flowOf(&few, p.x.Shape)
		before, now := r.Plan.Peak(1).Elements, autodiff.NewPlan(autodiff.Wanted{Outputs: append(f.gradients(f.x, f.w), f.z)}).Peak(1).Elements
		if (before == now) != (g == Implicit) {
			t.Errorf("%v: %d elements in memory with 400 iterations, %d with 4", g, before, now)
		}
	}
	same(t, "code", codes[1], codes[0])
	s.LearnStep = true
	mustPanic(t, "a step learned from the implicit gradient", func() { newLayer[float64](p.setup, s) })
	s.LearnStep, s.Gradient = false, 2
	mustPanic(t, "an unknown gradient", func() { newLayer[float64](p.setup, s) })
}

func TestGradientNames(t *testing.T) {
	for _, g := range []Gradient{Unrolled, Implicit} {
		if got, err := ParseGradient(g.String()); err != nil || got != g {
			t.Errorf("ParseGradient(%q) = %v, %v", g, got, err)
		}
	}
	if _, err := ParseGradient("adjoint"); err == nil {
		t.Error("ParseGradient took a name that no gradient has")
	}
	if a, b, c, d := Gradient(7).String(), Solved.String(), Singular.String(), Unfinished.String(); a+b+c+d != "Gradient(7)solvedsingularunfinished" {
		t.Errorf("names %s, %s, %s, %s", a, b, c, d)
	}
}
