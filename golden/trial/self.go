package trial

import (
	"context"
	"fmt"

	"sdref/autodiff"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/tensor"
)

// Func is the client that a function in this process is: it is called with each request and returns the answers, as many as it has.
// An error ends the trial.
func Func(d Declaration, answer func(r Request) (judge.Answers, error)) Client {
	return func(context.Context, []Request) (Declaration, func(Request) (judge.Answers, error), error) {
		return d, answer, nil
	}
}

// Self is the client that this program itself is: its float32 program, run in this process, which answers
// every node of the cases of these kinds. It shows that the judge passes the reference at every node.
func Self(kinds []string) Client {
	d := Declaration{Name: "sdref", Profile: precision.FP32, Device: "this CPU", Deterministic: true, Kinds: kinds}
	return Func(d, func(r Request) (judge.Answers, error) {
		values, err := Compute[float32](r.Case, r.In, false)
		if err != nil {
			return nil, err
		}
		answers := judge.Answers{}
		for name, t := range values {
			answers[name] = judge.NewAnswer(t)
		}
		return answers, nil
	})
}

// Computed holds tensors by the name of the node.
type Computed[T tensor.Float] map[string]*tensor.Tensor[T]

// Compute runs this module's own program for a case: the graph that the case was listed from, planned and
// run. It returns the values of all nodes or, if required, of those alone that a backend must answer, where
// the plan is free to overwrite, recompute and pack the others. A case that no Builder made is an error, and
// so is a missing input.
func Compute[T tensor.Float](c *graph.Case, in graph.Values, required bool) (Computed[T], error) {
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
	out := Computed[T]{}
	for _, n := range w.Outputs {
		out[n.Name] = p.Value(n)
	}
	return out, nil
}
