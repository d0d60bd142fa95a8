package judge

import (
	"sdref/golden/graph"
	"sdref/golden/precision"
)

// A case is worth publishing only if it fails wrong answers. wrongAnswers are answers that a broken backend
// may well give.
var wrongAnswers = []struct {
	name string
	make func(want *graph.Tensor, input, other []float64, exact bool) []float64
}{
	{"zeros", func(want *graph.Tensor, _, _ []float64, _ bool) []float64 { return tile(want, []float64{0}) }},
	{"a constant", func(want *graph.Tensor, _, _ []float64, _ bool) []float64 {
		return tile(want, []float64{1})
	}},
	{"a copy of the input", func(want *graph.Tensor, input, _ []float64, _ bool) []float64 {
		return tile(want, input)
	}},
	{"another case's answer", func(want *graph.Tensor, _, other []float64, _ bool) []float64 {
		return tile(want, other)
	}},
	{"an answer 1 + 2^-12 times too large, in an exact case one ULP", scaled},
}

// tile fills a tensor like want with values over and over.
func tile(want *graph.Tensor, values []float64) []float64 {
	data := make([]float64, want.Len())
	for i := range data {
		data[i] = precision.Single.Round(values[i%len(values)])
	}
	return data
}

func scaled(want *graph.Tensor, _, _ []float64, exact bool) []float64 {
	factor := 1 + 0x1p-12
	if exact {
		factor = 1 + 0x1p-23
	}
	data := make([]float64, want.Len())
	for i, v := range want.Data {
		data[i] = precision.Single.Round(v * factor)
	}
	return data
}

// FalsePasses returns which wrong answers a case would pass if a backend gave only what it must: zeros, a
// constant, its input, another case's answers (other, by node; a replayed answer is one of these), or the
// right answer scaled. A case that passes any is not to be published.
func FalsePasses(c *graph.Case, in, expected graph.Values, bounds Bounds,
	other graph.Values) (passed []string) {
	input := in[c.Inputs[0].Name].Data
	for _, wrong := range wrongAnswers {
		answers := Answers{}
		for i := range c.Nodes {
			n := &c.Nodes[i]
			if !n.Required {
				continue
			}
			want := expected[n.Name]
			answers[n.Name] = &Answer{Shape: n.Shape, DType: "float32",
				Data: wrong.make(want, input, otherData(other, n.Name), c.Has("exact"))}
		}
		if len(answers) == 0 || passes(c, in, expected, bounds, answers) {
			passed = append(passed, wrong.name)
		}
	}
	return passed
}

// otherData is the other case's tensor of a name, or any if it has none.
func otherData(other graph.Values, name string) []float64 {
	if t := other[name]; t != nil {
		return t.Data
	}
	least := ""
	for n := range other {
		if least == "" || n < least {
			least = n
		}
	}
	if least == "" {
		return []float64{0.5}
	}
	return other[least].Data
}

// passes judges only until the first failure, and does not ask what that is.
func passes(c *graph.Case, in, expected graph.Values, bounds Bounds, a Answers) bool {
	t := newComparison(c, in, expected, bounds, a, precision.FP32)
	t.inferences, t.anyFailure = inferredNodes, true
	for i := range c.Nodes {
		if f := t.node(&c.Nodes[i]); f != nil && f.Verdict.Failed() {
			return false
		}
	}
	return true
}
