package judge

import (
	"math"
	"slices"

	"sdref/golden/graph"
	"sdref/tensor"
)

// A node that was not answered is computed in its place, from the nearest answers. Where a code there lies within rounding of
// its threshold, its gradient is one of two one-sided derivatives; sides holds the values either way.

// tiny stands for a code that is on but not by much.
const tiny = 0x1p-149

// compose puts a value in the place of a node's answer.
func (t *trial) compose(n *graph.Node) {
	t.composed[n.Name] = true
	t.pure[n.Name] = !slices.ContainsFunc(n.Inputs, func(in string) bool { return !t.pure[in] })
	op := graph.Lookup(n.Op)
	in := t.gather(n, nil)
	value := t.expected[n.Name]
	if !t.pure[n.Name] || value == nil {
		value = op.Value(n, in)
	}
	t.known[n.Name] = value
	for _, values := range t.sides {
		if t.differs(n, values) {
			values[n.Name] = op.Value(n, t.gather(n, values))
		}
	}
	if op.Gap != nil && len(n.Shape) > 0 {
		t.kinks(n)
	}
}

// adopt takes an answer for what later nodes are computed from, unless it is not a number where there is one.
func (t *trial) adopt(n *graph.Node, a *Answer, v graph.Value) {
	if slices.ContainsFunc(a.Data, notFinite) && !slices.ContainsFunc(v.Data, notFinite) {
		t.known[n.Name], t.composed[n.Name] = v.Tensor, true
		return
	}
	t.known[n.Name] = tensor.From(a.Data, n.Shape...)
}

// gather returns a node's inputs, those first that are in values.
func (t *trial) gather(n *graph.Node, values graph.Values) []*graph.Tensor {
	in := make([]*graph.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if in[i] = values[name]; in[i] == nil {
			in[i] = t.known[name]
		}
	}
	return in
}

// differs tells whether a node has an input among values.
func (t *trial) differs(n *graph.Node, values graph.Values) bool {
	return slices.ContainsFunc(n.Inputs, func(in string) bool { return values[in] != nil })
}

// kinks sets the ambiguous elements of a composed code to zero on one side, and on on the other.
func (t *trial) kinks(n *graph.Node) {
	v, err := t.Recompute(n, t.known)
	if err != nil {
		return // examine will say so
	}
	y := measure(n, t.known, v, t.profile, true)
	calibrated, _ := t.limits(n, v, y, true)
	band := float64(float64(calibrated)*y.unit*y.at(0)) + y.floor
	for i, g := range v.Gap {
		if !(math.Abs(g) <= band) || calibrated == 0 { // in exact arithmetic nothing is ambiguous
			continue
		}
		for _, values := range t.sides {
			if values[n.Name] == nil {
				values[n.Name] = v.Tensor.Clone()
			}
		}
		off, on := &t.sides[0][n.Name].Data[i], &t.sides[1][n.Name].Data[i]
		*off = 0
		if *on == 0 {
			*on = tiny
			if n.Op == "prox" && n.Attrs["nonnegative"] == 0 {
				*on = math.Copysign(tiny, t.known[n.Inputs[0]].Data[i])
			}
		}
	}
}

// between returns the least and the largest values that ambiguous codes among a node's composed inputs make of it.
func (t *trial) between(n *graph.Node, v graph.Value) (low, high []float64) {
	low, high = v.Data, v.Data
	for _, values := range t.sides {
		if !t.differs(n, values) {
			continue
		}
		other := graph.Lookup(n.Op).Value(n, t.gather(n, values))
		low, high = slices.Clone(low), slices.Clone(high)
		for i, o := range other.Data {
			low[i], high[i] = min(low[i], o), max(high[i], o)
		}
	}
	return low, high
}
