package faults_test

import (
	"testing"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
)

// wide tells whether a case of real numbers has a contraction over 64 channels or more.
func wide(c *graph.Case) bool {
	if c.Has("exact") {
		return false
	}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if graph.Lookup(n.Op).Class != graph.Contraction || len(n.Shape) != 4 {
			continue
		}
		for _, name := range n.Inputs {
			var shape []int
			if in := c.Input(name); in != nil {
				shape = in.Fill.Shape
			} else {
				shape = c.Node(name).Shape
			}
			if len(shape) == 4 && shape[1] >= 64 {
				return true
			}
		}
	}
	return false
}

// TestPrecisionIsNamed lets backends of each class declare the truth, which the judge must confirm by name,
// and fp32, which it must not believe.
func TestPrecisionIsNamed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 4 s; TestKillMatrix has shorter formats among its faults")
	}
	subjects := selected(wide)
	if len(subjects) < 8 {
		t.Fatalf("%d wide cases", len(subjects))
	}
	for i, s := range some(subjects) {
		for k, p := range []precision.Profile{precision.FP32, precision.TF32, precision.BF16,
			precision.FP16} {
			machines := []simulate.Machine{simulate.Drawn(p, firstMachine+4*i+k)}
			if *full {
				machines = append(machines, simulate.New(p), simulate.Drawn(p, 2*firstMachine+4*i+k))
			}
			for _, m := range machines {
				got, err := m.Run(s.Case, s.In)
				if err != nil {
					t.Fatal(err)
				}
				for _, declared := range []precision.Profile{p, precision.FP32} {
					r := judge.Judge(s.Case, s.In, s.Expected, s.Bounds, answers(s.Case, got, true), declared)
					if r.Inferred != p || r.Verdict.Failed() != (p != declared) {
						t.Errorf("%s: %v declares %s: %s, inferred %q", s.Case.ID, m, declared, r.Verdict,
							r.Inferred)
					}
				}
			}
		}
	}
}
