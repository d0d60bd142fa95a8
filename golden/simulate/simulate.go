// Package simulate computes graphs as honest backends do: in float32 or with shorter factors, with sums in
// any order, fused or not, rounded to nearest or toward zero, with the algebra of each formula arranged one
// way or another.
//
// What such machines answer is right by definition. Bounds are calibrated with them (Calibrate), a judge must
// pass them, and package faults changes one thing in one of them. The package shares no arithmetic with
// package graph, which it thereby tests. It knows nothing of bounds and verdicts.
package simulate

import (
	"fmt"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/internal/random"
	"sdref/tensor"
)

// Tensor is what a machine computes with. Shorter formats are held in float32.
type Tensor = tensor.Tensor[float32]

// Machine is one way to compute: in which formats, in which order, rounded how.
type Machine struct {
	Profile precision.Profile // that it declares
	Factors precision.Format  // to which the factors of a contraction are rounded
	Results precision.Format  // in which the value of every node is stored
	Sums    precision.Format  // to which a running sum is rounded after each addition
	Partial precision.Format  // to which the sum of a chain is rounded before chains are added up

	Order      Order
	Width      int    // of Lanes and Blocked
	Seed       uint64 // of Shuffled, and of the last bits of exp and log
	Fused      bool   // a multiply-add rounds once
	TowardZero bool   // additions within a contraction round toward zero
	Cut        bool   // factors are rounded toward zero
	Winograd   bool   // 3x3 contractions by Winograd's algorithm
	Double     bool   // reductions are added up in float64
	Eager      bool   // each operation inside a formula stores its result in Results
	Rearranged bool   // formulas are computed in their other usual form
	Reciprocal bool   // quotients are products with the reciprocal
}

// New returns the plainest machine of a profile: every sum one chain, nothing fused.
func New(p precision.Profile) Machine {
	return Machine{Profile: p, Factors: p.Operands(), Results: p.Results(), Sums: precision.Single,
		Partial: precision.Single,
		Width:   8, TowardZero: p == precision.FP32Truncating, Winograd: p == precision.FP32Winograd}
}

// Machines returns n machines of a profile: the plainest one, then Drawn.
func Machines(p precision.Profile, n int) []Machine {
	machines := make([]Machine, n)
	for i := range machines {
		machines[i] = Drawn(p, i)
	}
	return machines
}

// Drawn returns machine i, drawn from all that a profile allows; number 0 is the plainest one.
func Drawn(p precision.Profile, i int) Machine {
	m := New(p)
	if i > 0 {
		m.vary(random.New(uint64(i)).Sub("machine"), Order(i%len(orders)))
	}
	return m
}

// String names what is not plain, for reports.
func (m Machine) String() string {
	s := fmt.Sprintf("%s, %v", m.Profile, m.Order)
	if m.Order == Lanes || m.Order == Blocked {
		s += fmt.Sprintf(" by %d", m.Width)
	}
	for _, choice := range []struct {
		made bool
		name string
	}{{m.Fused, "fused"}, {m.TowardZero, "toward zero"}, {m.Cut, "factors cut"},
		{m.Double, "float64 reductions"},
		{m.Eager, "each result stored"}, {m.Rearranged, "rearranged"}, {m.Reciprocal, "reciprocals"}} {
		if choice.made {
			s += ", " + choice.name
		}
	}
	return s
}

// vary draws what a profile leaves open.
func (m *Machine) vary(s random.Stream, order Order) {
	coin := func(i uint64) bool { return s.Intn(i, 2) == 1 }
	m.Order, m.Width, m.Seed = order, 4<<s.Intn(0, 5), s.At(1)
	m.Fused, m.Double, m.Rearranged, m.Reciprocal = coin(2), coin(3), coin(4), coin(5)
	// matrix units: they may cut, and elementwise operations may store each result
	if m.Factors != precision.Single {
		m.TowardZero, m.Cut, m.Eager = coin(6), m.Profile == precision.TF32 && coin(7), coin(8)
	}
}

// Call is one node that a machine is about to compute.
type Call struct {
	*graph.Node
	Case   *graph.Case
	In     []*Tensor          // the node's inputs, in order
	Values map[string]*Tensor // the case's inputs and all nodes so far, by name
}

// NewCall returns the call of a node whose inputs are among the values.
func NewCall(c *graph.Case, n *graph.Node, values map[string]*Tensor) *Call {
	call := &Call{Node: n, Case: c, Values: values}
	for _, name := range n.Inputs {
		call.In = append(call.In, values[name])
	}
	return call
}

// Run computes a case: all of its nodes, each from the machine's own results.
func (m *Machine) Run(c *graph.Case, in graph.Values) (graph.Values, error) {
	return m.RunWith(c, in, m.Apply)
}

// RunWith is Run with every node computed by apply instead of m.Apply, which it may call.
func (m *Machine) RunWith(c *graph.Case, in graph.Values, apply func(*Call) *Tensor) (graph.Values, error) {
	values := map[string]*Tensor{}
	for _, input := range c.Inputs {
		if in[input.Name] == nil {
			return nil, fmt.Errorf("case %s: no input %s", c.ID, input.Name)
		}
		values[input.Name] = tensor.Convert[float32](in[input.Name])
	}
	out := graph.Values{}
	for i := range c.Nodes {
		n := &c.Nodes[i]
		if operators[n.Op] == nil {
			return nil, fmt.Errorf("case %s: node %s: unknown operator %q", c.ID, n.Name, n.Op)
		}
		values[n.Name] = apply(NewCall(c, n, values))
		out[n.Name] = tensor.Convert[float64](values[n.Name])
	}
	return out, nil
}

// Apply computes one node.
func (m *Machine) Apply(c *Call) *Tensor {
	y := operators[c.Op](m, c)
	copy(y.Data, rounded(m.Results, y.Data))
	return y
}

// rounded returns the values in a format.
func rounded(f precision.Format, values []float32) []float32 {
	if f == precision.Single {
		return values
	}
	out := make([]float32, len(values))
	for i, v := range values {
		out[i] = float32(f.Round(float64(v)))
	}
	return out
}
