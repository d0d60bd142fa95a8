package faults

import (
	"math"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
)

// Mutant is a judge with a mistake.
type Mutant struct {
	ID, What string
	// from the answers and from what the real judge says
	Judge func(s *Subject, a judge.Answers, r judge.Report) judge.Report
	// the fault and the case that gave it away; empty if none
	Killed string
}

// Mutants returns the catalogue of mistaken judges.
func Mutants() []Mutant {
	mutants := []Mutant{
		{ID: "bf16-bounds", What: "judges by the bounds of bf16", Judge: as(precision.BF16)},
		{ID: "winograd-bounds", What: "judges by the bounds of Winograd", Judge: as(precision.FP32Winograd)},
		{ID: "no-calibration", What: "knows the provable bounds only",
			Judge: func(s *Subject, a judge.Answers, _ judge.Report) judge.Report {
				return judge.Judge(s.Case, s.In, s.Expected, nil, a, precision.FP32)
			}},
		{ID: "bounds-zero", What: "allows no rounding at all", Judge: tighter(0)},
		{ID: "bounds-tight", What: "allows a sixteenth of the calibrated bounds", Judge: tighter(1. / 16)},
		{ID: "passes-all", What: "passes everything", Judge: passing(func(*finding) bool { return true })},
		{ID: "passes-suspects", What: "passes SUSPECT", Judge: passing(func(f *finding) bool {
			return f.Verdict == judge.Suspect
		})},
		{ID: "passes-precision", What: "passes PRECISION", Judge: passing(func(f *finding) bool {
			return f.Verdict == judge.Precision
		})},
		{ID: "passes-missing", What: "passes a missing tensor", Judge: passing(func(f *finding) bool {
			return f.answer == nil
		})},
		{ID: "passes-empty", What: "passes a tensor without elements", Judge: passing(func(f *finding) bool {
			return f.answer != nil && len(f.answer.Data) == 0
		})},
		{ID: "ignores-shape", What: "counts elements only", Judge: passing(func(f *finding) bool {
			return f.Verdict == judge.Protocol && f.same(none)
		})},
		{ID: "ignores-type", What: "takes any type", Judge: passing(func(f *finding) bool {
			return f.answer != nil && f.Verdict == judge.Protocol && f.answer.DType == "int32"
		})},
		{ID: "first-node-only", What: "judges the first node only",
			Judge: func(s *Subject, _ judge.Answers, r judge.Report) judge.Report {
				r.Findings = r.Findings[:min(1, len(r.Findings))]
				return updateVerdict(r)
			}},
		{ID: "names-last", What: "names the last divergence",
			Judge: func(_ *Subject, _ judge.Answers, r judge.Report) judge.Report {
				for _, f := range r.Findings {
					if f.Verdict.Failed() {
						r.First = f
					}
				}
				return r
			}},
		{ID: "ends-only", What: "looks at required nodes only",
			Judge: func(s *Subject, a judge.Answers, _ judge.Report) judge.Report {
				ends := judge.Answers{}
				for name, answer := range a {
					if n := s.Case.Node(name); n != nil && n.Required {
						ends[name] = answer
					}
				}
				return Standard(s, ends)
			}},
		{ID: "from-expected", What: "recomputes from the expected values, not from the backend's own",
			Judge: fromExpected},
		{ID: "exact-as-real", What: "judges exact cases like others", Judge: exactAsReal},
	}
	for _, o := range ignoredElements {
		mutants = append(mutants, Mutant{ID: o.id, What: o.what, Judge: passing(func(f *finding) bool {
			return f.Verdict != judge.Protocol && f.same(o.ignores)
		})})
	}
	for _, c := range looseComparisons {
		mutants = append(mutants, Mutant{ID: c.id, What: c.what, Judge: passing(func(f *finding) bool {
			return f.Verdict != judge.Protocol && f.comparable() && c.near(f.answer.Data, f.want())
		})})
	}
	return mutants
}

// finding is what the judge found at a node, with the answer (nil if missing).
type finding struct {
	*judge.Finding
	s      *Subject
	n      *graph.Node
	all    judge.Answers
	answer *judge.Answer
}

// recompute returns the node from the backend's own inputs, the expected ones where it has none, and these
// inputs.
func (f *finding) recompute() (graph.Value, graph.Values) {
	of := graph.Values{}
	for _, name := range f.n.Inputs {
		if of[name] = f.s.Expected[name]; of[name] == nil {
			of[name] = f.s.In[name]
		} else if a := f.all[name]; a != nil && slices.Equal(a.Shape, of[name].Shape) &&
			len(a.Data) == of[name].Len() {
			of[name] = &graph.Tensor{Shape: a.Shape, Data: a.Data}
		}
	}
	v, err := f.s.Case.Recompute(f.n, of)
	if err != nil {
		panic(err) // the inputs have the shapes that the case states
	}
	return v, of
}

func (f *finding) want() []float64 {
	v, _ := f.recompute()
	return v.Data
}

// comparable tells whether the answer has as many elements as it should.
func (f *finding) comparable() bool {
	return f.answer != nil && len(f.answer.Data) == f.s.Expected[f.n.Name].Len()
}

// same tells whether all elements that are not ignored are right.
func (f *finding) same(ignored func(e element) bool) bool {
	if !f.comparable() {
		return false
	}
	v, of := f.recompute()
	got := slices.Clone(f.answer.Data)
	for i := range got {
		if ignored(element{i, got[i], v.Data[i], f.n.Shape}) {
			got[i] = v.Data[i]
		}
	}
	worst, _ := judge.Measure(f.n, of, v, got, precision.FP32, false)
	return worst <= float64(f.Calibrated)
}

// element is one element of an answer.
type element struct {
	at        int
	got, want float64
	shape     []int
}

// index is its place along an axis from the last (1) to the first (4), and the axis' length; 0 of 0 where
// there is no such axis.
func (e element) index(axis int) (i, length int) {
	if axis > len(e.shape) {
		return 0, 0
	}
	at := e.at
	for _, n := range slices.Backward(e.shape[len(e.shape)-axis+1:]) {
		at /= n
	}
	length = e.shape[len(e.shape)-axis]
	return at % length, length
}

func none(element) bool { return false }

// ignoredElements are elements that a judge does not look at.
var ignoredElements = []struct {
	id, what string
	ignores  func(e element) bool
}{
	{"nan-equal", "takes NaN for right", func(e element) bool { return e.got != e.got }},
	{"infinity-equal", "takes infinities for right", func(e element) bool { return math.IsInf(e.got, 0) }},
	{"signs", "compares absolute values", func(e element) bool {
		return math.Abs(math.Abs(e.got)-math.Abs(e.want)) <= 1e-6*math.Abs(e.want)
	}},
	{"zeros-unset", "takes a zero for something not computed", func(e element) bool { return e.got == 0 }},
	{"zeros-expected", "does not look where zero is expected", func(e element) bool { return e.want == 0 }},
	{"support", "does not look where either is zero", func(e element) bool {
		return e.want == 0 || e.got == 0
	}},
	{"first-element", "compares one element", func(e element) bool { return e.at > 0 }},
	{"first-half", "compares the first half", func(e element) bool {
		size := 1
		for _, n := range e.shape {
			size *= n
		}
		return e.at >= size/2
	}},
	{"first-image", "compares the first image", func(e element) bool { i, _ := e.index(4); return i > 0 }},
	{"last-channel", "leaves the last channel out", func(e element) bool {
		i, n := e.index(3)
		return n > 0 && i == n-1
	}},
	{"last-column", "leaves the last column out", func(e element) bool {
		i, n := e.index(1)
		return n > 0 && i == n-1
	}},
	{"border", "leaves the first row out", func(e element) bool {
		i, n := e.index(2)
		return n > 0 && i == 0
	}},
	{"small", "does not look at elements below 1 % of 1", func(e element) bool {
		return math.Abs(e.want) < 0.01 && math.Abs(e.got) < 0.01
	}},
}

// looseComparisons are usual comparisons, which are too loose.
var looseComparisons = []struct {
	id, what string
	near     func(got, want []float64) bool
}{
	{"fixed-tolerance", "rtol 1e-3, atol 1e-3", elementwise(func(g, w float64) bool {
		return math.Abs(g-w) <= 1e-3+1e-3*math.Abs(w)
	})},
	{"usual-tolerance", "rtol 1.3e-6, atol 1e-5", elementwise(func(g, w float64) bool {
		return math.Abs(g-w) <= 1e-5+1.3e-6*math.Abs(w)
	})},
	{"norm-wise", "2 % of the largest element", func(got, want []float64) bool {
		size := absMax(want)
		return elementwise(func(g, w float64) bool { return math.Abs(g-w) <= 0.02*size })(got, want)
	}},
	{"bf16-digits", "equal in bf16", elementwise(func(g, w float64) bool {
		return precision.BFloat.Round(g) == precision.BFloat.Round(w)
	})},
	{"fp16-digits", "equal in fp16 to a step", elementwise(func(g, w float64) bool {
		return math.Abs(g-w) <= 0x1p-10*math.Abs(w)
	})},
	{"root-mean-square", "1 % in the mean", func(got, want []float64) bool {
		gap, size := 0.0, 0.0
		for i, w := range want {
			gap, size = gap+(got[i]-w)*(got[i]-w), size+w*w
		}
		return gap <= 1e-4*size
	}},
	{"sum", "equal sums", func(got, want []float64) bool {
		gap, size := 0.0, 0.0
		for i, w := range want {
			gap, size = gap+got[i]-w, size+math.Abs(w)
		}
		return math.Abs(gap) <= 1e-6*size
	}},
	{"any-order", "the same elements in any order", func(got, want []float64) bool {
		g, w, size := slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want)), absMax(want)
		return elementwise(func(g, w float64) bool { return math.Abs(g-w) <= 1e-6*size })(g, w)
	}},
}

func elementwise(near func(g, w float64) bool) func(got, want []float64) bool {
	return func(got, want []float64) bool { return slices.EqualFunc(got, want, near) }
}

func absMax(data []float64) (largest float64) {
	for _, v := range data {
		largest = max(largest, math.Abs(v))
	}
	return largest
}

// as is a judge for another profile than the declared one.
func as(p precision.Profile) func(*Subject, judge.Answers, judge.Report) judge.Report {
	return func(s *Subject, a judge.Answers, _ judge.Report) judge.Report {
		return judge.Judge(s.Case, s.In, s.Expected, s.Bounds, a, p)
	}
}

// tighter is a judge with a share of the calibrated bounds.
func tighter(share float64) func(*Subject, judge.Answers, judge.Report) judge.Report {
	return func(s *Subject, a judge.Answers, _ judge.Report) judge.Report {
		bounds := judge.Bounds{}
		for name, of := range s.Bounds {
			b := of[precision.FP32]
			bounds[name] = map[precision.Profile]judge.Bound{precision.FP32: {Local: share * b.Local,
				End: share * b.End}}
		}
		return judge.Judge(s.Case, s.In, s.Expected, bounds, a, precision.FP32)
	}
}

// passing is a judge that passes the findings that a condition holds for, up to the first failed one that it
// does not hold for.
func passing(holds func(f *finding) bool) func(*Subject, judge.Answers, judge.Report) judge.Report {
	return func(s *Subject, a judge.Answers, r judge.Report) judge.Report {
		r.Findings = slices.Clone(r.Findings)
		for i, f := range r.Findings {
			if !f.Verdict.Failed() {
				continue
			}
			if !holds(&finding{f, s, s.Case.Node(f.Node), a, a[f.Node]}) {
				break
			}
			passed := *f
			passed.Verdict = judge.Pass
			r.Findings[i] = &passed
		}
		return updateVerdict(r)
	}
}

// updateVerdict finds a report's first divergence and worst verdict anew.
func updateVerdict(r judge.Report) judge.Report {
	r.First, r.Verdict = nil, judge.Pass
	for _, f := range r.Findings {
		if f.Verdict.Failed() && r.First == nil {
			r.First = f
		}
		if f.Verdict.Worse(r.Verdict) {
			r.Verdict = f.Verdict
		}
	}
	return r
}

// fromExpected judges each node by itself, its inputs being the expected values.
func fromExpected(s *Subject, a judge.Answers, _ judge.Report) (r judge.Report) {
	for i := range s.Case.Nodes {
		n := &s.Case.Nodes[i]
		if a[n.Name] == nil {
			continue
		}
		of := judge.Answers{n.Name: a[n.Name]}
		for _, name := range n.Inputs {
			if t := s.Expected[name]; t != nil {
				of[name] = &judge.Answer{Shape: t.Shape, DType: "float64", Data: t.Data}
			}
		}
		for _, f := range Standard(s, of).Findings {
			if f.Node == n.Name {
				r.Findings = append(r.Findings, f)
			}
		}
	}
	return updateVerdict(r)
}

// exactAsReal forgets that nothing is rounded in exact cases.
func exactAsReal(s *Subject, a judge.Answers, _ judge.Report) judge.Report {
	c := *s.Case
	c.Flags = []string{"real"}
	bounds := judge.Bounds{}
	for name, b := range s.Bounds {
		if b[precision.FP32].Local > 0 {
			bounds[name] = b
		}
	}
	return judge.Judge(&c, s.In, s.Expected, bounds, a, precision.FP32)
}
