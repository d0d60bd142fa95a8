package own_test

import (
	"errors"
	"testing"

	"sdref/golden"
	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/own"
)

// In float64 the module's own code gives what the graphs give, for every case of package cases that it covers.
func TestOwnCodeIsTheGraph(t *testing.T) {
	covered := map[string]bool{}
	for _, c := range cases.All() {
		in := c.Generate()
		got, err := own.Answers[float64](c, in)
		if errors.Is(err, own.ErrNotCovered) {
			continue
		}
		if err != nil {
			t.Errorf("%v", err)
			continue
		}
		covered[c.Kind] = true
		want, err := c.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range c.Nodes {
			if n.Required && got[n.Name] == nil {
				t.Errorf("%s: no %s", c.ID, n.Name)
			}
		}
		for name, v := range got {
			if want[name] == nil {
				t.Errorf("%s has no node %s", c.ID, name)
			} else if d := golden.Compare(v.Data, want[name].Data); !d.Within(1e-9) && !c.Has("nan") {
				t.Errorf("%v", golden.Judge(c.ID, name, d, 1e-9))
			}
		}
	}
	for _, kind := range own.Kinds() {
		if !covered[kind] {
			t.Errorf("no case of kind %s", kind)
		}
	}
	if _, err := own.Answers[float32](&graph.Case{Kind: "other"}, nil); !errors.Is(err, own.ErrNotCovered) {
		t.Error(err)
	}
}
