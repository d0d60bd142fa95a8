package csc

import (
	"testing"

	"sdref/golden"
	"sdref/tensor"
)

// TestPublishedVariant: the authors' code at four iterations is the variant Published and not Paper.
func TestPublishedVariant(t *testing.T) {
	c, err := golden.Load("../golden/testdata/official/layer/official_four_iterations.json")
	if err != nil {
		t.Fatal(err)
	}
	p := publishedStem
	l := NewLayer[float64](p.m, p.c, p.kh, p.height, p.width,
		Settings{Geometry: p.g, Lambda: 0.1, Nonnegative: true, Iterations: 4, UnitNormAtoms: true})
	x := tensor.New[float64](p.signalShape(p.n)...)
	for name, into := range map[string]*tensor.Tensor[float64]{"weight_raw": l.Weight, "v0": l.Vector, "x": x} {
		values, err := c.Input(name, into.Shape...)
		if err != nil {
			t.Fatal(err)
		}
		copy(into.Data, values)
	}
	want, err := c.Tensor("z", p.codeShape(p.n)...)
	if err != nil {
		t.Fatal(err)
	}
	l.Normalize()
	z := l.code(x)
	near(t, "z", z.Data, want, 1e-10)
	l.Variant = Paper
	paper := Solve(x, l.Weight, l.StepSize.Data[0], l.Settings)
	if d := golden.Compare(paper.Data, want); !(d.Error > 1e-2 && d.Error < 1) {
		t.Errorf("the paper's variant is %g away from the authors' code, want a visible difference", d.Error)
	}
}
