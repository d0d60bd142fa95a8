// Package trial asks a backend all cases, some of them twice, and has each answer judged by itself, then all
// of them together.
//
// A backend in another process and language is handed the cases, and answers, by files in one folder:
//
//	manifest.json, manifest.txt      the cases: what to compute, from which files, into which files
//	ID/inputs/NAME.npy               float64 (class labels int64), every value exact in float32
//	backend.json                     written by the backend: who it is and which arithmetic it declares
//	ID/outputs/NAME.npy              written by the backend: float16, float32 or float64
//
// It is started once, with the folder as its last argument, and if it says so handed more folders through its
// standard input; docs/golden.md is the guide. The package is for
// the judge's command and for tests of backends. It does not know which cases there are, which answer is
// right, and how reports look.
package trial

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/tensor"
)

// Trial is the cases that a backend is asked, and what is needed to judge its answers.
type Trial struct {
	Cases     []*graph.Case
	Kinds     []string // that exist; nil if any may be declared
	Bounds    func(id string) judge.Bounds
	Facts     func(id string) map[string]float64 // largest_eigenvalue, where it is known
	Relations []judge.Relation
}

// drawn is the flag of cases that no table lists. Of these none is asked twice, nor distrusted for a wrong
// answer that it would pass.
const drawn = "drawn"

// Client is a backend as a trial sees it: given all requests at once, it returns what the backend declares,
// and a function that gives its answers to each request. With a StoppedError the answers are those that it
// gave before.
type Client func(ctx context.Context, requests []Request) (Declaration, func(Request) (judge.Answers, error),
	error)

// StoppedError says that a backend was stopped, and has perhaps not answered all.
type StoppedError struct{ Cause error }

func (e *StoppedError) Error() string { return e.Cause.Error() }

// Unwrap returns why.
func (e *StoppedError) Unwrap() error { return e.Cause }

// Result is what a trial found out.
type Result struct {
	Backend Declaration `json:"backend"`
	Command []string    `json:"command,omitempty"` // that gave the answers, if one did
	// Files are what -case calls those cases that have a file, by ID.
	Files   map[string]string `json:"-"`
	Verdict judge.Verdict     `json:"verdict"`
	Stopped bool              `json:"stopped,omitempty"` // the backend was stopped before it had ended
	// Interrupted tells that judging was interrupted; the cases Unjudged have no report, and others were perhaps not asked twice.
	Interrupted bool     `json:"interrupted,omitempty"`
	Unjudged    []string `json:"unjudged,omitempty"`

	Repeated  int            `json:"repeated"`  // cases that were asked twice and answered twice
	Differing int            `json:"differing"` // of them, cases whose answers were not the same bits
	Reports   []judge.Report `json:"cases"`     // in the order of the cases
}

// RepeatCommand is the command that repeats one case; empty if no command gave the answers.
func (r *Result) RepeatCommand(id string) string {
	if len(r.Command) == 0 {
		return ""
	}
	if file := r.Files[id]; file != "" {
		id = file
	}
	words := []string{"ref judge -case", shellWord(id), "--"}
	for _, word := range r.Command {
		words = append(words, shellWord(word))
	}
	return strings.Join(words, " ")
}

// shellWord is a word as a shell reads it.
func shellWord(word string) string {
	if strings.ContainsAny(word, " \t\n\"'$&|;<>()*?`\\") || word == "" {
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// Run asks and judges. An error means that there are no answers to judge. If it is interrupted after the first case, the result is of
// the cases judged until then.
func (t Trial) Run(ctx context.Context, client Client) (*Result, error) {
	requests := t.requests()
	backend, answers, err := client(ctx, requests)
	var stopped *StoppedError
	if err != nil && !(errors.As(err, &stopped) && answers != nil) {
		return nil, err
	}
	if t.Kinds != nil {
		if err := backend.checkKinds(t.Kinds); err != nil {
			return nil, err
		}
	}
	s := &session{Trial: t, Result: &Result{Backend: backend, Stopped: stopped != nil},
		answered: map[string]judge.AnsweredCase{}, at: map[string]int{}}
	var before graph.Values // the expected values of the case before
	for _, r := range requests {
		if ctx.Err() != nil {
			if len(s.Reports) == 0 {
				return nil, ctx.Err()
			}
			s.interrupt(requests)
			break
		}
		if _, again := s.answered[r.Case.ID]; again {
			if err := s.compareRepeat(r, answers); err != nil {
				return nil, err
			}
			continue
		}
		if before, err = s.judgeCase(r, before, answers); err != nil {
			return nil, err
		}
	}
	s.compareRelated()
	judge.CrossCheck(s.Reports)
	s.Verdict = judge.Overall(s.Reports)
	return s.Result, nil
}

// interrupt notes which cases have not been judged.
func (s *session) interrupt(requests []Request) {
	s.Interrupted = true
	for _, r := range requests {
		if _, judged := s.at[r.Case.ID]; !judged && !slices.Contains(s.Unjudged, r.Case.ID) {
			s.Unjudged = append(s.Unjudged, r.Case.ID)
		}
	}
}

// requests lists the cases, then one of each kind again, at the end, when the backend's memory is full of
// other things. Which kinds the backend does, nobody knows yet.
func (t Trial) requests() (requests []Request) {
	again := map[string]Request{}
	for _, c := range t.Cases {
		r := Request{ID: c.ID, Case: c, In: c.Generate()}
		requests = append(requests, r)
		if c.Has(drawn) {
			continue
		}
		if best, ok := again[c.Kind]; !ok || showsOrder(c) > showsOrder(best.Case) {
			again[c.Kind] = r
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(again)) {
		r := again[kind]
		r.ID += repeatSuffix
		requests = append(requests, r)
	}
	return requests
}

// showsOrder is how well a case shows that sums come in another order: not at all on exact data, else by the
// number of its elements.
func showsOrder(c *graph.Case) (elements int) {
	if c.Has("exact") {
		return 0
	}
	for _, n := range c.Nodes {
		elements += tensor.Size(n.Shape)
	}
	return elements
}

// repeatSuffix follows a case's ID where it is asked a second time.
const repeatSuffix = "_again"

// session is one run of a trial.
type session struct {
	Trial
	*Result
	answered map[string]judge.AnsweredCase
	at       map[string]int // index of a case's report
}

// judgeCase judges one case and returns its expected values, for the next one to be compared with.
func (s *session) judgeCase(r Request, before graph.Values,
	answers func(Request) (judge.Answers, error)) (graph.Values, error) {
	c, reduced := r.Case, false
	if s.Backend.forwardOnly() {
		c, reduced = withoutGradients(c)
	}
	s.at[c.ID] = len(s.Reports)
	answered := judge.AnsweredCase{Case: c, Bounds: s.Bounds(c.ID), Profile: s.Backend.Profile}
	s.answered[c.ID] = answered
	var err error
	if slices.Contains(s.Backend.Kinds, c.Kind) {
		if answered.Answers, err = answers(r); err != nil {
			return nil, err
		}
	}
	onlyGradients := !slices.ContainsFunc(c.Nodes, func(n graph.Node) bool { return n.Required })
	if answered.Answers == nil || onlyGradients && len(answered.Answers) == 0 {
		report := judge.Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why,
			Declared: s.Backend.Profile, Verdict: judge.NotCovered, Nodes: len(c.Nodes)}
		if answered.Answers != nil {
			report.Notes = []string{"it asks for gradients alone"}
		}
		s.Reports = append(s.Reports, report)
		return before, nil
	}
	expected, err := c.Evaluate(r.In)
	if err != nil {
		return nil, err
	}
	s.answered[c.ID] = answered
	report := judge.JudgeOn(s.Backend.Platform(), c, r.In, expected, answered.Bounds, answered.Answers,
		s.Backend.Profile)
	if largest := s.fact(c.ID, "largest_eigenvalue"); largest > 0 {
		report.CheckEigenvalue(c, answered.Answers, largest)
	}
	// Whether the case can fail is asked of the whole case, not of what a forward-only backend answers.
	var passed []string
	if !c.Has(drawn) {
		passed = judge.FalsePasses(r.Case, r.In, expected, answered.Bounds, before)
	}
	if len(passed) > 0 {
		report.Verdict = judge.Untrusted
		report.Notes = append(report.Notes, fmt.Sprintf("the case would pass %q", passed))
	}
	if reduced {
		report.Notes = append(report.Notes, "gradients not covered")
	}
	s.Reports = append(s.Reports, report)
	related := func(r judge.Relation) bool { return r.Base == c.ID || r.Derived == c.ID }
	if slices.ContainsFunc(s.Relations, related) {
		return before, nil // related cases may well have answers in common
	}
	return expected, nil
}

// withoutGradients returns the case with no gradients required, and nothing that is computed from them.
func withoutGradients(c *graph.Case) (reduced *graph.Case, changed bool) {
	forward := *c
	forward.Nodes = slices.Clone(c.Nodes)
	backward := map[string]bool{}
	for i := range forward.Nodes {
		n := &forward.Nodes[i]
		backward[n.Name] = strings.HasPrefix(n.Name, "grad/") ||
			slices.ContainsFunc(n.Inputs, func(in string) bool { return backward[in] })
		if n.Required && backward[n.Name] {
			n.Required, changed = false, true
		}
	}
	return &forward, changed
}

func (s *session) fact(id, name string) float64 {
	if s.Facts == nil {
		return 0
	}
	return s.Facts(id)[name]
}

// compareRepeat compares the answers to a case with those to the same case before.
func (s *session) compareRepeat(r Request, answers func(Request) (judge.Answers, error)) error {
	report := &s.Reports[s.at[r.Case.ID]]
	if report.Verdict == judge.NotCovered {
		return nil
	}
	again, err := answers(r)
	if err != nil {
		return err
	}
	first := s.answered[r.Case.ID]
	if f := judge.MissingRepeat(first.Case, r.ID, first.Answers, again); f != nil {
		report.Add(f)
		return nil
	}
	s.Repeated++
	differ := judge.Repeat(r.Case, first.Answers, again)
	if len(differ) == 0 {
		report.Notes = append(report.Notes, "asked twice, the same bits")
		return nil
	}
	s.Differing++
	if s.Backend.Deterministic {
		report.Add(judge.NewFinding(r.Case.Node(differ[0]), judge.Logic,
			fmt.Sprintf("declared deterministic, but %d nodes differ between two runs", len(differ))))
		return nil
	}
	report.Notes = append(report.Notes,
		fmt.Sprintf("asked twice, %d nodes differ, first %s", len(differ), differ[0]))
	return nil
}

// compareRelated compares the answers to cases that have something in common.
func (s *session) compareRelated() {
	for _, relation := range s.Relations {
		base, derived := s.answered[relation.Base], s.answered[relation.Derived]
		if base.Answers == nil || derived.Answers == nil {
			continue
		}
		if f := judge.Relate(relation, base, derived, s.Backend.Deterministic); f != nil {
			s.Reports[s.at[relation.Derived]].Add(f)
		}
	}
}
