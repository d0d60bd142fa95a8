// Package autodiff writes a computation down as a graph, differentiates it, plans its memory and runs it.
//
// A Graph is a list of named nodes, each one operator applied to earlier ones,
//
//	x := g.Input("x", 8, 3, 32, 32)
//	y := autodiff.ReLU(autodiff.Analysis(x, w, conv.Geometry{Padding: 1}))
//
// and holds no numbers. Backward appends, by the chain rule
//
//	dx = sum over the uses y = f(x, ...) of (df/dx)* dy ,
//
// the nodes of a gradient to the same graph. A Plan is a graph and the outputs wanted of it: what is computed when and in which
// memory. A Program runs a plan in float32 or float64, as often as one likes; the second run allocates nothing.
//
// Each operator is one file: formula, shapes, kernel, pullback. The package is for people who train networks or unrolled
// solvers, and for those who judge, export or show them. It knows nothing of layers, sparse coding or optimisers.
package autodiff

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sdref/conv"
	"sdref/internal/misuse"
	"sdref/tensor"
)

// Graph is a computation: inputs, and nodes in an order in which they can be computed. It belongs to one goroutine while it
// grows, and may be shared after that.
type Graph struct {
	Inputs []*Node
	Nodes  []*Node // inputs not among them

	names map[string]*Node
}

// NewGraph returns an empty graph.
func NewGraph() *Graph { return &Graph{names: map[string]*Node{}} }

// Node is an input, or one operator applied to earlier nodes.
type Node struct {
	Name   string
	Op     *Op     // nil for an input
	Inputs []*Node // what the operator is applied to
	Attrs  Attrs   // the operator's settings
	Shape  []int   // of the value; may not be changed
	Place          // where it belongs; of an input only the quantity, its name

	graph    *Graph
	number   int  // among all nodes of the graph, inputs included
	gradient bool // Backward appended it
}

// Attrs are an operator's settings; one that is left out is 0.
type Attrs map[string]float64

// Place says where a node belongs, for reports.
type Place struct {
	Layer     string // empty where there is one place only
	Iteration int    // of FISTA or power iteration, from 1; 0 outside of both
	Quantity  string // what the value is called there
}

// String is LAYER/ITERATION/QUANTITY, parts that are empty left out: the name of the node.
func (p Place) String() string {
	name := p.Quantity
	if p.Iteration > 0 {
		name = strconv.Itoa(p.Iteration) + "/" + name
	}
	if p.Layer != "" {
		name = p.Layer + "/" + name
	}
	return name
}

// Input appends an input of the given shape, which a Program gets when it runs.
func (g *Graph) Input(name string, shape ...int) *Node {
	tensor.Size(shape) // panics if it is none
	n := &Node{Shape: slices.Clone(shape), Place: Place{Quantity: name}}
	g.add(n, name)
	g.Inputs = append(g.Inputs, n)
	return n
}

// Apply appends an operator applied to nodes of the graph, at least one, under a name made of the operator's and a number; see
// At. Operators of this package have functions for it. Shapes that do not fit are a panic with a *ShapeError.
func Apply(op *Op, a Attrs, inputs ...*Node) *Node {
	if i := slices.Index(inputs, nil); i >= 0 {
		panic(misuse.Errorf("autodiff: input %d of %s is nil, as is the gradient that Backward starts from without a seed", i, op.Name))
	}
	g := inputs[0].graph
	n := &Node{Op: op, Inputs: inputs, Attrs: a}
	n.Quantity = fmt.Sprintf("%s_%d", op.Name, len(g.Nodes)+1)
	for _, in := range inputs {
		if in.graph != g {
			panic(&ShapeError{Node: n.Quantity, Op: op.Name, Shapes: shapesOf(inputs), Why: "the inputs belong to different graphs"})
		}
	}
	shape, err := op.Shape(n)
	if err != nil {
		panic(&ShapeError{Node: n.Quantity, Op: op.Name, Shapes: shapesOf(inputs), Why: err.Error()})
	}
	n.Shape = slices.Clone(shape)
	g.add(n, n.Quantity)
	g.Nodes = append(g.Nodes, n)
	return n
}

func (g *Graph) add(n *Node, name string) {
	n.graph, n.number = g, len(g.Inputs)+len(g.Nodes)
	g.name(n, name)
}

func (g *Graph) name(n *Node, name string) {
	if name == "" || g.names[name] != nil {
		panic(misuse.Errorf("autodiff: %q is no new name for a node", name))
	}
	delete(g.names, n.Name)
	n.Name = name
	g.names[name] = n
}

// At gives the node its place, and the name that this makes, and returns it.
func (n *Node) At(layer string, iteration int, quantity string) *Node {
	n.Place = Place{layer, iteration, quantity}
	n.graph.name(n, n.Place.String())
	return n
}

// Graph is the graph that the node belongs to.
func (n *Node) Graph() *Graph { return n.graph }

// Node returns the node or input of that name, nil if there is none.
func (g *Graph) Node(name string) *Node { return g.names[name] }

// String is a line such as "conv1/y = analysis(x, conv1.weight; padding 1) [8 64 32 32]".
func (n *Node) String() string {
	if n.Op == nil {
		return fmt.Sprintf("%s %v", n.Name, n.Shape)
	}
	var names, settings []string
	for _, in := range n.Inputs {
		names = append(names, in.Name)
	}
	for _, key := range slices.Sorted(maps.Keys(n.Attrs)) {
		settings = append(settings, fmt.Sprintf("%s %g", key, n.Attrs[key]))
	}
	list := strings.Join(names, ", ")
	if settings != nil {
		list += "; " + strings.Join(settings, ", ")
	}
	return fmt.Sprintf("%s = %s(%s) %v", n.Name, n.Op.Name, list, n.Shape)
}

// Int is a setting that is a whole number.
func (n *Node) Int(name string) int { return int(n.Attrs[name]) }

// Geometry reads the settings of a convolution.
func (n *Node) Geometry() conv.Geometry {
	return conv.Geometry{Stride: n.Int("stride"), Padding: n.Int("padding"), Dilation: n.Int("dilation"),
		Algorithm: conv.Algorithm(n.Int("algorithm"))}
}

// ShapeError is the value of the panic for operands that do not fit an operator: a mistake of whoever builds the graph.
type ShapeError struct {
	Node   string // the name that the node would have had, or has
	Op     string
	Shapes [][]int // of the inputs
	Why    string
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("autodiff: node %s: %s of shapes %v: %s", e.Node, e.Op, e.Shapes, e.Why)
}

func shapesOf(nodes []*Node) (list [][]int) {
	for _, n := range nodes {
		list = append(list, n.Shape)
	}
	return list
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
