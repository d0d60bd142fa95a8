package graph

import "slices"

// Gradient is a backward pass under construction: what operators' Pull functions append to.
type Gradient struct {
	b      *Builder
	wanted map[string]bool     // names that a wanted input has an influence on
	uses   map[string]int      // gradients that a name will get
	parts  map[string][]string // gradients that it has got
}

// Backward appends the gradient of <seed, from> for each wanted input or node, by reverse differentiation, and returns the names
// of the gradients: "grad/" and the name. With no seed, from is a loss. A name that is used more than once gets one gradient from
// each use, "grad/NAME/USER", and their sum.
func (b *Builder) Backward(from, seed string, wanted ...string) []string {
	g := &Gradient{b: b, wanted: map[string]bool{}, uses: map[string]int{}, parts: map[string][]string{}}
	for _, name := range wanted {
		g.wanted[name] = true
	}
	forward := len(b.Nodes)
	for i := range forward {
		n := &b.Nodes[i]
		g.wanted[n.Name] = g.wanted[n.Name] || slices.ContainsFunc(n.Inputs, func(in string) bool { return g.flows(n, in) })
	}
	g.count(from)
	g.parts[from] = []string{seed}
	for i := forward - 1; i >= 0; i-- {
		if n := b.Nodes[i]; len(g.parts[n.Name]) > 0 { // a copy: the slice grows
			g.pull(&n)
		}
	}
	names := make([]string, len(wanted))
	for i, name := range wanted {
		if names[i] = g.total(name); names[i] != "grad/"+name {
			names[i] = b.append("add", "grad/"+name, Place{Quantity: "gradient of " + name}, nil, names[i])
		}
	}
	return names
}

// flows tells whether a gradient goes from n to its input.
func (g *Gradient) flows(n *Node, input string) bool {
	op := Lookup(n.Op)
	return op.Pull != nil && g.wanted[input] && !slices.Contains(op.Constant, slices.Index(n.Inputs, input))
}

// count finds out how many gradients each name will get.
func (g *Gradient) count(from string) {
	g.uses[from] = 1
	for i := len(g.b.Nodes) - 1; i >= 0; i-- {
		n := &g.b.Nodes[i]
		if g.uses[n.Name] == 0 {
			continue
		}
		for _, input := range n.Inputs {
			if g.flows(n, input) {
				g.uses[input]++
			}
		}
	}
}

// pull hands a node's gradient on to its inputs.
func (g *Gradient) pull(n *Node) {
	dy := g.total(n.Name)
	for i, input := range n.Inputs {
		if g.flows(n, input) {
			g.parts[input] = append(g.parts[input], Lookup(n.Op).Pull(g, n, i, dy))
		}
	}
}

// total is the sum of the gradients that a name has got.
func (g *Gradient) total(name string) string {
	parts := g.parts[name]
	switch len(parts) {
	case 0:
		panic("graph: no gradient reaches " + name)
	case 1:
		return parts[0]
	}
	at := Place{Quantity: "gradient of " + name}
	if n := g.b.Case.Node(name); n != nil {
		at = Place{n.Layer, n.Iteration, "gradient of " + n.Quantity}
	}
	sum := g.b.append("add", "grad/"+name, at, nil, parts...)
	g.parts[name] = []string{sum}
	return sum
}

// gradientPlace is the name and place of one gradient.
type gradientPlace struct {
	name string
	at   Place
}

// toward is where the gradient of input belongs that comes from its use by n.
func (g *Gradient) toward(input string, n *Node) gradientPlace {
	quantity := input
	if of := g.b.Case.Node(input); of != nil {
		quantity = of.Quantity
	}
	name := "grad/" + input
	if g.uses[input] > 1 {
		name += "/" + n.Name
	}
	return gradientPlace{name, Place{n.Layer, n.Iteration, "gradient of " + quantity}}
}

func (g *Gradient) node(op string, to gradientPlace, a Attrs, inputs ...string) string {
	return g.b.append(op, to.name, to.at, a, inputs...)
}

// once is node, unless it has been appended before.
func (g *Gradient) once(op string, to gradientPlace, a Attrs, inputs ...string) string {
	if g.b.Case.Node(to.name) != nil {
		return to.name
	}
	return g.node(op, to, a, inputs...)
}

func (g *Gradient) shape(name string) []int { return g.b.Shape(name) }
