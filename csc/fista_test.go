package csc

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/autodiff"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// problem is a setup with numbers and a matrix.
type problem struct {
	setup
	x, w *tensor.Tensor[float64]
	a    *mat.Dense
	step float64 // 0.9 over the largest eigenvalue of A*A, by gonum
}

// newProblem draws the numbers of setups[i]; its atoms have norm 1.
func newProblem(t *testing.T, i int) problem {
	t.Helper()
	p := problem{setup: setups[i]}
	p.x = fill[float64](uint64(800+i), 2, p.signalShape(p.n)...)
	p.w = fill[float64](uint64(900+i), 0.5, p.atomShape()...)
	NormalizeAtoms(p.w)
	p.a = p.matrix(p.w)
	p.step = 0.9 / largest(t, p.a)
	return p
}

// settings are those of a kind of penalty for this problem.
func (p problem) settings(kind Settings, iterations int, v Variant) Settings {
	kind.Geometry, kind.Iterations, kind.Variant = p.g, iterations, v
	return kind
}

var variants = []Variant{Published, Paper}

// denseFISTA transcribes (A.1) with matrices, one column per image, and returns z_1, ..., z_K.
func (p problem) denseFISTA(s Settings) []*mat.Dense {
	x := columns(p.x)
	_, images := x.Dims()
	zero := func() *mat.Dense { return mat.NewDense(p.codeSize(), images, nil) }
	z, y, m := zero(), zero(), 1.0
	var all []*mat.Dense
	for range s.Iterations {
		g := y
		if s.Variant == Published {
			g = z
		}
		var ag, r, u mat.Dense
		ag.Mul(p.a, g)
		r.Sub(x, &ag)
		u.Mul(p.a.T(), &r)
		next := zero()
		next.Apply(func(i, j int, v float64) float64 {
			return denseProx(y.At(i, j)+p.step*v, p.step, s)
		}, &u) // (A.1), first line
		mNext := (1 + math.Sqrt(1+4*m*m)) / 2 // (A.1), second line
		yNext := zero()
		yNext.Apply(func(i, j int, v float64) float64 {
			return v + (m-1)/mNext*(v-z.At(i, j))
		}, next) // (A.1), third line
		z, y, m = next, yNext, mNext
		all = append(all, z)
	}
	return all
}

// denseProx solves the optimality condition z + t mu z + t lambda sign(z) = u case by case.
func denseProx(u, t float64, s Settings) float64 {
	switch b := t * s.Lambda; {
	case u > b:
		return (u - b) / (1 + t*s.Mu)
	case u < -b && !s.Nonnegative:
		return (u + b) / (1 + t*s.Mu)
	}
	return 0
}

// TestFISTAAgainstMatrices covers every setup, every penalty and both variants at 1 to 20 iterations.
func TestFISTAAgainstMatrices(t *testing.T) {
	for i := range setups {
		p := newProblem(t, i)
		for kind, penalty := range penalties {
			for _, v := range variants {
				want := p.denseFISTA(p.settings(penalty, 20, v))
				for _, k := range []int{1, 2, 3, 4, 8, 20} {
					z := Solve(p.x, p.w, p.step, p.settings(penalty, k, v))
					near(t, fmt.Sprintf("%v, %s, %v, z_%d", p.setup, kind, v, k), z.Data, images(want[k-1], z.Shape...).Data, 1e-12)
				}
			}
		}
	}
}

// TestVariantsPartAtTheThirdIteration: up to the second the extrapolation has no momentum, and the gradient's point is the same.
func TestVariantsPartAtTheThirdIteration(t *testing.T) {
	for i := range setups {
		p := newProblem(t, i)
		for kind, penalty := range penalties {
			for k := 1; k <= 4; k++ {
				published := Solve(p.x, p.w, p.step, p.settings(penalty, k, Published))
				paper := Solve(p.x, p.w, p.step, p.settings(penalty, k, Paper))
				if equal := tensor.SameBits(published, paper); equal != (k <= 2) {
					t.Errorf("%v, %s: at %d iterations the variants' equality is %t", p.setup, kind, k, equal)
				}
			}
		}
	}
}

// TestIterates runs (A.1) with the package's own operators and keeps every iterate: FISTA with K iterations returns
// exactly the K-th, so that fewer iterations are a prefix of more.
func TestIterates(t *testing.T) {
	p := newProblem(t, 3)
	for _, v := range variants {
		s := p.settings(penalties["elastic"], 8, v)
		shape := p.codeShape(p.n)
		z, y, u := tensor.New[float64](shape...), tensor.New[float64](shape...), tensor.New[float64](shape...)
		m := 1.0
		for k := 1; k <= 8; k++ {
			g := y
			if v == Published {
				g = z
			}
			r := synthesis(g, p.w, p.height, p.width, p.g)
			tensor.AddScaled(r, p.x, r, -1)
			tensor.AddScaled(u, y, analysis(r, p.w, p.g), p.step)
			next := tensor.From(prox(u.Data, p.step, s), shape...)
			mNext := (1 + math.Sqrt(1+float64(4*m*m))) / 2
			difference := tensor.New[float64](shape...)
			tensor.AddScaled(difference, next, z, -1)
			y = tensor.New[float64](shape...)
			tensor.AddScaled(y, next, difference, (m-1)/mNext)
			z, m = next, mNext
			s.Iterations = k
			same(t, fmt.Sprintf("%v, iterate %d", v, k), Solve(p.x, p.w, p.step, s), z)
		}
	}
}

// TestScaling: the problem with 2^e x and 2^e lambda has the solution 2^e z, and as a power of two rounds nothing the code
// scales bit for bit, in both precisions.
func TestScaling(t *testing.T) {
	p := newProblem(t, 0)
	for kind, penalty := range penalties {
		for _, v := range variants {
			for _, e := range []int{-12, 1, 17} {
				s := p.settings(penalty, 5, v)
				what := fmt.Sprintf("%s, %v, 2^%d", kind, v, e)
				scales(t, what+", float64", p.x, p.w, p.step, s, math.Ldexp(1, e))
				scales(t, what+", float32", tensor.Convert[float32](p.x), tensor.Convert[float32](p.w), float32(p.step), s, math.Ldexp(1, e))
			}
		}
	}
}

func scales[T tensor.Float](t *testing.T, what string, x, w *tensor.Tensor[T], step T, s Settings, by float64) {
	t.Helper()
	want := Solve(x, w, step, s)
	if n := tensor.CountNonzero(want); n == 0 || n == want.Len() {
		t.Errorf("%s: %d of %d elements are not 0", what, n, want.Len())
	}
	tensor.Scale(want, want, T(by))
	scaled := x.Clone()
	tensor.Scale(scaled, x, T(by))
	s.Lambda *= by
	same(t, what, Solve(scaled, w, step, s), want)
}

// TestSameBits: every kernel row and any number of goroutines give the same code and the same power iteration.
func TestSameBits(t *testing.T) {
	defer kernel.Use(kernel.ActiveName())
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for i := range setups {
		p := newProblem(t, i)
		s := p.settings(penalties["elastic nonnegative"], 4, Paper)
		x, w := tensor.Convert[float32](p.x), tensor.Convert[float32](p.w)
		var first, firstV *tensor.Tensor[float32]
		var firstE Estimate
		for _, row := range kernel.Rows[float32]() {
			if err := kernel.Use(row.Name); err != nil {
				t.Fatal(err)
			}
			for _, procs := range []int{1, 5} {
				runtime.GOMAXPROCS(procs)
				v := fill[float32](1, 1, p.codeShape(1)...)
				e := PowerIteration(v, w, p.height, p.width, p.g)
				z := Solve(x, w, float32(p.step), s)
				if first == nil {
					first, firstV, firstE = z, v, e
				}
				what := fmt.Sprintf("%v, row %s, %d goroutines", p.setup, row.Name, procs)
				same(t, what+", z", z, first)
				same(t, what+", v", v, firstV)
				if e != firstE {
					t.Errorf("%s: %+v, want %+v", what, e, firstE)
				}
			}
		}
	}
}

// TestGradientsChangeNoCode: a solver that gives gradients gives the code of one that does not, bit for bit, also when it runs again,
// and neither loses memory: after a run only the outputs are out of the arena, and after Release nothing.
func TestGradientsChangeNoCode(t *testing.T) {
	p := newProblem(t, 3)
	seed := fill[float64](1, 1, p.codeShape(p.n)...)
	for _, v := range variants {
		for _, k := range []int{1, 2, 3, 6} {
			s := p.settings(penalties["nonnegative"], k, v)
			what := fmt.Sprintf("%v, %d iterations", v, k)
			plain, recorded := NewSolver[float64](p.x.Shape, p.w.Shape, s, false), NewSolver[float64](p.x.Shape, p.w.Shape, s, true)
			want := Solve(p.x, p.w, p.step, s)
			for range 2 {
				z, _, _ := plain.Run(p.x, p.w, p.step, nil)
				same(t, what, z, want)
				z, _, _ = recorded.Run(p.x, p.w, p.step, seed)
				same(t, what+", with gradients", z, want)
			}
			for outputs, r := range map[int]*Solver[float64]{1: plain, 3: recorded} {
				arena := tensor.NewArena[float64]()
				program := autodiff.NewProgram(r.program.Plan, arena)
				for input, value := range map[*autodiff.Node]*tensor.Tensor[float64]{r.x: p.x, r.w: p.w, r.t: scalar(p.step), r.dz: seed} {
					if input != nil {
						program.Set(input, value)
					}
				}
				for range 2 {
					program.Run()
					if n := arena.Live(); n != outputs {
						t.Errorf("%s: %d tensors are out after a run, want the %d outputs alone", what, n, outputs)
					}
				}
				same(t, what+", of an arena of its own", program.Value(r.z), want)
				if program.Release(); arena.Live() != 0 {
					t.Errorf("%s: %d tensors are out after Release", what, arena.Live())
				}
			}
		}
	}
}

// TestSignalFromOperation: x may be the result of an operation, as in a network, whose memory is given back.
func TestSignalFromOperation(t *testing.T) {
	p := newProblem(t, 0)
	for _, k := range []int{1, 2, 4} {
		s := p.settings(penalties["signed"], k, Paper)
		g := autodiff.NewGraph()
		x, w, step := g.Input("x", p.x.Shape...), g.Input("w", p.w.Shape...), g.Input("t")
		z := FISTA("", autodiff.Scale(x, 1, nil), w, step, nil, s)
		arena := tensor.NewArena[float64]()
		program := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{z}}), arena)
		for input, value := range map[*autodiff.Node]*tensor.Tensor[float64]{x: p.x, w: p.w, step: scalar(p.step)} {
			program.Set(input, value)
		}
		program.Run()
		same(t, fmt.Sprintf("%d iterations", k), program.Value(z), Solve(p.x, p.w, p.step, s))
		if n := arena.Live(); n != 1 {
			t.Errorf("%d iterations: %d tensors are out, want z alone", k, n)
		}
	}
}

func TestFISTANeedsAnIteration(t *testing.T) {
	p := newProblem(t, 0)
	mustPanic(t, "no iterations", func() { Solve(p.x, p.w, p.step, p.settings(penalties["signed"], 0, Paper)) })
}

func TestVariantNames(t *testing.T) {
	for _, v := range variants {
		if got, err := ParseVariant(v.String()); err != nil || got != v {
			t.Errorf("ParseVariant(%q) = %v, %v", v, got, err)
		}
	}
	if _, err := ParseVariant("nesterov"); err == nil {
		t.Error("ParseVariant took a name that no variant has")
	}
	if got := Variant(7).String(); got != "Variant(7)" {
		t.Errorf("Variant(7) is printed as %q", got)
	}
}
