package judge

import (
	"math"
	"slices"

	"sdref/golden/graph"
	"sdref/tensor"
)

// A node that was not answered is computed in its place, from the nearest answers. Where a code there lies
// within rounding of its threshold, its gradient is one of two one-sided derivatives; oneSided holds the
// values either way.

// smallestCode stands for a code that is on but not by much.
const smallestCode = 0x1p-149

// substitute puts a value in the place of a node's answer.
func (c *comparison) substitute(n *graph.Node) {
	c.substituted[n.Name] = true
	c.independent[n.Name] = !slices.ContainsFunc(n.Inputs, func(in string) bool { return !c.independent[in] })
	op := graph.Lookup(n.Op)
	in := c.inputsOf(n, nil)
	value := c.expected[n.Name]
	if !c.independent[n.Name] || value == nil {
		value = op.Value(n, in)
	}
	c.known[n.Name] = value
	for _, values := range c.oneSided {
		if c.reads(n, values) {
			values[n.Name] = op.Value(n, c.inputsOf(n, values))
		}
	}
	if op.Gap != nil && len(n.Shape) > 0 {
		c.substituteKinks(n)
	}
}

// accept takes an answer for what later nodes are computed from, unless it is not a number where there is
// one.
func (c *comparison) accept(n *graph.Node, a *Answer, v graph.Value) {
	if slices.ContainsFunc(a.Data, notFinite) && !slices.ContainsFunc(v.Data, notFinite) {
		c.known[n.Name], c.substituted[n.Name] = v.Tensor, true
		return
	}
	c.known[n.Name] = tensor.From(a.Data, n.Shape...)
}

// inputsOf returns a node's inputs, those first that are in values.
func (c *comparison) inputsOf(n *graph.Node, values graph.Values) []*graph.Tensor {
	in := make([]*graph.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if in[i] = values[name]; in[i] == nil {
			in[i] = c.known[name]
		}
	}
	return in
}

// reads tells whether a node has an input among values.
func (c *comparison) reads(n *graph.Node, values graph.Values) bool {
	return slices.ContainsFunc(n.Inputs, func(in string) bool { return values[in] != nil })
}

// substituteKinks sets the ambiguous elements of a substituted code to zero on one side, and on on the other.
func (c *comparison) substituteKinks(n *graph.Node) {
	v, err := c.Recompute(n, c.known)
	if err != nil {
		return // compareNode will say so
	}
	y := c.measure(n, v, true)
	calibrated, _ := c.limits(n, v, y, true)
	band := float64(float64(calibrated)*y.unit*y.at(0)) + y.floor
	for i, g := range v.Gap {
		if !(math.Abs(g) <= band) || calibrated == 0 { // in exact arithmetic nothing is ambiguous
			continue
		}
		for _, values := range c.oneSided {
			if values[n.Name] == nil {
				values[n.Name] = v.Tensor.Clone()
			}
		}
		off, on := &c.oneSided[0][n.Name].Data[i], &c.oneSided[1][n.Name].Data[i]
		*off = 0
		if *on == 0 {
			*on = smallestCode
			if n.Op == "prox" && n.Attrs["nonnegative"] == 0 {
				*on = math.Copysign(smallestCode, c.known[n.Inputs[0]].Data[i])
			}
		}
	}
}

// valueRange returns the least and the largest values that ambiguous codes among a node's substituted inputs
// make of it.
func (c *comparison) valueRange(n *graph.Node, v graph.Value) (low, high []float64) {
	low, high = v.Data, v.Data
	for _, values := range c.oneSided {
		if !c.reads(n, values) {
			continue
		}
		other := graph.Lookup(n.Op).Value(n, c.inputsOf(n, values))
		low, high = slices.Clone(low), slices.Clone(high)
		for i, o := range other.Data {
			low[i], high[i] = min(low[i], o), max(high[i], o)
		}
	}
	return low, high
}
