// Package judge sets a backend's answers to a graph.Case against float64 and says what is wrong with them, and where:
//
//	|answer - f(the backend's own answers to f's inputs)| <= bound
//
// for each node that the backend answered, f being the node's operator. So errors neither cascade nor grow with depth, and the
// first node that misses names layer, iteration and operator. A node whose inputs the backend kept to itself is judged over all
// that lies between, which certifies less.
//
// Two bounds hold for a node. Beyond the provable one of the declared profile (package precision) an answer fails; beyond the
// calibrated one, several times the worst of many honest runs, it is suspect. Whatever cannot be compared, NaN first of all,
// fails. The package is for whoever tests an implementation. It knows nothing of files, processes and networks.
package judge

import (
	"fmt"
	"maps"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
)

// Verdict is what is said of a node or a case.
type Verdict string

// The verdicts, from the best to the worst.
const (
	Pass       Verdict = "PASS"
	NotCovered Verdict = "NOT COVERED" // the backend does not do this kind of case
	Suspect    Verdict = "SUSPECT"     // within what can be proved, beyond what honest backends do
	Precision  Verdict = "PRECISION"   // a right computation in a coarser arithmetic than declared
	Logic      Verdict = "LOGIC"       // another computation
	Protocol   Verdict = "PROTOCOL"    // missing, misshapen or unreadable
	Untrusted  Verdict = "UNTRUSTED"   // the case would pass a wrong answer
)

// Verdicts lists them, from the best to the worst.
var Verdicts = []Verdict{Pass, NotCovered, Suspect, Precision, Logic, Protocol, Untrusted}

// Worse tells whether v is a worse verdict than w.
func (v Verdict) Worse(w Verdict) bool { return slices.Index(Verdicts, v) > slices.Index(Verdicts, w) }

// Failed tells whether the verdict counts against the backend.
func (v Verdict) Failed() bool { return v != Pass && v != NotCovered }

// Answer is what a backend says a node's value is.
type Answer struct {
	Shape []int
	DType string    // "float16", "float32" or "float64"
	Data  []float64 // row-major, widened
	Err   error     // why it could not be read, if so
}

// Answers holds a backend's answers to one case, by the node's name.
type Answers map[string]*Answer

// Bound holds calibrated bounds of a node under one profile: the worst errors that honest backends make, as Measure measures
// them, times a margin. 0 means that nothing is rounded: a single wrong bit is an error of logic.
type Bound struct {
	Local float64 // of the node, from the backend's own answers to its inputs
	End   float64 // of the node, everything before it computed by the same backend but not answered
}

// Bounds holds a case's calibrated bounds by node and profile. A missing one leaves the provable bound alone.
type Bounds map[string]map[precision.Profile]Bound

// Report is the verdict on one case.
type Report struct {
	Case     string            `json:"case"`
	Kind     string            `json:"kind"`
	Flags    []string          `json:"flags,omitempty"`
	Why      string            `json:"why,omitempty"`
	Verdict  Verdict           `json:"verdict"`
	Declared precision.Profile `json:"declared,omitempty"`
	Inferred precision.Profile `json:"inferred,omitempty"` // what the numbers betray; empty where they do not
	First    *Finding          `json:"first,omitempty"`    // the first node, in the order of computation, that is not as it should be
	Findings []*Finding        `json:"findings,omitempty"` // a node each
	Notes    []string          `json:"notes,omitempty"`
	Nodes    int               `json:"nodes"`    // that the case has
	Answered int               `json:"answered"` // of them
	Direct   int               `json:"direct"`   // of the answered ones, judged from the backend's own inputs
}

// Judge sets the answers to a case against its inputs, expected values (as Evaluate gives them) and calibrated bounds, under
// the profile that the backend declares. in and expected are not changed.
func Judge(c *graph.Case, in, expected graph.Values, bounds Bounds, a Answers, declared precision.Profile) Report {
	if declared == precision.FP16 && c.Has("subnormal") {
		return Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Declared: declared, Nodes: len(c.Nodes),
			Verdict: NotCovered, Notes: []string{"float16 does not hold its values"}}
	}
	r := newTrial(c, in, expected, bounds, a, declared).hold()
	if r.Verdict == Logic && coarser(r.Inferred, declared) {
		r.excuse(newTrial(c, in, expected, bounds, a, r.Inferred).hold())
	}
	return r
}

// excuse makes errors of precision of what is right under the profile that the numbers betray.
func (r *Report) excuse(as Report) {
	right := map[string]bool{}
	for _, f := range as.Findings {
		right[f.Node] = !f.Verdict.Failed()
	}
	for _, f := range r.Findings {
		if f.Verdict == Logic && right[f.Node] {
			f.Verdict, f.Reason = Precision, fmt.Sprintf("declared %s, right as %s", r.Declared, as.Declared)
		}
	}
	r.settle()
}

// trial is one call of Judge.
type trial struct {
	*graph.Case
	expected graph.Values
	bounds   Bounds
	answers  Answers
	profile  precision.Profile

	known      graph.Values    // inputs, usable answers, and what the judge put in the place of others
	composed   map[string]bool // the last of these
	pure       map[string]bool // inputs, and composed values that no answer has a part in
	sides      [2]graph.Values // known values with ambiguous codes zero, and on: only those that differ
	inferences int             // nodes whose arithmetic has been inferred
	report     Report
}

func newTrial(c *graph.Case, in, expected graph.Values, bounds Bounds, a Answers, declared precision.Profile) *trial {
	t := &trial{Case: c, expected: expected, bounds: bounds, answers: a, profile: declared,
		known: graph.Values{}, composed: map[string]bool{}, pure: map[string]bool{}, sides: [2]graph.Values{{}, {}},
		report: Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Verdict: Pass, Declared: declared, Nodes: len(c.Nodes)}}
	for _, input := range c.Inputs {
		t.known[input.Name], t.pure[input.Name] = in[input.Name], true
	}
	return t
}

// hold judges all nodes.
func (t *trial) hold() Report {
	for i := range t.Nodes {
		t.node(&t.Nodes[i])
	}
	return t.conclude()
}

// node judges a node if it was answered, and otherwise puts a value in its place.
func (t *trial) node(n *graph.Node) *Finding {
	a := t.answers[n.Name]
	if a == nil {
		t.compose(n)
		if n.Required {
			return t.add(n, Protocol, "a required tensor is missing")
		}
		return nil
	}
	t.report.Answered++
	if fault := a.fault(n); fault != "" {
		t.compose(n)
		return t.add(n, Protocol, fault)
	}
	return t.examine(n, a)
}

// add records what was found at a node.
func (t *trial) add(n *graph.Node, v Verdict, reason string) *Finding {
	f := &Finding{Node: n.Name, Op: n.Op, Layer: n.Layer, Iteration: n.Iteration, Quantity: n.Quantity, Verdict: v, Reason: reason}
	t.report.Findings = append(t.report.Findings, f)
	return f
}

// conclude sums the findings up.
func (t *trial) conclude() Report {
	r := &t.report
	for _, name := range slices.Sorted(maps.Keys(t.answers)) {
		if t.Node(name) == nil {
			r.Notes = append(r.Notes, fmt.Sprintf("answered %q, which the case does not have", name))
		}
	}
	for _, f := range r.Findings {
		if f.Inferred != "" && (r.Inferred == "" || f.Inferred.Unit() > r.Inferred.Unit()) {
			r.Inferred = f.Inferred
		}
	}
	if r.Inferred == "" {
		r.Inferred = t.stored()
	}
	t.residuals()
	r.settle()
	return *r
}

// Add adds what was found by comparing the case with another.
func (r *Report) Add(f *Finding) {
	r.Findings = append(r.Findings, f)
	r.settle()
}

// settle finds the first divergence and the worst verdict.
func (r *Report) settle() {
	if r.Verdict == Untrusted {
		return
	}
	r.First, r.Verdict = nil, Pass
	for _, f := range r.Findings {
		if f.Verdict.Failed() && r.First == nil {
			r.First = f
		}
		if f.Verdict.Worse(r.Verdict) {
			r.Verdict = f.Verdict
		}
	}
	if len(r.Findings) == 0 {
		r.Verdict = Protocol
		r.Notes = append(r.Notes, "nothing was answered")
	}
}
