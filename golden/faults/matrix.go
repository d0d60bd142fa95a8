package faults

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/internal/parallel"
)

// JudgeFunc judges answers to a subject that a backend gives which declares fp32.
type JudgeFunc func(s *Subject, a judge.Answers) judge.Report

// Standard is the judge of package judge, without a mistake.
func Standard(s *Subject, a judge.Answers) judge.Report {
	return judge.Judge(s.Case, s.In, s.Expected, s.Bounds, a, precision.FP32)
}

// Cell is one fault in one case.
type Cell struct {
	Fault, Case  string
	Exact, Smoke bool          // what sort of case
	Live         bool          // some answer differs from the honest one
	Killed       bool          // the judge does not pass the case
	Verdict      judge.Verdict // what it says
	FirstNode    string        // the first node it finds wrong
	FirstFaulty  bool          // and that node is one the fault was made in
}

// Matrix is which faults were found with which cases.
type Matrix struct {
	Faults []Fault
	Cells  []Cell // by fault, then by case; only where the fault is live
}

// Run plants each fault in each subject and lets the judge look. Traced backends answer every node, others
// what they must.
func Run(j JudgeFunc, faults []Fault, subjects []Subject, traced bool) (*Matrix, error) {
	list, err := prepare(subjects)
	if err != nil {
		return nil, err
	}
	return plant(j, faults, list, traced), nil
}

// prepare computes all subjects honestly.
func prepare(subjects []Subject) ([]*planted, error) {
	list, errs := make([]*planted, len(subjects)), make([]error, len(subjects))
	parallel.For(len(subjects), func(_, i int) { list[i], errs[i] = newPlanted(&subjects[i]) })
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for i, t := range list {
		before := list[predecessor(subjects, i)]
		t.other = before.answers(before.honest, true)
	}
	return list, nil
}

func plant(j JudgeFunc, faults []Fault, list []*planted, traced bool) *Matrix {
	cells := make([]Cell, len(faults)*len(list))
	parallel.For(len(list), func(_, i int) {
		for k := range faults {
			cells[k*len(list)+i] = list[i].judged(j, &faults[k], traced)
		}
	})
	return &Matrix{faults, slices.DeleteFunc(cells, func(c Cell) bool { return !c.Live })}
}

// Tally is what becomes of a number of faults.
type Tally struct{ Live, Killed int }

func (t *Tally) count(live, killed bool) {
	if live {
		t.Live++
		if killed {
			t.Killed++
		}
	}
}

// Share is the share of live faults that are killed.
func (t Tally) Share() float64 { return float64(t.Killed) / float64(t.Live) }

func (t Tally) String() string {
	return fmt.Sprintf("%d of %d (%.1f %%)", t.Killed, t.Live, 100*t.Share())
}

// Summary counts a matrix. Equivalent faults are not among the faults.
type Summary struct {
	All     Tally // faults that are live in some case, and killed by some case
	Smoke   Tally // the same among the cases of the smoke set, of the faults that are live in any case
	Exact   Tally // faults of logic that are live in an exact case, and called LOGIC by one
	Cells   Tally // cells
	Located Tally // killed cells, and those whose first node is one that the fault was made in
}

// Row is one fault's part in a matrix.
type Row struct {
	Fault                     *Fault
	Live, Killed, FirstFaulty int           // cases
	Smoke, Exact              bool          // killed by a case of the smoke set; called LOGIC by an exact one
	ExactLive                 bool          // live in an exact one
	By                        string        // the first case that kills it
	Verdict                   judge.Verdict // what that says
}

// Rows returns a row for each fault.
func (m *Matrix) Rows() []Row {
	rows, index := make([]Row, len(m.Faults)), map[string]int{}
	for i := range rows {
		rows[i].Fault = &m.Faults[i]
		index[m.Faults[i].ID] = i
	}
	for _, c := range m.Cells {
		r := &rows[index[c.Fault]]
		r.Live++
		r.ExactLive = r.ExactLive || c.Exact
		if !c.Killed {
			continue
		}
		if r.Killed++; r.Killed == 1 {
			r.By, r.Verdict = c.Case, c.Verdict
		}
		if c.FirstFaulty {
			r.FirstFaulty++
		}
		r.Smoke = r.Smoke || c.Smoke
		r.Exact = r.Exact || c.Exact && c.Verdict == judge.Logic
	}
	return rows
}

// Summary counts.
func (m *Matrix) Summary() (s Summary) {
	for _, r := range m.Rows() {
		if r.Fault.Equivalent != "" {
			continue
		}
		s.All.count(r.Live > 0, r.Killed > 0)
		s.Smoke.count(r.Live > 0, r.Smoke)
		s.Exact.count(r.ExactLive && r.Fault.Class == Logic, r.Exact)
		s.Cells.Live, s.Cells.Killed = s.Cells.Live+r.Live, s.Cells.Killed+r.Killed
		s.Located.Live, s.Located.Killed = s.Located.Live+r.Killed, s.Located.Killed+r.FirstFaulty
	}
	return s
}

// String is the matrix as a table, a line per fault, with the totals below.
func (m *Matrix) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-30s %5s %6s %5s  %-10s %s\n", "fault", "live", "killed", "right", "verdict",
		"by, or why not")
	for _, r := range m.Rows() {
		by := r.By
		switch {
		case r.Fault.Equivalent != "":
			by = "equivalent: " + r.Fault.Equivalent
		case r.Live == 0:
			by = "live in no case"
		case r.Killed == 0:
			by = "SURVIVES"
		}
		fmt.Fprintf(&b, "%-30s %5d %6d %5d  %-10s %s\n", r.Fault.ID, r.Live, r.Killed, r.FirstFaulty,
			r.Verdict, by)
	}
	s := m.Summary()
	fmt.Fprintf(&b, "faults killed: %v; by the smoke set: %v; faults of logic called so on exact data: %v\n",
		s.All, s.Smoke, s.Exact)
	fmt.Fprintf(&b, "faults in cases: killed %v, first node right %v\n", s.Cells, s.Located)
	return b.String()
}
