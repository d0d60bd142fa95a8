// Package trial asks a backend all cases, some of them twice, and has each answer judged by itself, then all of them together.
//
// A backend in another process and language is handed the cases, and answers, by files in one folder:
//
//	manifest.json, manifest.txt      the cases: what to compute, from which files, into which files
//	ID/inputs/NAME.npy               float64 (class labels int64), every value exact in float32
//	backend.json                     written by the backend: who it is and which arithmetic it declares
//	ID/outputs/NAME.npy              written by the backend: float16, float32 or float64
//
// It is started once, with the folder as its last argument; docs/golden.md is the guide. The package is for the judge's command and
// for tests of backends. It does not know which cases there are, which answer is right, and how reports look.
package trial

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sdref/golden/graph"
	"sdref/golden/judge"
)

// Trial is what is asked.
type Trial struct {
	Cases     []*graph.Case
	Bounds    func(id string) judge.Bounds
	Facts     func(id string) map[string]float64 // largest_eigenvalue, where it is known
	Relations []judge.Relation
}

// Witness is a backend: asked the exams, it says who it is, and returns a function that gives its answers to each, nil for one
// that it does not do.
type Witness func(ctx context.Context, exams []Exam) (Backend, func(Exam) (judge.Answers, error), error)

// Record is what came of it.
type Record struct {
	Backend Backend        `json:"backend"`
	Command []string       `json:"command,omitempty"` // that gave the answers, if one did
	Verdict judge.Verdict  `json:"verdict"`
	Reports []judge.Report `json:"cases"` // in the order of the cases
}

// Again is the command that repeats one case; empty if no command gave the answers.
func (r *Record) Again(id string) string {
	if len(r.Command) == 0 {
		return ""
	}
	words := []string{"ref judge -case", id, "--"}
	for _, word := range r.Command {
		if strings.ContainsAny(word, " \t\n\"'$&|;<>()*?`\\") || word == "" {
			word = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
		words = append(words, word)
	}
	return strings.Join(words, " ")
}

// repeated is how many cases are asked again.
const repeated = 8

// Hold asks and judges. An error means that there are no answers to judge.
func (t Trial) Hold(ctx context.Context, w Witness) (*Record, error) {
	exams := t.exams()
	backend, answers, err := w(ctx, exams)
	if err != nil {
		return nil, err
	}
	h := &hearing{Trial: t, Record: &Record{Backend: backend}, tried: map[string]judge.Tried{}, at: map[string]int{}}
	var before graph.Values // the expected values of the case before
	for _, e := range exams {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, again := h.tried[e.Case.ID]; again {
			if err := h.repeat(e, answers); err != nil {
				return nil, err
			}
			continue
		}
		if before, err = h.hear(e, before, answers); err != nil {
			return nil, err
		}
	}
	h.relate()
	judge.Settle(h.Reports)
	h.Verdict = judge.Overall(h.Reports)
	return h.Record, nil
}

// exams lists the cases, then some of them again, at the end, when the backend's memory is full of other things.
func (t Trial) exams() (exams []Exam) {
	for _, c := range t.Cases {
		exams = append(exams, Exam{ID: c.ID, Case: c, In: c.Generate()})
	}
	stride := max(1, len(exams)/repeated)
	for i := 0; i < len(t.Cases); i += stride {
		again := exams[i]
		again.ID += "_again"
		exams = append(exams, again)
	}
	return exams
}

// hearing is a trial under way.
type hearing struct {
	Trial
	*Record
	tried map[string]judge.Tried
	at    map[string]int // index of a case's report
}

// hear judges one case and returns its expected values, for the next one to be compared with.
func (h *hearing) hear(e Exam, before graph.Values, answers func(Exam) (judge.Answers, error)) (graph.Values, error) {
	c, reduced := e.Case, false
	if g := h.Backend.Gradients; g != nil && !*g {
		c, reduced = withoutGradients(c)
	}
	h.at[c.ID] = len(h.Reports)
	tried := judge.Tried{Case: c, Bounds: h.Bounds(c.ID), Profile: h.Backend.Profile}
	h.tried[c.ID] = tried
	var err error
	if slices.Contains(h.Backend.Kinds, c.Kind) {
		if tried.Answers, err = answers(e); err != nil {
			return nil, err
		}
	}
	if tried.Answers == nil {
		h.Reports = append(h.Reports, judge.Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Declared: h.Backend.Profile,
			Verdict: judge.NotCovered, Nodes: len(c.Nodes)})
		return before, nil
	}
	expected, err := c.Evaluate(e.In)
	if err != nil {
		return nil, err
	}
	h.tried[c.ID] = tried
	r := judge.Judge(c, e.In, expected, tried.Bounds, tried.Answers, h.Backend.Profile)
	if largest := h.fact(c.ID, "largest_eigenvalue"); largest > 0 {
		r.CheckEigenvalue(c, tried.Answers, largest)
	}
	if passed := judge.Trust(c, e.In, expected, tried.Bounds, before); len(passed) > 0 {
		r.Verdict, r.Notes = judge.Untrusted, append(r.Notes, fmt.Sprintf("the case would pass %q", passed))
	}
	if reduced {
		r.Notes = append(r.Notes, "gradients not covered")
	}
	h.Reports = append(h.Reports, r)
	if slices.ContainsFunc(h.Relations, func(r judge.Relation) bool { return r.Base == c.ID || r.Derived == c.ID }) {
		return before, nil // related cases may well have answers in common
	}
	return expected, nil
}

// withoutGradients returns the case with no gradients required, unless nothing else is.
func withoutGradients(c *graph.Case) (reduced *graph.Case, changed bool) {
	forward := *c
	forward.Nodes = slices.Clone(c.Nodes)
	left := 0
	for i := range forward.Nodes {
		n := &forward.Nodes[i]
		if n.Required && strings.HasPrefix(n.Name, "grad/") {
			n.Required, changed = false, true
		}
		if n.Required {
			left++
		}
	}
	if left == 0 {
		return c, false
	}
	return &forward, changed
}

func (h *hearing) fact(id, name string) float64 {
	if h.Facts == nil {
		return 0
	}
	return h.Facts(id)[name]
}

// repeat compares the answers to a case with those to the same case before.
func (h *hearing) repeat(e Exam, answers func(Exam) (judge.Answers, error)) error {
	r := &h.Reports[h.at[e.Case.ID]]
	if r.Verdict == judge.NotCovered {
		return nil
	}
	again, err := answers(e)
	if err != nil {
		return err
	}
	differ := judge.Repeat(e.Case, h.tried[e.Case.ID].Answers, again)
	switch {
	case len(differ) == 0:
		r.Notes = append(r.Notes, "asked twice, the same bits")
	case h.Backend.Deterministic:
		n := e.Case.Node(differ[0])
		r.Add(&judge.Finding{Node: n.Name, Op: n.Op, Layer: n.Layer, Iteration: n.Iteration, Quantity: n.Quantity, Verdict: judge.Logic,
			Reason: fmt.Sprintf("declared deterministic, but %d nodes differ between two runs", len(differ))})
	default:
		r.Notes = append(r.Notes, fmt.Sprintf("asked twice, %d nodes differ, first %s", len(differ), differ[0]))
	}
	return nil
}

// relate compares the answers to cases that have something in common.
func (h *hearing) relate() {
	for _, relation := range h.Relations {
		base, derived := h.tried[relation.Base], h.tried[relation.Derived]
		if base.Answers == nil || derived.Answers == nil {
			continue
		}
		if f := judge.Relate(relation, base, derived, h.Backend.Deterministic); f != nil {
			h.Reports[h.at[relation.Derived]].Add(f)
		}
	}
}
