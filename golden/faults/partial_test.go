package faults_test

import (
	"testing"

	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
)

// TestPartialSumsArePrecision: a backend that declares fp32 and keeps the parts of split sums in bfloat16 has
// an error of PRECISION, with traces or without, and not one of LOGIC in any case of the smoke set.
func TestPartialSumsArePrecision(t *testing.T) {
	m := simulate.New(precision.FP32)
	m.Partial, m.Order, m.Width = precision.BFloat, simulate.Blocked, 16
	for _, traced := range traces() {
		var reports []judge.Report
		for _, s := range selected(smoke) {
			got, err := m.Run(s.Case, s.In)
			if err != nil {
				t.Fatal(err)
			}
			reports = append(reports, judge.Judge(s.Case, s.In, s.Expected, s.Bounds,
				answers(s.Case, got, traced), precision.FP32))
		}
		judge.CrossCheck(reports)
		count := map[judge.Verdict]int{}
		for _, r := range reports {
			count[r.Verdict]++
			if r.Verdict.Worse(judge.Precision) {
				t.Errorf("traces %t: %s: %s", traced, r.Case, r.Summary())
				for _, f := range r.Findings {
					if f.Verdict.Worse(judge.Precision) {
						t.Logf("  %s: %s: %s, error %.3g, provable %.3g", f.Place(), f.Verdict, f.Reason,
							f.Error, f.Provable)
					}
				}
			}
		}
		if t.Logf("traces %t: %v", traced, count); count[judge.Precision] < 10 {
			t.Errorf("traces %t: %v", traced, count)
		}
	}
}
