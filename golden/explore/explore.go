// Package explore draws new cases without end from the space of their coordinates, has a backend answer them,
// and says of what fails where it does: "wrong where channels are 6, 9, 15 and atoms a multiple of 4; right
// at channels 3, 4, 5, 7, 8".
//
// A list of cases finds the faults that live where it looks. Here values of coordinates, and pairs of them,
// that were not seen before come first, and most data are exact, so that the tolerance is 0 whatever the
// shape. A case that fails is shrunk coordinate by coordinate to the smallest that still fails, and its
// neighbours are asked, too. The package is for the judge's command and for tests of backends. It does not
// know how a case is made and how answers are got and judged.
package explore

import (
	"context"
	"errors"
	"slices"

	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
)

// Ask has a backend answer cases, and returns a report on each, in their order. With a *BrokenError it got
// through some of them at the most.
type Ask func(ctx context.Context, list []*graph.Case) ([]judge.Report, error)

// BrokenError says that a backend broke down over a round of cases: it crashed, or had to be stopped.
type BrokenError struct{ Cause error }

func (e *BrokenError) Error() string { return e.Cause.Error() }

// Unwrap returns what happened.
func (e *BrokenError) Unwrap() error { return e.Cause }

// Explorer explores one backend.
type Explorer struct {
	Seed  uint64   // the same seed draws the same cases, of a backend that does the same kinds
	Kinds []string // of cases that are drawn, of which those count that the backend does
	Ask   Ask
	Found func(*Finding) // is told of each finding at once, if it is not nil

	Summary
	covered   *coverage
	answering bool // it has got through some case
}

// Summary is what was explored.
type Summary struct {
	Cases     int        // that were drawn
	Explained int        // that failed as a finding says
	Asked     int        // beside them, to shrink cases and to find their rules
	Findings  []*Finding // at most maxFindings
	Doing     []string   // kinds that the backend does, of those that were to be drawn
}

// Finding is a fault that was found.
type Finding struct {
	Drawn  cases.Point    // the case that failed first
	Point  cases.Point    // the smallest that was found to fail as well
	Report judge.Report   // of that
	First  *judge.Finding // in the report, the first that proves something
	Rule   Rule
}

const (
	// roundCases is how many cases are drawn for one round of questions.
	roundCases = 24
	// maxRoundCost bounds the multiply-adds of a round.
	maxRoundCost = 40 << 20
	// maxFindings is after how many findings the exploration ends.
	maxFindings = 5
)

// Run explores round after round until stop says so, which is asked before each, or until a few faults were
// found. An error means that the backend could not be asked.
func (e *Explorer) Run(ctx context.Context, stop func() bool) error {
	e.covered = newCoverage()
	if err := e.begin(ctx); err != nil || len(e.Doing) == 0 {
		return err
	}
	for next := uint64(0); !stop() && len(e.Findings) < maxFindings; {
		var round []cases.Point
		for cost := 0; len(round) < roundCases && cost < maxRoundCost; next++ {
			p := e.covered.next(e.Seed, next, e.Doing)
			e.covered.add(p)
			round = append(round, p)
			cost += p.Cost()
		}
		if err := e.round(ctx, round); err != nil {
			return err
		}
	}
	return nil
}

// begin asks a small case of each kind, which tells the kinds that the backend does.
func (e *Explorer) begin(ctx context.Context) error {
	var first []cases.Point
	for _, kind := range cases.Drawable() {
		if slices.Contains(e.Kinds, kind) {
			first = append(first, firstOf(kind))
		}
	}
	if err := e.round(ctx, first); err != nil {
		return err
	}
	for _, p := range first {
		if slices.Contains(e.Doing, p.Kind) {
			e.covered.add(p)
		}
	}
	return nil
}

// firstOf is an ordinary small case of a kind.
func firstOf(kind string) cases.Point {
	p := cases.Point{Kind: kind, At: map[string]int{}}
	for axis, v := range map[string]int{"batch": 2, "channels": 3, "atoms": 4, "rows": 5, "columns": 6,
		"kernel rows": 3, "kernel columns": 3, "padding": 1, "iterations": 2} {
		if p.HasAxis(axis) {
			p.At[axis] = v
		}
	}
	return p
}

// round asks a round of drawn cases, and looks into those that fail.
func (e *Explorer) round(ctx context.Context, points []cases.Point) error {
	results, err := e.ask(ctx, points)
	if err != nil {
		return err
	}
	for i, r := range results {
		if r.Verdict == judge.NotCovered {
			continue
		}
		if e.Cases++; !slices.Contains(e.Doing, points[i].Kind) {
			e.Doing = append(e.Doing, points[i].Kind)
		}
		switch {
		case failure(r) == nil || len(e.Findings) == maxFindings:
		case slices.ContainsFunc(e.Findings, func(f *Finding) bool { return f.explains(points[i], r) }):
			e.Explained++
		default:
			if err := e.investigate(ctx, points[i], r); err != nil {
				return err
			}
		}
	}
	return nil
}

// investigate shrinks a case that fails and finds its rule. A smallest case that is known is no new finding.
func (e *Explorer) investigate(ctx context.Context, p cases.Point, r judge.Report) error {
	s := &search{Explorer: e, what: nameOf(r), maxCost: max(cheap, 2*p.Cost()), seen: map[string]*sample{}}
	smallest, err := s.shrink(ctx, p, r)
	if err != nil {
		return err
	}
	for _, known := range e.Findings {
		if known.Point.String() == smallest.point.String() && nameOf(known.Report) == s.what {
			e.Explained++
			return nil
		}
	}
	f := &Finding{Drawn: p, Point: smallest.point.Plain(), Report: smallest.report, First: failure(smallest.report)}
	if f.Rule, err = s.rule(ctx, smallest.point); err != nil {
		return err
	}
	e.Findings = append(e.Findings, f)
	if e.Found != nil {
		e.Found(f)
	}
	return nil
}

// ask asks cases in one round, and one by one if the backend breaks down over them: a breakdown over a single
// case is the report on it.
func (e *Explorer) ask(ctx context.Context, points []cases.Point) ([]judge.Report, error) {
	list := make([]*graph.Case, len(points))
	for i, p := range points {
		var err error
		if list[i], err = p.Case(); err != nil {
			return nil, err
		}
	}
	reports, err := e.Ask(ctx, list)
	var broken *BrokenError
	if err == nil {
		e.answering = e.answering || len(list) > 0
		leaveOutOverflow(points, reports)
		return reports, nil
	}
	if !errors.As(err, &broken) {
		return nil, err
	}
	down := &judge.Finding{Verdict: judge.Protocol, Reason: "the backend breaks down: " + broken.Error()}
	reports = make([]judge.Report, len(list))
	for i, c := range list {
		one, err := e.Ask(ctx, list[i:i+1])
		switch {
		case err == nil:
			reports[i], e.answering = one[0], true
		case errors.As(err, &broken):
			reports[i] = judge.Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Nodes: len(c.Nodes),
				Verdict: judge.Protocol, First: down, Findings: []*judge.Finding{down}}
		default:
			return nil, err
		}
	}
	if !e.answering {
		return nil, broken.Cause
	}
	return reports, nil
}

// leaveOutOverflow takes those cases for not covered whose numbers float16 need not hold.
func leaveOutOverflow(points []cases.Point, reports []judge.Report) {
	for i := range reports {
		if r := &reports[i]; r.Declared == precision.FP16 && points[i].Get("magnitude") > 0 {
			r.Verdict, r.First, r.Findings = judge.NotCovered, nil, nil
		}
	}
}

// failure is the first finding of a report that proves a fault, nil if there is none. Where a node was judged
// together with others that the backend did not answer, no bound is proved unless nothing is rounded on the
// way, and nobody has calibrated one for a case that was just drawn.
func failure(r judge.Report) *judge.Finding {
	i := slices.IndexFunc(r.Findings, func(f *judge.Finding) bool {
		return f.Verdict.Failed() && (len(f.Through) == 0 || f.Calibrated == 0)
	})
	if i < 0 {
		return nil
	}
	return r.Findings[i]
}

// nameOf is what failed: the operator of the first node that is wrong, however it is wrong. A smaller case
// that fails in the same operator is taken for the same fault.
func nameOf(r judge.Report) string {
	if f := failure(r); f.Op != "" {
		return f.Op
	}
	return "the backend"
}
