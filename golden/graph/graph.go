// Package graph writes a computation down as a list of named nodes, each one primitive operator applied to
// inputs or earlier nodes:
//
//	layer/2/residual = axpy(x, layer/2/synthesis; scale -1)
//
// so that another implementation can be compared node by node. Evaluate computes all nodes in float64, the
// expected values. Recompute computes one node from whatever values its inputs have, a backend's own answers
// for instance, together with the unit of its rounding errors. Then no error is inherited, and the first node
// that misses names layer, iteration and operator.
//
// A Builder lists the nodes of the graphs that this program itself runs: there is no second way to write
// FISTA, a layer or a gradient down. What each operator computes, and how far rounding may take it, stands
// here a second time, in the rows of the table Ops, so that the reference is judged like all others. The
// package is for whoever makes, judges, simulates or falsifies such computations. It knows nothing of files,
// of verdicts and of whole networks. (It is no part of package cases, because package judge
// imports it, and package cases imports networks and the judge.)
package graph

import (
	"fmt"
	"math"
	"slices"

	"sdref/autodiff"
	"sdref/golden"
	"sdref/tensor"
)

// Tensor is what every value of a graph is. Scalars have the empty shape; class labels are whole numbers.
type Tensor = tensor.Tensor[float64]

// Values holds tensors by the name of the input or node.
type Values map[string]*Tensor

// Attrs are an operator's settings; one that is left out is 0.
type Attrs map[string]float64

// Node is one operator applied to inputs or earlier nodes.
type Node struct {
	// unique in the case: LAYER/ITERATION/QUANTITY, parts that are empty left out; gradients begin with grad/
	Name   string
	Op     string   // a row of Ops
	Inputs []string // what it is applied to: names of inputs of the case or of earlier nodes
	Attrs  Attrs
	Shape  []int

	Layer     string // where the node belongs, for reports; empty where there is one place only
	Iteration int    // of FISTA or power iteration, from 1; 0 outside of both
	Quantity  string // what it is called there

	Required bool // a backend must answer it; all others are its trace, which it may answer
}

// Input is a tensor that a case starts from.
type Input struct {
	Name    string
	Fill    golden.Fill // the rule that makes it, with its shape
	Integer bool        // it holds class labels

	Reversed []int // axes along which what the rule gives is turned round afterwards
	NaN      []int // elements that are NaN instead
}

// Case is one computation. Nodes of a case that a Builder made keep their names and their order.
type Case struct {
	ID    string         // a-z, 0-9, - and _
	Kind  string         // what sort of computation, so that a backend knows what to do
	Why   string         // why this case exists
	Flags []string       // "exact" or "real", and what else it has been chosen for
	Attrs map[string]any // what a backend must know of this kind: numbers, booleans, texts, lists

	Inputs []Input
	Nodes  []Node

	Graph *autodiff.Graph // that the nodes were listed from, if a Builder made the case
	index map[string]int  // of nodes, by name, if a Builder made the case
}

// Value is a recomputed node.
type Value struct {
	*Tensor
	// Magnitude is the unit of each element's rounding error: what the element would be if no term cancelled
	// another, the sum of |a||b| for a sum of products.
	Magnitude []float64
	// Spread is the unit instead of Magnitude where a convolution is computed by Winograd's algorithm, in
	// which an element has a share in its neighbours' errors: for a whole plane the sum over channels of
	// max|a| max|b|. Nil for other operators.
	Spread []float64
	// Terms is the number of roundings that an element goes through one after the other, at the most. 0 means
	// none: the operator selects, and any difference is an error.
	Terms int
	// Gap is an element's signed distance from the kink of its operator: beyond it (on) if positive, below it
	// (zero) if negative; in the result's own unit. Nil for operators without a kink.
	Gap []float64
}

// Node returns the node called name, nil if there is none.
func (c *Case) Node(name string) *Node {
	if len(c.index) == len(c.Nodes) { // a Builder made it
		if i, ok := c.index[name]; ok {
			return &c.Nodes[i]
		}
		return nil
	}
	if i := slices.IndexFunc(c.Nodes, func(n Node) bool { return n.Name == name }); i >= 0 {
		return &c.Nodes[i]
	}
	return nil
}

// Input returns the input called name, nil if there is none.
func (c *Case) Input(name string) *Input {
	if i := slices.IndexFunc(c.Inputs, func(in Input) bool { return in.Name == name }); i >= 0 {
		return &c.Inputs[i]
	}
	return nil
}

// Has tells whether the case has a flag.
func (c *Case) Has(flag string) bool { return slices.Contains(c.Flags, flag) }

// Generate returns the inputs, made by their rules.
func (c *Case) Generate() Values {
	values := Values{}
	for _, in := range c.Inputs {
		values[in.Name] = in.generate()
	}
	return values
}

func (in *Input) generate() *Tensor {
	t := tensor.From(in.Fill.Values(), in.Fill.Shape...)
	for _, axis := range in.Reversed {
		t = reversed(t, axis)
	}
	for _, i := range in.NaN {
		t.Data[i] = math.NaN()
	}
	return t
}

// reversed is t turned round along an axis.
func reversed(t *Tensor, axis int) *Tensor {
	r := tensor.New[float64](t.Shape...)
	inner, side := tensor.Size(t.Shape[axis+1:]), t.Shape[axis]
	for row := range t.Len() / inner {
		from := row - row%side + side - 1 - row%side
		copy(r.Data[row*inner:(row+1)*inner], t.Data[from*inner:(from+1)*inner])
	}
	return r
}

// Evaluate returns the values of all nodes, computed in float64 from the given inputs. A missing input, or
// one of another shape than the case states, is an error.
func (c *Case) Evaluate(in Values) (Values, error) {
	all := Values{}
	for _, input := range c.Inputs {
		t := in[input.Name]
		if t == nil || !slices.Equal(t.Shape, input.Fill.Shape) {
			return nil, fmt.Errorf("case %s: input %s: want shape %v, have %v", c.ID, input.Name,
				input.Fill.Shape, shapeOf(t))
		}
		all[input.Name] = t
	}
	out := make(Values, len(c.Nodes))
	for i := range c.Nodes {
		n := &c.Nodes[i]
		t, err := c.compute(n, all)
		if err != nil {
			return nil, err
		}
		all[n.Name], out[n.Name] = t, t
	}
	return out, nil
}

// Recompute returns one node in float64 from the given values of its inputs, which it leaves alone. A value
// that is missing or of another shape than the case states is an error.
func (c *Case) Recompute(n *Node, of Values) (Value, error) {
	t, err := c.compute(n, of)
	if err != nil {
		return Value{}, err
	}
	op, in := Lookup(n.Op), c.gather(n, of)
	v := Value{Tensor: t, Magnitude: op.Magnitude(n, in, t).Data, Terms: op.Terms(n, in)}
	if op.Spread != nil {
		v.Spread = op.Spread(n, in, t)
	}
	if op.Gap != nil {
		v.Gap = op.Gap(n, in, t)
	}
	return v, nil
}

// compute checks a node's inputs and applies its operator.
func (c *Case) compute(n *Node, of Values) (*Tensor, error) {
	op := Lookup(n.Op)
	if op == nil {
		return nil, fmt.Errorf("case %s: node %s: unknown operator %q", c.ID, n.Name, n.Op)
	}
	for _, name := range n.Inputs {
		if t := of[name]; t == nil || !slices.Equal(t.Shape, c.Shape(name)) {
			return nil, fmt.Errorf("case %s: node %s: input %s: want shape %v, have %v", c.ID, n.Name, name,
				c.Shape(name), shapeOf(t))
		}
	}
	return op.Value(n, c.gather(n, of)), nil
}

func (c *Case) gather(n *Node, of Values) []*Tensor {
	in := make([]*Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		in[i] = of[name]
	}
	return in
}

// Shape is that of an input or a node; nil for neither.
func (c *Case) Shape(name string) []int {
	if n := c.Node(name); n != nil {
		return n.Shape
	}
	if in := c.Input(name); in != nil {
		return in.Fill.Shape
	}
	return nil
}

func shapeOf(t *Tensor) any {
	if t == nil {
		return "nothing"
	}
	return t.Shape
}
