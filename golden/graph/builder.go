package graph

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
)

// Builder makes a case of the graph that this program itself runs: what it appends to the one it lists in the
// other. Its methods return the names of what they append; mistakes are panics.
type Builder struct{ *Case }

// New returns a builder of a case without inputs and nodes.
func New(id, kind, why string, flags ...string) *Builder {
	return On(autodiff.NewGraph(), id, kind, why, flags...)
}

// On returns a builder of a case on a graph that has no nodes yet.
func On(g *autodiff.Graph, id, kind, why string, flags ...string) *Builder {
	return &Builder{&Case{ID: id, Kind: kind, Why: why, Flags: flags, Attrs: map[string]any{}, Graph: g,
		index: map[string]int{}}}
}

// Place says where a node belongs. Its name is the parts that are not empty, with slashes between them.
type Place = autodiff.Place

// Input appends an input and returns its name.
func (b *Builder) Input(name string, fill golden.Fill) string {
	return b.Fill(b.Graph.Input(name, fill.Shape...), fill)
}

// Fill gives an input of the graph the rule that makes it, and returns its name.
func (b *Builder) Fill(input *autodiff.Node, fill golden.Fill) string {
	b.Inputs = append(b.Inputs, Input{Name: input.Name, Fill: fill})
	return input.Name
}

// Labels appends an input of class labels below classes.
func (b *Builder) Labels(name string, images, classes int, seed uint64) string {
	b.Input(name, golden.Fill{Shape: []int{images}, Seed: seed, Levels: classes, Scale: 1,
		Offset: float64(classes / 2)})
	b.Inputs[len(b.Inputs)-1].Integer = true
	return name
}

// Constant appends an input of one number.
func (b *Builder) Constant(name string, value float64) string {
	return b.Input(name, golden.Fill{Shape: []int{}, Offset: value})
}

// Of returns the nodes or inputs of the graph that have these names.
func (b *Builder) Of(names ...string) (list []*autodiff.Node) {
	for _, name := range names {
		n := b.Graph.Node(name)
		if n == nil {
			panic(fmt.Sprintf("graph: there is no node %q", name))
		}
		list = append(list, n)
	}
	return list
}

// Node appends a node at a place and returns its name.
func (b *Builder) Node(op string, at Place, a Attrs, inputs ...string) string {
	row := autodiff.Lookup(op)
	if row == nil {
		panic(fmt.Sprintf("graph: node %s: unknown operator %q", at, op))
	}
	return b.list(autodiff.Apply(row, autodiff.Attrs(a), b.Of(inputs...)...).At(at.Layer, at.Iteration,
		at.Quantity))
}

// list lists what has been appended to the graph among the case's nodes, and returns a node's name.
func (b *Builder) list(n *autodiff.Node) string {
	b.List()
	return n.Name
}

// List lists what has been appended to the graph since the last time among the case's nodes.
func (b *Builder) List() {
	for _, n := range b.Graph.Nodes[len(b.Nodes):] {
		node := Node{Name: n.Name, Op: n.Op.Name, Attrs: Attrs(n.Attrs), Shape: n.Shape, Layer: n.Layer,
			Iteration: n.Iteration, Quantity: n.Quantity}
		for _, in := range n.Inputs {
			node.Inputs = append(node.Inputs, in.Name)
		}
		b.index[n.Name] = len(b.Nodes)
		b.Nodes = append(b.Nodes, node)
	}
}

// FISTA appends csc.FISTA and returns the name of the last code.
func (b *Builder) FISTA(layer, x, w, t string, s csc.Settings) string {
	in := b.Of(x, w, t)
	return b.list(csc.FISTA(layer, in[0], in[1], in[2], nil, s))
}

// PowerIteration appends csc.Power and returns the names of the last vector and of the step size.
func (b *Builder) PowerIteration(layer, v, w string, height, width int, p csc.Power,
	g conv.Geometry) (vector, step string) {
	in := b.Of(v, w)
	last, t := p.Append(layer, in[0], in[1], height, width, g)
	return b.list(last), b.list(t)
}

// UnitAtoms appends LAYER/weight, the atoms of norm 1.
func (b *Builder) UnitAtoms(layer, w string) string {
	return b.list(autodiff.UnitAtoms(b.Of(w)[0]).At(layer, 0, "weight"))
}

// BatchNorm appends autodiff.BatchNorm and returns the names of what it gives.
func (b *Builder) BatchNorm(layer, x string, p autodiff.Norm, training bool) (y, mean, variance string) {
	out, m, v := autodiff.BatchNorm(layer, b.Of(x)[0], p, training)
	return b.list(out), b.list(m), b.list(v)
}

// Backward appends the gradient of <seed, from> for each wanted input or node and returns the names of the
// gradients. With no seed, from is a loss.
func (b *Builder) Backward(from, seed string, wanted ...string) (names []string) {
	var dy *autodiff.Node
	if seed != "" {
		dy = b.Of(seed)[0]
	}
	for _, g := range autodiff.Backward(b.Of(from)[0], dy, b.Of(wanted...)...) {
		names = append(names, b.list(g))
	}
	return names
}

// Require marks nodes as those that a backend must answer.
func (b *Builder) Require(names ...string) {
	for _, name := range names {
		n := b.Case.Node(name)
		if n == nil {
			panic(fmt.Sprintf("graph: there is no node %q", name))
		}
		n.Required = true
	}
}
