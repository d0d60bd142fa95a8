package graph

import (
	"fmt"
	"slices"
	"strconv"

	"sdref/golden"
	"sdref/tensor"
)

// Builder appends inputs and nodes to a case. Its methods return the names of what they append; mistakes are panics.
type Builder struct{ *Case }

// New returns a builder of a case without inputs and nodes.
func New(id, kind, why string, flags ...string) *Builder {
	return &Builder{&Case{ID: id, Kind: kind, Why: why, Flags: flags, Attrs: map[string]any{}, index: map[string]int{}}}
}

// Place says where a node belongs. Its name is the parts that are not empty, with slashes between them.
type Place struct {
	Layer     string
	Iteration int
	Quantity  string
}

func (p Place) String() string {
	name := p.Quantity
	if p.Iteration > 0 {
		name = join(strconv.Itoa(p.Iteration), name)
	}
	return join(p.Layer, name)
}

// join is a/b, or b where there is no a.
func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "/" + b
}

// Input appends an input and returns its name.
func (b *Builder) Input(name string, fill golden.Fill) string {
	b.mustBeNew(name)
	b.Inputs = append(b.Inputs, Input{Name: name, Fill: fill})
	return name
}

// Labels appends an input of class labels below classes.
func (b *Builder) Labels(name string, images, classes int, seed uint64) string {
	b.Input(name, golden.Fill{Shape: []int{images}, Seed: seed, Levels: classes, Scale: 1, Offset: float64(classes / 2)})
	b.Inputs[len(b.Inputs)-1].Integer = true
	return name
}

// Constant appends an input of one number.
func (b *Builder) Constant(name string, value float64) string {
	return b.Input(name, golden.Fill{Shape: []int{}, Offset: value})
}

// Node appends a node at a place and returns its name.
func (b *Builder) Node(op string, at Place, a Attrs, inputs ...string) string {
	return b.append(op, at.String(), at, a, inputs...)
}

func (b *Builder) append(op, name string, at Place, a Attrs, inputs ...string) string {
	b.mustBeNew(name)
	row := Lookup(op)
	if row == nil {
		panic(fmt.Sprintf("graph: node %s: unknown operator %q", name, op))
	}
	n := Node{Name: name, Op: op, Inputs: inputs, Attrs: a, Layer: at.Layer, Iteration: at.Iteration, Quantity: at.Quantity}
	var shapes [][]int
	for _, input := range inputs {
		if b.Case.Node(input) == nil && b.Case.Input(input) == nil {
			panic(fmt.Sprintf("graph: node %s: there is no input %q", name, input))
		}
		shapes = append(shapes, b.Shape(input))
	}
	n.Shape = slices.Clone(row.Shape(&n, shapes))
	tensor.Size(n.Shape) // panics where the operator makes no such shape
	b.index[name] = len(b.Nodes)
	b.Nodes = append(b.Nodes, n)
	return name
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

func (b *Builder) mustBeNew(name string) {
	if name == "" || b.Case.Node(name) != nil || b.Case.Input(name) != nil {
		panic(fmt.Sprintf("graph: %q is no new name", name))
	}
}
