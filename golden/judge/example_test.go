package judge_test

import (
	"fmt"
	"maps"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/tensor"
)

// A backend that shrinks twice as much as it should is judged by its own intermediate values: the node that is wrong is named, and what
// follows from it is not.
func ExampleJudge() {
	b := graph.New("example", "fista", "to show a verdict")
	x, w := b.Input("x", golden.Fill{Shape: []int{1, 3, 8, 8}, Seed: 1, Scale: 2}), b.Input("w", golden.Fill{Shape: []int{4, 3, 3, 3}, Seed: 2, Scale: 1})
	b.Require(b.FISTA("layer", x, w, b.Constant("step", 0.0625), csc.Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.25, Nonnegative: true, Iterations: 3}))
	in := b.Generate()
	expected, err := b.Evaluate(in)
	if err != nil {
		panic(err)
	}

	bounds := judge.Bounds{} // in units of rounding; package simulate calibrates them, package cases has stored ones for its own
	for _, n := range b.Nodes {
		bounds[n.Name] = map[precision.Profile]judge.Bound{precision.FP32: {Local: 8, End: 64}}
	}

	answers, values := judge.Answers{}, maps.Clone(in)
	for _, n := range b.Nodes {
		value, err := b.Recompute(&n, values)
		if err != nil {
			panic(err)
		}
		if n.Name == "layer/2/code" {
			for i, v := range value.Tensor.Data {
				value.Tensor.Data[i] = max(0, v-0.0625*0.25)
			}
		}
		answer := tensor.Convert[float32](value.Tensor)
		answers[n.Name], values[n.Name] = judge.NewAnswer(answer), tensor.Convert[float64](answer)
	}
	report := judge.Judge(b.Case, in, expected, bounds, answers, precision.FP32)
	wrong := 0
	for _, f := range report.Findings {
		if f.Verdict.Failed() {
			wrong++
		}
	}
	fmt.Println(report.Verdict, "at", report.First.Node, "alone of", report.Nodes, "nodes:", wrong == 1)
	// Output:
	// LOGIC at layer/2/code alone of 14 nodes: true
}
