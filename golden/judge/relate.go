package judge

import (
	"fmt"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
)

// Relation says what the answers to two cases have in common, whatever the right ones are: Derived's node is
// Base's, turned round along the axes Reversed, times Factor, and of its images only those from First on.
// Where no sum changes its order, a deterministic backend gives the same bits.
type Relation struct {
	Name                  string
	Base, Derived         string // ids of cases
	BaseNode, DerivedNode string
	Reversed              []int
	Factor                float64 // a power of two
	First                 int
}

// AnsweredCase is a case with what a backend answered.
type AnsweredCase struct {
	Case    *graph.Case
	Bounds  Bounds
	Answers Answers
	Profile precision.Profile
}

// Repeat lists the nodes whose answers differ between two runs of one case, in any bit. Nodes that one of the
// runs did not answer readably are others' concern.
func Repeat(c *graph.Case, first, second Answers) (differ []string) {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		a, b := first[n.Name], second[n.Name]
		unreadable := a != nil && a.problem(n) != "" || b != nil && b.problem(n) != ""
		if !unreadable && ((a == nil) != (b == nil) || a != nil && !sameBits(a.Data, b.Data)) {
			differ = append(differ, n.Name)
		}
	}
	return differ
}

// MissingRepeat returns a finding if a required node that was answered when a case was asked first was not,
// or not readably, when it was asked again, as the request called id.
func MissingRepeat(c *graph.Case, id string, first, second Answers) *Finding {
	for i := range c.Nodes {
		n := &c.Nodes[i]
		a, b := first[n.Name], second[n.Name]
		switch {
		case !n.Required || a == nil || a.problem(n) != "":
		case b == nil:
			return NewFinding(n, Protocol, fmt.Sprintf("asked a second time, as %s, and not answered", id))
		case b.problem(n) != "":
			return NewFinding(n, Protocol, fmt.Sprintf("asked a second time, as %s: %s", id, b.problem(n)))
		}
	}
	return nil
}

// Relate returns a finding if the answers break a relation, nil if they keep it or were not given. A
// difference is merely suspect, since both answers have been judged by themselves. Where sums change their
// order, it may be twice the calibrated bound.
func Relate(r Relation, base, derived AnsweredCase, deterministic bool) *Finding {
	first, second := base.Answers[r.BaseNode], derived.Answers[r.DerivedNode]
	n := derived.Case.Node(r.DerivedNode)
	if n == nil || first == nil || second == nil || first.problem(base.Case.Node(r.BaseNode)) != "" ||
		second.problem(n) != "" {
		return nil
	}
	want := r.apply(first)
	exact := len(r.Reversed) == 0 && r.First == 0
	y := errorScale{scale: []float64{absMax(want)}, unit: derived.Profile.Unit()}
	underflows := r.Factor != 1 && derived.Profile == precision.FP16 // so that scaling is not exact
	if exact && !deterministic || underflows || len(want) != len(second.Data) {
		return nil
	}
	calibrated, known := derived.Bounds[n.Name][derived.Profile]
	bound := 2 * calibrated.End
	switch {
	case exact:
		bound = 0
	case !known:
		return nil
	}
	f := NewFinding(n, Suspect, "")
	f.Calibrated = Units(bound)
	wrong := make([]bool, len(want))
	for i, g := range second.Data {
		e := y.error(i, g, want[i])
		wrong[i] = !(e <= bound)
		f.Error = max(f.Error, Units(e))
	}
	if f.Error <= f.Calibrated {
		return nil
	}
	f.Reason = fmt.Sprintf("not what follows from case %s: %s", r.Base, r.Name)
	f.Map = mapErrors(n.Shape, axisNames(len(n.Shape), isWeight(n)), wrong)
	return f
}

// apply returns what a relation makes of the base's answer.
func (r Relation) apply(a *Answer) []float64 {
	skipped := 0
	if len(a.Shape) > 0 {
		skipped = r.First * len(a.Data) / a.Shape[0]
	}
	data := make([]float64, len(a.Data))
	for i := range data {
		from, rest, inner := 0, i, 1
		for axis := len(a.Shape) - 1; axis >= 0; axis-- {
			at := rest % a.Shape[axis]
			rest /= a.Shape[axis]
			if slices.Contains(r.Reversed, axis) {
				at = a.Shape[axis] - 1 - at
			}
			from += at * inner
			inner *= a.Shape[axis]
		}
		data[i] = a.Data[from] * r.Factor
	}
	return data[skipped:]
}

// sameBits tells whether two lists are the same, NaN being NaN and zeros zero.
func sameBits(first, second []float64) bool {
	return slices.EqualFunc(first, second, func(a, b float64) bool { return a == b || a != a && b != b })
}
