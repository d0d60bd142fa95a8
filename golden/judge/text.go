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
