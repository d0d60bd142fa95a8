package autodiff

import (
	"fmt"
	"slices"

	"sdref/internal/misuse"
)

// Gradient is a reverse sweep under way: what pullbacks append to.
type Gradient struct {
	graph  *Graph
	wanted map[*Node]bool    // nodes on which a wanted one has an influence
	uses   map[*Node]int     // gradients that a node will get
	parts  map[*Node][]*Node // gradients that it has got
	shared map[string]*Node  // what Once has made
}

// Backward appends the gradient of <seed, from> with respect to each wanted input or node, by reverse differentiation, and
// returns the gradients, named "grad/" and the name. A nil seed stands for 1 and needs a loss, of one element. A node that is used more
// than once gets one gradient from each use, "grad/NAME/USER", and their sum, in the order in which the sweep meets the uses: the
// last one first. It panics if no gradient reaches a wanted node.
func Backward(from, seed *Node, wanted ...*Node) []*Node {
	g := from.graph
	b := &Gradient{graph: g, wanted: map[*Node]bool{}, uses: map[*Node]int{}, parts: map[*Node][]*Node{},
		shared: map[string]*Node{}}
	for _, n := range wanted {
		b.wanted[n] = true
	}
	forward := slices.Clone(g.Nodes)
	for _, n := range forward {
		b.wanted[n] = b.wanted[n] || n.Op.Pull != nil && slices.ContainsFunc(n.Inputs, func(in *Node) bool { return b.wanted[in] })
	}
	if seed == nil && len(from.Shape) != 0 {
		panic(&ShapeError{Node: from.Name, Op: "Backward", Shapes: [][]int{from.Shape}, Why: "a loss without a seed must be a number"})
	}
	if seed != nil && !slices.Equal(seed.Shape, from.Shape) {
		panic(&ShapeError{Node: from.Name, Op: "Backward", Shapes: [][]int{from.Shape, seed.Shape}, Why: "the seed must have the shape of the value"})
	}
	before := len(g.Nodes)
	b.count(from, forward)
	b.parts[from] = []*Node{seed}
	for _, n := range slices.Backward(forward) {
		if len(b.parts[n]) > 0 {
			b.pull(n)
		}
	}
	gradients := make([]*Node, len(wanted))
	for i, n := range wanted {
		if gradients[i] = b.total(n); gradients[i] == nil || gradients[i].Name != "grad/"+n.Name {
			gradients[i] = b.named(Add(b.Seed(n, gradients[i])), "grad/"+n.Name, Place{Quantity: "gradient of " + n.Name})
		}
	}
	for _, n := range g.Nodes[before:] {
		n.gradient = true
	}
	return gradients
}

// flows tells whether a gradient goes from n to one of its inputs.
func (b *Gradient) flows(n *Node, i int) bool {
	return n.Op.Pull != nil && b.wanted[n.Inputs[i]] && !slices.Contains(n.Op.Constants, i)
}

// Wanted tells whether the gradient of input i of n is.
func (b *Gradient) Wanted(n *Node, i int) bool { return b.flows(n, i) }

// count finds out how many gradients each node will get.
func (b *Gradient) count(from *Node, forward []*Node) {
	b.uses[from] = 1
	for _, n := range slices.Backward(forward) {
		if b.uses[n] == 0 {
			continue
		}
		for i, in := range n.Inputs {
			if b.flows(n, i) {
				b.uses[in]++
			}
		}
	}
}

// pull hands a node's gradient on to its inputs.
func (b *Gradient) pull(n *Node) {
	dy := b.total(n)
	for i, in := range n.Inputs {
		if b.flows(n, i) {
			b.parts[in] = append(b.parts[in], n.Op.Pull(b, n, i, dy))
		}
	}
}

// total is the sum of the gradients that a node has got.
func (b *Gradient) total(n *Node) *Node {
	parts := b.parts[n]
	switch len(parts) {
	case 0:
		panic(misuse.Errorf("autodiff: no gradient reaches %s", n.Name))
	case 1:
		return parts[0]
	}
	at := Place{Quantity: "gradient of " + n.Name}
	if n.Op != nil {
		at = Place{n.Layer, n.Iteration, "gradient of " + n.Quantity}
	}
	for i, part := range parts {
		parts[i] = b.Seed(n, part) // one of them can be the loss's own
	}
	sum := b.named(Add(parts...), "grad/"+n.Name, at)
	b.parts[n] = []*Node{sum}
	return sum
}

// For names a gradient as that of input i of n which comes from its use by n, and returns it.
func (b *Gradient) For(n *Node, i int, gradient *Node) *Node {
	in := n.Inputs[i]
	return b.named(gradient, b.nameFor(n, i), Place{n.Layer, n.Iteration, "gradient of " + in.Quantity})
}

// nameFor is the name of the gradient of input i that comes from its use by n; with the number of the input, if n has used the same
// node for an earlier one.
func (b *Gradient) nameFor(n *Node, i int) string {
	name := "grad/" + n.Inputs[i].Name
	if b.uses[n.Inputs[i]] > 1 {
		name += "/" + n.Name
	}
	if slices.Index(n.Inputs, n.Inputs[i]) < i {
		name += fmt.Sprintf("/%d", i+1)
	}
	return name
}

// once returns the gradient that make makes, named as For does, and the same when it is asked for again.
func (b *Gradient) once(n *Node, i int, make func() *Node) *Node {
	return b.share(b.nameFor(n, i), func() *Node { return b.For(n, i, make()) })
}

// Once is the node that make makes, named "grad/NAME/QUANTITY" after n, the same for all inputs: what the pullbacks of several share.
func (b *Gradient) Once(n *Node, quantity string, make func() *Node) *Node {
	name := "grad/" + n.Name + "/" + quantity
	return b.share(name, func() *Node { return b.named(make(), name, Place{n.Layer, n.Iteration, quantity}) })
}

// share is the node that make has made under this name in this sweep, not in an earlier one of another seed.
func (b *Gradient) share(name string, make func() *Node) *Node {
	if b.shared[name] == nil {
		b.shared[name] = make()
	}
	return b.shared[name]
}

func (b *Gradient) named(n *Node, name string, at Place) *Node {
	b.graph.name(n, name)
	n.Place = at
	return n
}
