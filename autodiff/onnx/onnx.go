// Package onnx says a computation in ONNX, the exchange format that ONNX Runtime, TensorRT and others read:
// each node of a graph becomes the few ONNX operators that compute the same, in float32,
//
//	y = analysis(x, w; padding 1)    ->    y = Conv(x, w; kernel_shape 3 3, pads 1 1 1 1, strides 1 1)
//
// and keeps its name. The table of rows, one for each operator, is in table.go; no other place knows what an
// operator is in ONNX. Gradients are nodes like all others, so that a training step can be said as well.
//
// The package is for those who write a network or a judge's case for another program. It knows nothing of
// networks, cases and checkpoints, and runs nothing.
package onnx

import (
	"fmt"
	"slices"

	"sdref/autodiff"
	"sdref/tensor"
)

// Export says which part of a graph becomes a model.
type Export struct {
	Name     string
	Doc      string
	Metadata []Property

	// Inputs are what the model is given when it runs, in this order. A node among them stands for all that
	// would compute it. Those that the outputs do not depend on are left out.
	Inputs  []*autodiff.Node
	Outputs []*autodiff.Node
	// Constants are values that the model holds: weights.
	Constants map[*autodiff.Node]*tensor.Tensor[float32]
	// Names are what nodes are called in the model, where that is not their own name.
	Names map[*autodiff.Node]string
	// FreeBatch leaves the number of images open, the first size of all inputs and of what depends on them;
	// operators that need the number are then an error.
	FreeBatch bool
}

// Unsayable is the error that a node cannot be said in ONNX.
type Unsayable struct{ Node, Op, Why string }

func (e *Unsayable) Error() string {
	return fmt.Sprintf("node %s: %s cannot be said in ONNX: %s", e.Node, e.Op, e.Why)
}

// Model makes the model. A node that cannot be said is an *Unsayable.
func (e Export) Model() (*Model, error) {
	s := &speaker{Export: e, known: map[string][]string{}, open: map[*autodiff.Node]bool{}}
	s.model = &Model{Name: e.Name, Doc: e.Doc, Metadata: e.Metadata}
	needed, err := e.needed()
	if err != nil {
		return nil, err
	}
	for _, n := range e.Inputs {
		if needed[n] {
			s.input(n, needed)
		}
	}
	for _, n := range e.graph().Inputs { // in the graph's order
		if t := e.Constants[n]; t != nil && needed[n] {
			s.constant(Tensor{Name: s.name(n), Shape: n.Shape, Floats: t.Data})
		}
	}
	for _, n := range e.graph().Nodes {
		if !needed[n] || slices.Contains(e.Inputs, n) {
			continue
		}
		if err := s.say(n); err != nil {
			return nil, err
		}
	}
	for _, n := range e.Outputs {
		s.model.Outputs = append(s.model.Outputs, s.value(n, Float32))
	}
	return s.model, nil
}

func (e *Export) graph() *autodiff.Graph { return e.Outputs[0].Graph() }

// needed finds the nodes and inputs that the outputs depend on.
func (e *Export) needed() (map[*autodiff.Node]bool, error) {
	needed := map[*autodiff.Node]bool{}
	var visit func(n *autodiff.Node) error
	visit = func(n *autodiff.Node) error {
		if needed[n] {
			return nil
		}
		needed[n] = true
		if slices.Contains(e.Inputs, n) {
			return nil
		}
		if n.Op == nil && e.Constants[n] == nil {
			return fmt.Errorf("input %s is neither an input of the model nor a constant", n.Name)
		}
		for _, in := range n.Inputs {
			if err := visit(in); err != nil {
				return err
			}
		}
		return nil
	}
	for _, n := range e.Outputs {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	return needed, nil
}

// Refusals lists the nodes of a graph that cannot be said, or depend on one that cannot, in the graph's
// order.
func Refusals(g *autodiff.Graph) (list []*Unsayable) {
	refused := map[*autodiff.Node]bool{}
	for _, n := range g.Nodes {
		why := refusal(n.Op.Name)
		for _, in := range n.Inputs {
			if why == "" && refused[in] {
				why = "it depends on " + in.Name
			}
		}
		if why != "" {
			refused[n] = true
			list = append(list, &Unsayable{n.Name, n.Op.Name, why})
		}
	}
	return list
}

// refusal is why an operator cannot be said, "" if it can.
func refusal(op string) string {
	row, known := table[op]
	switch {
	case !known:
		return "the table of package onnx has no row for it"
	case row.say == nil:
		return row.why
	}
	return ""
}
