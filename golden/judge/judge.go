// Package judge sets a backend's answers to a graph.Case against float64 and says what is wrong with them,
// and where:
//
//	|answer - f(the backend's own answers to f's inputs)| <= bound
//
// for each node that the backend answered, f being the node's operator. So errors neither cascade nor grow
// with depth, and the first node that misses names layer, iteration and operator. A node whose inputs the
// backend kept to itself is judged over all that lies between, which certifies less.
//
// Two bounds hold for a node. Beyond the provable one of the declared profile (package precision) an answer
// fails; beyond the calibrated one, several times the worst of many honest runs, it is suspect. Whatever
// cannot be compared, NaN first of all, fails. The package is for whoever tests an implementation. It knows
// nothing of files, processes and networks.
package judge

import (
	"fmt"
	"maps"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor"
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

// NewAnswer is the answer that a tensor is.
func NewAnswer[T tensor.Float](t *tensor.Tensor[T]) *Answer {
	a := &Answer{Shape: slices.Clone(t.Shape), DType: "float64", Data: tensor.Convert[float64](t).Data}
	if _, narrow := any(t).(*tensor.Tensor[float32]); narrow {
		a.DType = "float32"
	}
	return a
}

// Answers holds a backend's answers to one case, by the node's name.
type Answers map[string]*Answer

// Bound holds calibrated bounds of a node under one profile: the worst errors that honest backends make, as
// Measure measures them, times a margin. 0 means that nothing is rounded: a single wrong bit is an error of
// logic.
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
	// the arithmetic that the numbers show; empty if none
	Inferred precision.Profile `json:"inferred,omitempty"`
	// the first node, in the order of computation, that is not as it should be
	First    *Finding   `json:"first,omitempty"`
	Findings []*Finding `json:"findings,omitempty"` // a node each
	Notes    []string   `json:"notes,omitempty"`
	Nodes    int        `json:"nodes"`    // that the case has
	Answered int        `json:"answered"` // of them
	Direct   int        `json:"direct"`   // of the answered ones, judged from the backend's own inputs
}

// Platform is what a backend declares of special values. The zero value keeps them.
type Platform struct {
	FlushesSubnormals bool // numbers below the smallest normal one may be taken for 0, and become 0
	NaNUnspecified    bool // where NaN is right, any value is
}

// Judge sets the answers to a case against its inputs, expected values (as Evaluate gives them) and
// calibrated bounds, under the profile that the backend declares. in and expected are not changed.
func Judge(c *graph.Case, in, expected graph.Values, bounds Bounds, a Answers,
	declared precision.Profile) Report {
	return JudgeOn(Platform{}, c, in, expected, bounds, a, declared)
}

// JudgeOn is Judge for a backend on a platform that does not keep all special values.
func JudgeOn(on Platform, c *graph.Case, in, expected graph.Values, bounds Bounds, a Answers,
	declared precision.Profile) Report {
	if declared == precision.FP16 && c.Has("subnormal") {
		return Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Declared: declared,
			Nodes: len(c.Nodes), Verdict: NotCovered, Notes: []string{"float16 does not hold its values"}}
	}
	judged := func(p precision.Profile) Report {
		t := newComparison(c, in, expected, bounds, a, p)
		t.platform = on
		return t.run()
	}
	r := judged(declared)
	if r.Verdict == Logic && coarser(r.Inferred, declared) {
		r.reclassify(judged(r.Inferred))
	}
	return r
}

// reclassify makes errors of precision of what is right under the profile that the numbers show.
func (r *Report) reclassify(as Report) {
	right := map[string]bool{}
	for _, f := range as.Findings {
		right[f.Node] = !f.Verdict.Failed()
	}
	for _, f := range r.Findings {
		if f.Verdict == Logic && right[f.Node] {
			f.Verdict, f.Reason = Precision, fmt.Sprintf("declared %s, right as %s", r.Declared, as.Declared)
		}
	}
	r.updateVerdict()
}

// comparison is one call of Judge.
type comparison struct {
	*graph.Case
	expected graph.Values
	bounds   Bounds
	answers  Answers
	profile  precision.Profile
	platform Platform

	known       graph.Values    // inputs, usable answers, and what the judge put in the place of others
	substituted map[string]bool // the last of these
	independent map[string]bool // inputs, and substituted values that no answer has a part in
	oneSided    [2]graph.Values // known values with ambiguous codes zero, and on: only those that differ
	inferences  int             // nodes whose arithmetic has been inferred
	coarse      bool            // some node has errors that look like those of a coarser format
	anyFailure  bool            // which failure it is matters to nobody: one that misses its bounds is not looked into
	report      Report
}

func newComparison(c *graph.Case, in, expected graph.Values, bounds Bounds, a Answers,
	declared precision.Profile) *comparison {
	t := &comparison{Case: c, expected: expected, bounds: bounds, answers: a, profile: declared,
		known: graph.Values{}, substituted: map[string]bool{}, independent: map[string]bool{},
		oneSided: [2]graph.Values{{}, {}},
		report: Report{Case: c.ID, Kind: c.Kind, Flags: c.Flags, Why: c.Why, Verdict: Pass,
			Declared: declared, Nodes: len(c.Nodes)}}
	for _, input := range c.Inputs {
		t.known[input.Name], t.independent[input.Name] = in[input.Name], true
	}
	return t
}

// run judges all nodes.
func (c *comparison) run() Report {
	for i := range c.Nodes {
		c.node(&c.Nodes[i])
	}
	return c.summarize()
}

// node judges a node if it was answered, and otherwise puts a value in its place.
func (c *comparison) node(n *graph.Node) *Finding {
	a := c.answers[n.Name]
	if a == nil {
		c.substitute(n)
		if n.Required {
			return c.add(n, Protocol, "a required tensor is missing")
		}
		return nil
	}
	c.report.Answered++
	if fault := a.problem(n); fault != "" {
		c.substitute(n)
		return c.add(n, Protocol, fault)
	}
	return c.compareNode(n, a)
}

// add records what was found at a node.
func (c *comparison) add(n *graph.Node, v Verdict, reason string) *Finding {
	f := NewFinding(n, v, reason)
	c.report.Findings = append(c.report.Findings, f)
	return f
}

// NewFinding is a verdict on a node.
func NewFinding(n *graph.Node, v Verdict, reason string) *Finding {
	return &Finding{Node: n.Name, Op: n.Op, Layer: n.Layer, Iteration: n.Iteration, Quantity: n.Quantity,
		Verdict: v, Reason: reason}
}

// maxUnknown is how many answers that no node has are named.
const maxUnknown = 8

// unknown records answers that belong to no node.
func (c *comparison) unknown() {
	count := 0
	for _, name := range slices.Sorted(maps.Keys(c.answers)) {
		if c.Node(name) != nil {
			continue
		}
		if count++; count > maxUnknown {
			continue
		}
		reason := "the case has no such node"
		if err := c.answers[name].Err; err != nil {
			reason = err.Error()
		}
		c.report.Findings = append(c.report.Findings, &Finding{Node: name, Verdict: Protocol, Reason: reason})
	}
	if count > maxUnknown {
		c.report.Notes = append(c.report.Notes, fmt.Sprintf("%d answers belong to no node of the case",
			count))
	}
}

// summarize sums the findings up.
func (c *comparison) summarize() Report {
	r := &c.report
	c.unknown()
	for _, f := range r.Findings {
		if f.Inferred != "" && (r.Inferred == "" || f.Inferred.Unit() > r.Inferred.Unit()) {
			r.Inferred = f.Inferred
		}
	}
	if r.Inferred == "" {
		r.Inferred = c.storedProfile()
	}
	c.residuals()
	r.updateVerdict()
	return *r
}

// Add adds what was found by comparing the case with another.
func (r *Report) Add(f *Finding) {
	r.Findings = append(r.Findings, f)
	r.updateVerdict()
}

// updateVerdict finds the first divergence and the worst verdict.
func (r *Report) updateVerdict() {
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
