package trial

import (
	"slices"
	"testing"

	"sdref/golden"
	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/tensor"
)

// chosen is all cases or, with -short, the smoke set.
func chosen() []*graph.Case {
	if !testing.Short() {
		return cases.All()
	}
	return slices.DeleteFunc(slices.Clone(cases.All()), func(c *graph.Case) bool { return !c.Has("smoke") })
}

// In float64 the module's program gives, at every node, what the judge's own table of operators gives.
func TestSelfIsTheGraph(t *testing.T) {
	for _, c := range chosen() {
		in := c.Generate()
		got, err := Compute[float64](c, in, false)
		if err != nil {
			t.Fatal(err)
		}
		want, err := c.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.Nodes {
			if d := golden.Compare(got[n.Name].Data, want[n.Name].Data); !d.Within(1e-10) {
				t.Errorf("%v", golden.Judge(c.ID, n.Name, d, 1e-10))
			}
		}
	}
}

// A plan that may overwrite, recompute and pack what nobody asked for gives the required values the same
// bits.
func TestPlanChangesNoBit(t *testing.T) {
	for _, c := range chosen() {
		in := c.Generate()
		all, err := Compute[float32](c, in, false)
		if err != nil {
			t.Fatal(err)
		}
		required, err := Compute[float32](c, in, true)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range required {
			if !tensor.SameBits(v, all[name]) {
				t.Errorf("%s, %s: other bits where only the required values are kept", c.ID, name)
			}
		}
	}
}

func TestComputeRefuses(t *testing.T) {
	if _, err := Compute[float32](&graph.Case{ID: "read"}, nil, false); err == nil {
		t.Error("a case without a graph was answered")
	}
	if _, err := Compute[float32](cases.All()[0], nil, false); err == nil {
		t.Error("a case was answered without inputs")
	}
}
