package judge

import (
	"fmt"
	"strings"
)

// Place names a finding's node for a reader: layer, iteration, quantity and operator.
func (f *Finding) Place() string {
	if f.Op == "" {
		return fmt.Sprintf("answer %q", f.Node)
	}
	var words []string
	if f.Layer != "" {
		words = append(words, "layer "+f.Layer)
	}
	if f.Iteration > 0 {
		words = append(words, fmt.Sprintf("iteration %d", f.Iteration))
	}
	return strings.Join(append(words, fmt.Sprintf("%s (%s by %s)", f.Quantity, f.Node, f.Op)), ", ")
}

// Summary is a report in one line.
func (r *Report) Summary() string {
	if r.Verdict == NotCovered {
		return strings.Join(append([]string{"kind " + r.Kind}, r.Notes...), "; ")
	}
	worst := Units(0)
	for _, f := range r.Findings {
		worst = max(worst, f.Error)
	}
	s := fmt.Sprintf("%d of %d nodes answered, %d judged by themselves, worst error %.3g units", r.Answered,
		r.Nodes, r.Direct, worst)
	if r.First != nil {
		s = fmt.Sprintf("%s: %s; %s", r.First.Place(), r.First.Reason, s)
	}
	return s
}

// String is the report as the command line prints it: the verdict with Summary and, if it failed, what its notes and its first
// finding say, indented, without a line break at the end.
func (r Report) String() string { return r.text(func(f *Finding) bool { return f == r.First }) }

// Details is String with all findings that failed.
func (r Report) Details() string { return r.text(func(*Finding) bool { return true }) }

func (r *Report) text(shown func(f *Finding) bool) string {
	lines := []string{fmt.Sprintf("%-11s %s: %s", r.Verdict, r.Case, r.Summary())}
	if r.Verdict.Failed() {
		for _, note := range r.Notes {
			lines = append(lines, indent+note)
		}
		for _, f := range r.Findings {
			if f.Verdict.Failed() && shown(f) {
				lines = append(lines, indent+strings.ReplaceAll(f.String(), "\n", "\n"+indent))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// indent is what stands before the lines of a report that belong to the one above.
const indent = "    "

// String says what is wrong with a node: where, why, by how much, in which elements; on several lines, without a line break at the
// end.
func (f *Finding) String() string {
	lines := []string{fmt.Sprintf("%s: %s: %s", f.Place(), f.Verdict, f.Reason)}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf("  "+format, args...)) }
	if e := f.Worst; e != nil {
		add("error %.3g units (honest %.3g, provable %.3g) at %v: got %s = %s, want %s = %s, %.3g ULP",
			f.Error, f.Calibrated, f.Provable, e.Index, e.Got, e.GotHex, e.Want, e.WantHex, e.ULP)
	}
	if m := f.Map; m != nil {
		add("wrong: %d of %d elements, %s", m.Wrong, m.Elements, m.Pattern)
	}
	if s := f.Support; s != nil {
		add("codes: %d zero, %d on, %d ambiguous; %d wrong, %d flipped", s.Zero, s.On, s.Ambiguous, s.Wrong, s.Flipped)
	}
	if len(f.Through) > 0 {
		add("judged together with %s, which the backend did not answer", strings.Join(f.Through, ", "))
	}
	return strings.Join(lines, "\n")
}
