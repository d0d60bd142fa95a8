package faults_test

import (
	"flag"
	"strings"
	"sync"
	"testing"

	"sdref/golden/cases"
	"sdref/golden/faults"
	"sdref/golden/graph"
	"sdref/golden/judge"
)

var full = flag.Bool("full", false,
	"plant every fault in every case, and run 10,000 honest machines; half an hour")

// all are the cases as subjects.
var all = sync.OnceValue(func() (list []faults.Subject) {
	for _, c := range cases.All() {
		in := c.Generate()
		expected, err := c.Evaluate(in)
		if err != nil {
			panic(err)
		}
		list = append(list, faults.Subject{Case: c, In: in, Expected: expected, Bounds: cases.Bounds(c.ID)})
	}
	return list
})

// selected are the subjects whose case a condition holds for.
func selected(keep func(c *graph.Case) bool) (list []faults.Subject) {
	for _, s := range all() {
		if keep(s.Case) {
			list = append(list, s)
		}
	}
	return list
}

func smoke(c *graph.Case) bool { return c.Has("smoke") }

// some is a list or, with -short, every fourth of it.
func some[E any](list []E) (short []E) {
	if !testing.Short() {
		return list
	}
	for i := 0; i < len(list); i += 4 {
		short = append(short, list[i])
	}
	return short
}

// traces are whether backends answer every node: some do and some do not, and with -short all do.
func traces() []bool {
	if testing.Short() {
		return []bool{true}
	}
	return []bool{true, false}
}

// TestKillMatrix plants the catalogue in the smoke set, with -full in all cases, with -short a fourth of it.
func TestKillMatrix(t *testing.T) {
	subjects := selected(func(c *graph.Case) bool { return *full || smoke(c) })
	for _, traced := range traces() {
		m, err := faults.Run(faults.Standard, some(faults.Catalogue()), subjects, traced)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d cases, traces %t\n%v", len(subjects), traced, m)
		for _, c := range m.Cells {
			switch {
			case faults.Find(c.Fault).Equivalent != "":
				if c.Killed {
					t.Errorf("traces %t: equivalent fault %s in %s: %s at %s", traced, c.Fault, c.Case,
						c.Verdict, c.FirstNode)
				}
			case !c.Killed:
				t.Logf("survives: %s in %s", c.Fault, c.Case)
			case !c.FirstFaulty && traced:
				t.Logf("names another node first: %s in %s: %s", c.Fault, c.Case, c.FirstNode)
			}
		}
		check(t, m.Summary(), traced)
	}
}

// check holds a matrix to the targets.
func check(t *testing.T, s faults.Summary, traced bool) {
	for _, target := range []struct {
		what string
		faults.Tally
		share float64
		holds bool
	}{
		{"faults killed by all cases", s.All, 0.98, *full},
		{"faults killed by the smoke set", s.Smoke, 0.85, true},
		{"faults of logic called LOGIC on exact data", s.Exact, 0.95, *full},
		{"first node right", s.Located, 0.95, traced},
	} {
		if target.holds && !(target.Share() >= target.share) {
			t.Errorf("traces %t: %s: %v, want %g %%", traced, target.what, target.Tally, 100*target.share)
		}
	}
}

// TestScaledAlike plants the catalogue, with -short a fourth of it, in a case and in the same case with x and lambda 2^8 times as large
// and as small: what is found, where, and what it is called must not depend on it.
func TestScaledAlike(t *testing.T) {
	subjects := selected(func(c *graph.Case) bool {
		return c.ID == "fista-related" || c.ID == "fista-related-up" || c.ID == "fista-related-down"
	})
	if len(subjects) != 3 {
		t.Fatalf("%d cases", len(subjects))
	}
	m, err := faults.Run(faults.Standard, some(faults.Catalogue()), subjects, true)
	if err != nil {
		t.Fatal(err)
	}
	type said struct {
		verdict   judge.Verdict
		firstNode string
	}
	first := map[string]said{}
	for _, c := range m.Cells {
		now := said{c.Verdict, c.FirstNode}
		if before, ok := first[c.Fault]; ok && before != now && !strings.HasPrefix(c.Fault, "protocol/") &&
			!strings.HasPrefix(c.Fault, "prox/lambda") &&
			c.Fault != "conv/accumulates" && !strings.Contains(c.Fault, "fp16") {
			t.Errorf("%s: %v in %s, %v before", c.Fault, now, c.Case, before)
		}
		first[c.Fault] = said{c.Verdict, c.FirstNode}
	}
}
