package graph

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/tensor"
)

// near fails unless got is want to the given relative error, norm-wise.
func near(t *testing.T, what string, got, want *Tensor, bound float64) {
	t.Helper()
	if d := golden.Compare(got.Data, want.Data); !d.Within(bound) {
		t.Errorf("%s: %v", what, golden.Judge("", what, d, bound))
	}
}

// problem is a CSC layer to be computed by a graph and by package csc.
type problem struct {
	n, c, m, h, w, k int
	csc.Settings
}

var problems = []problem{
	{2, 3, 5, 6, 7, 3, csc.Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.3, Nonnegative: true,
		Iterations: 2}},
	{2, 3, 5, 7, 6, 3, csc.Settings{Geometry: conv.Geometry{Stride: 2, Padding: 1}, Lambda: 0.2,
		Iterations: 5}},
	{1, 2, 4, 9, 8, 5, csc.Settings{Geometry: conv.Geometry{Stride: 2, Padding: 2}, Lambda: 0.1, Mu: 0.5,
		Nonnegative: true, Iterations: 4, Variant: csc.Paper}},
	{3, 2, 3, 5, 6, 3, csc.Settings{Geometry: conv.Geometry{}, Lambda: 0.1, Mu: 0.1, Iterations: 8,
		Variant: csc.Paper}},
	{1, 2, 3, 7, 7, 3, csc.Settings{Geometry: conv.Geometry{Padding: 2, Dilation: 2}, Lambda: 0.1,
		Iterations: 1}},
}

func (p problem) String() string {
	return fmt.Sprintf("N %d, C %d, M %d, %dx%d, kernel %d, %+v", p.n, p.c, p.m, p.h, p.w, p.k, p.Settings)
}

// build writes the layer down: atoms, eigenvalue, code, gradients of x and of the atoms.
func (p problem) build(rounds int) (b *Builder, code string) {
	b = New("layer", "csc_layer", "")
	x := b.Input("x", golden.Fill{Shape: []int{p.n, p.c, p.h, p.w}, Seed: 1, Scale: 2})
	raw := b.Input("w", golden.Fill{Shape: []int{p.m, p.c, p.k, p.k}, Seed: 2, Scale: 0.5})
	shape := p.CodeShape(b.Shape(x), b.Shape(raw))
	v := b.Input("v0", golden.Fill{Shape: []int{1, shape[1], shape[2], shape[3]}, Seed: 3, Scale: 1})
	w := b.UnitAtoms("", raw)
	_, step := b.PowerIteration("", v, w, p.h, p.w, csc.PublishedPower(rounds), p.Geometry)
	code = b.FISTA("", x, w, step, p.Settings)
	dz := b.Input("grad/"+code, golden.Fill{Shape: shape, Seed: 4, Scale: 1})
	b.Backward(code, dz, x, w)
	return b, code
}

// TestLayerIsTheLayer sets every value of the graph that package csc gives too against it.
func TestLayerIsTheLayer(t *testing.T) {
	for _, p := range problems {
		l := csc.NewLayer[float64](p.m, p.c, p.k, p.h, p.w, p.Settings)
		l.UnitNormAtoms = true
		in := l.Vector
		first, _ := p.build(1)
		values := first.Generate()
		copy(in.Data, values["v0"].Data)
		copy(l.Weight.Data, values["w"].Data)
		l.Normalize()
		e := l.UpdateStep()

		b, code := p.build(e.Rounds)
		got, err := b.Evaluate(b.Generate())
		if err != nil {
			t.Fatal(err)
		}
		near(t, p.String()+": weight", got["weight"], l.Weight, 0)
		near(t, p.String()+": vector", got[fmt.Sprintf("power/%d/vector", e.Rounds)], l.Vector, 1e-13)
		near(t, p.String()+": eigenvalue", got["eigenvalue"], scalar(e.Value), 1e-14)
		near(t, p.String()+": step", got["step"], scalar(e.Step()), 1e-14)
		near(t, p.String()+": rounds", got["power/rounds"], scalar(float64(e.Rounds)), 0)
		for k := 1; k <= p.Iterations; k++ {
			settings := p.Settings
			settings.Iterations = k
			if k < p.Iterations {
				near(t, fmt.Sprintf("%v: code %d", p, k), got[fmt.Sprintf("%d/code", k)],
					csc.Solve(values["x"], l.Weight, l.StepSize.Data[0], settings), 1e-12)
				continue
			}
			z, dx, dw := csc.SolveGradients(values["x"], l.Weight, l.StepSize.Data[0], settings,
				b.Generate()["grad/"+code])
			near(t, p.String()+": code", got[code], z, 1e-12)
			near(t, p.String()+": dx", got["grad/x"], dx, 1e-12)
			near(t, p.String()+": dw", got["grad/weight"], dw, 1e-12)
		}
	}
}

// TestRecomputeIsEvaluate: from the expected values of its inputs every node comes out to the bit, with a
// magnitude that is at least its size.
func TestRecomputeIsEvaluate(t *testing.T) {
	for _, p := range problems {
		b, _ := p.build(3)
		in := b.Generate()
		all, err := b.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range in {
			all[name] = v
		}
		for i := range b.Nodes {
			n := &b.Nodes[i]
			v, err := b.Recompute(n, all)
			if err != nil {
				t.Fatal(err)
			}
			if !tensor.SameBits(v.Tensor, all[n.Name]) || len(v.Magnitude) != v.Len() {
				t.Errorf("%v: %s is not what Evaluate gives", p, n.Name)
			}
			for j, m := range v.Magnitude {
				if !(m >= math.Abs(v.Data[j])*(1-1e-12)) {
					t.Fatalf("%v: %s: magnitude %g of element %d, which is %g", p, n.Name, m, j, v.Data[j])
				}
			}
		}
	}
}

func TestEvaluateRefuses(t *testing.T) {
	b, _ := problems[0].build(1)
	in := b.Generate()
	in["x"] = tensor.New[float64](1)
	_, err := b.Evaluate(in)
	if err == nil || !strings.Contains(err.Error(), "input x") {
		t.Errorf("error %v", err)
	}
	delete(in, "w")
	if _, err := b.Recompute(b.Case.Node("weight"), in); err == nil ||
		!strings.Contains(err.Error(), "input w") {
		t.Errorf("error %v", err)
	}
	b.Nodes[0].Op = "nonsense"
	if _, err := b.Evaluate(b.Generate()); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("error %v", err)
	}
}
