package simulate

import (
	"errors"

	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/internal/parallel"
)

// Margin is by how much a calibrated bound exceeds the worst error seen.
const Margin = 4

// Calibrate runs a case on so many honest machines of a profile and returns Margin times the worst error of
// each node, but at least Margin units of a node that rounds anything: few machines may all happen to hit a
// number that the next one misses. The ends of nodes that must be answered also cover what a judge measures
// who gets no others, and so recomputes what lies between from answers that have been rounded. expected are
// the values that c.Evaluate(in) gives.
func Calibrate(c *graph.Case, in, expected graph.Values, p precision.Profile,
	runs int) (map[string]judge.Bound, error) {
	machines := Machines(p, runs)
	got, worst, errs := make([]graph.Values, runs), make([]map[string]judge.Bound, runs), make([]error, runs)
	parallel.For(runs, func(_, i int) {
		if got[i], errs[i] = machines[i].Run(c, in); errs[i] == nil {
			worst[i], errs[i] = Errors(c, in, expected, got[i], p)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	bounds := map[string]judge.Bound{}
	raise(bounds, worst)
	soFar := judge.Bounds{}
	for name, b := range bounds {
		soFar[name] = map[precision.Profile]judge.Bound{p: b}
	}
	parallel.For(runs, func(_, i int) {
		worst[i] = map[string]judge.Bound{}
		for _, f := range judge.Judge(c, in, expected, soFar, required(c, got[i]), p).Findings {
			if len(f.Through) > 0 {
				worst[i][f.Node] = judge.Bound{End: float64(f.Error)}
			}
		}
	})
	raise(bounds, worst)
	return bounds, nil
}

// raise makes bounds Margin times the worst errors, where they are less.
func raise(bounds map[string]judge.Bound, worst []map[string]judge.Bound) {
	for _, of := range worst {
		for name, e := range of {
			b := bounds[name]
			bounds[name] = judge.Bound{Local: max(b.Local, Margin*e.Local), End: max(b.End, Margin*e.End)}
		}
	}
}

// required are the answers that a backend must give.
func required(c *graph.Case, got graph.Values) judge.Answers {
	a := judge.Answers{}
	for i := range c.Nodes {
		if n := &c.Nodes[i]; n.Required {
			a[n.Name] = &judge.Answer{Shape: n.Shape, DType: "float32", Data: got[n.Name].Data}
		}
	}
	return a
}

// Errors returns how far each node that was computed lies from float64, in the profile's units: from the
// backend's own values of its inputs (Local), and from the expected values (End). Nodes that round count with
// one unit at the least.
func Errors(c *graph.Case, in, expected, got graph.Values,
	p precision.Profile) (map[string]judge.Bound, error) {
	worst := make(map[string]judge.Bound, len(c.Nodes))
	for i := range c.Nodes {
		n := &c.Nodes[i]
		measure := func(nodes graph.Values, end bool) (float64, error) {
			of := inputs(n, in, nodes)
			v, err := c.Recompute(n, of)
			if err != nil {
				return 0, err
			}
			e, _ := judge.Measure(n, of, v, got[n.Name].Data, p, end)
			return max(e, float64(min(v.Terms, 1))), nil
		}
		local, err := measure(got, false)
		if err != nil {
			return nil, err
		}
		end, err := measure(expected, true)
		if err != nil {
			return nil, err
		}
		worst[n.Name] = judge.Bound{Local: local, End: end}
	}
	return worst, nil
}

// inputs collects the values of a node's inputs.
func inputs(n *graph.Node, in, nodes graph.Values) graph.Values {
	of := graph.Values{}
	for _, name := range n.Inputs {
		if of[name] = nodes[name]; of[name] == nil {
			of[name] = in[name]
		}
	}
	return of
}
