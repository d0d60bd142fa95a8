// Package own answers golden cases with this module's own program, in float32 or float64: the graph that a case was listed from,
// planned and run.
//
// It shows that the judge passes the reference at every node, and that the reference is nothing else than what its cases say. It does
// not know what the right answers are.
package own

import (
	"fmt"

	"sdref/autodiff"
	"sdref/golden/graph"
	"sdref/tensor"
)

// Values holds tensors by the name of the node.
type Values[T tensor.Float] map[string]*tensor.Tensor[T]

// Answers computes a case from its inputs and returns the values of all its nodes or, if required, of those alone that a backend must
// answer, where the plan is free to overwrite, recompute and pack the others. A case that no Builder made is an error, and so is a
// missing input.
func Answers[T tensor.Float](c *graph.Case, in graph.Values, required bool) (Values[T], error) {
	if c.Graph == nil {
		return nil, fmt.Errorf("case %s has no graph", c.ID)
	}
	var w autodiff.Wanted
	for _, n := range c.Nodes {
		if n.Required || !required {
			w.Outputs = append(w.Outputs, c.Graph.Node(n.Name))
		}
	}
	p := autodiff.NewProgram(autodiff.NewPlan(w), tensor.NewArena[T]())
	for _, input := range c.Inputs {
		t := in[input.Name]
		if t == nil {
			return nil, fmt.Errorf("case %s: input %s is missing", c.ID, input.Name)
		}
		p.Set(c.Graph.Node(input.Name), tensor.Convert[T](t))
	}
	p.Run()
	out := Values[T]{}
	for _, n := range w.Outputs {
		out[n.Name] = p.Value(n)
	}
	return out, nil
}
