package faults_test

import (
	"flag"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"sdref/golden/faults"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// firstMachine is beyond those that bounds are calibrated with.
const firstMachine = 1000

var honestRuns = flag.Int("runs", 10000, "honest runs of -full")

// TestHonestRuns judges honest machines of every profile, with traces and without: no false alarm. -full
// makes it 10,000 runs; otherwise two for each case of the smoke set and profile, with -short of every fourth case.
func TestHonestRuns(t *testing.T) {
	subjects, runs := some(selected(smoke)), 2
	if *full {
		subjects = all()
		runs = *honestRuns/(len(subjects)*len(precision.Profiles)) + 1
	}
	var count, alarms atomic.Int64
	parallel.For(len(subjects), func(_, i int) {
		for k, p := range precision.Profiles {
			for r := range runs {
				m := simulate.Drawn(p, firstMachine+(i*len(precision.Profiles)+k)*runs+r)
				for _, alarm := range judgeHonest(&subjects[i], m, r%2 == 0) {
					alarms.Add(1)
					t.Errorf("false alarm: %s, %v: %s", subjects[i].Case.ID, m, alarm)
				}
				count.Add(1)
			}
		}
	})
	t.Logf("%d false alarms in %d honest runs of %d cases", alarms.Load(), count.Load(), len(subjects))
}

// judgeHonest returns what is said against a machine.
func judgeHonest(s *faults.Subject, m simulate.Machine, traced bool) (alarms []string) {
	got, err := m.Run(s.Case, s.In)
	if err != nil {
		return []string{err.Error()}
	}
	r := judge.Judge(s.Case, s.In, s.Expected, s.Bounds, answers(s.Case, got, traced), m.Profile)
	if r.Verdict.Failed() {
		f := r.First
		alarms = append(alarms,
			fmt.Sprintf("traces %t: %s at %s (%s): error %.3g, calibrated %.3g, provable %.3g: %s", traced,
				r.Verdict, f.Node, f.Op, f.Error, f.Calibrated, f.Provable, f.Reason))
	}
	return alarms
}

// answers are a machine's, with its trace or without.
func answers(c *graph.Case, got graph.Values, traced bool) judge.Answers {
	a := judge.Answers{}
	for _, n := range c.Nodes {
		if traced || n.Required {
			a[n.Name] = &judge.Answer{Shape: slices.Clone(n.Shape), DType: "float32",
				Data: tensor.Convert[float64](got[n.Name]).Data}
		}
	}
	return a
}
