package autodiff

import (
	"slices"

	"sdref/tensor"
)

// Plan says how a graph is computed: which nodes, in which order, what is computed together, and in which memory. It is made of
// the graph and what is wanted of it, holds no numbers, and serves programs of both types.
//
// The memory of a training step is mostly what the gradient will read again. So a value that is cheap to compute again is computed
// again (Op.Cheap), and one that is mostly zeros waits in a packed form (Op.Sparse).
type Plan struct {
	Graph *Graph
	Steps []*Step

	values  map[*Node]*Value // the first value of each node or input
	outputs []*Value
	updates map[*Value]*Value
	buffers []*Buffer
	watched map[*Node]bool
}

// Wanted is what a plan is made for.
type Wanted struct {
	Outputs []*Node // their values are there after a run
	// Watched nodes are shown to the program's Observe as soon as they are computed; their memory may serve others after that.
	Watched []*Node
	// Updates maps outputs to inputs whose memory they overwrite, as an optimiser's step does with weights. The output's operator
	// must be able to (Op.Overwrites), and nothing may read the input later.
	Updates map[*Node]*Node
}

// How says how a value comes about.
type How int

const (
	Given    How = iota // an input
	Computed            // by its node's operator
	Again               // the same once more, for the gradient
	Packed              // kept as a mask and the elements that are not zero
	Unpacked            // made of that
)

func (h How) String() string {
	return [...]string{"given", "computed", "again", "packed", "unpacked"}[h]
}

// Value is one value of a plan: a node's, or the same again.
type Value struct {
	Node   *Node
	How    How
	In     []*Value // what it is made of
	Buffer *Buffer  // nil for wide values and packed ones, which have memory of their own

	late   bool // for the gradient
	step   *Step
	uses   []*Value // the values made of it
	number int      // the place in the list of values, or that of the value it was put before
	anchor *Value   // which that was; nil for most
}

// Step computes one or more values in a pass: an operator, those that follow it on each of its planes, or two of a Pair.
type Step struct {
	Values []*Value
	Pair   *Pair // nil for most

	at    int       // its place in the plan
	alloc []*Buffer // that begin here
	free  []*Buffer // that end here
}

// Buffer is memory that holds one value after the other.
type Buffer struct {
	Values      []*Value
	Size        int // elements
	First, Last int // places of the steps from and to which it is needed; Last is -1 for outputs, which stay
	input       bool
}

// NewPlan plans the computation of the wanted nodes, which must be of one graph. Updates that are not possible are a panic.
func NewPlan(w Wanted) *Plan {
	p := &Plan{values: map[*Node]*Value{}, updates: map[*Value]*Value{}, watched: map[*Node]bool{}}
	all := slices.Concat(w.Outputs, w.Watched)
	p.Graph = all[0].graph
	for _, n := range w.Watched {
		p.watched[n] = true
	}
	list := p.selectNodes(all)
	for _, n := range w.Outputs {
		p.outputs = append(p.outputs, p.values[n])
	}
	for out, in := range w.Updates {
		v := p.values[out]
		if v == nil || p.isOutput(p.values[in]) {
			panic(cannotOverwrite(out, in))
		}
		p.updates[v] = p.given(in)
	}
	list = splitSums(list)
	for _, v := range list {
		v.link()
	}
	list = p.recompute(list)
	list = p.pack(list)
	p.schedule(list)
	p.assign()
	return p
}

// selectNodes lists the values that the nodes need, in the order of the graph.
func (p *Plan) selectNodes(nodes []*Node) (list []*Value) {
	needed := map[*Node]bool{}
	for _, n := range nodes {
		needed[n] = true
	}
	for _, n := range slices.Backward(p.Graph.Nodes) {
		if needed[n] {
			for _, in := range n.Inputs {
				needed[in] = true
			}
		}
	}
	for _, n := range p.Graph.Inputs {
		if needed[n] {
			p.given(n)
		}
	}
	for _, n := range p.Graph.Nodes {
		if !needed[n] {
			continue
		}
		v := &Value{Node: n, How: Computed, late: n.gradient}
		for _, in := range n.Inputs {
			v.In = append(v.In, p.values[in])
		}
		p.values[n] = v
		list = append(list, v)
	}
	return list
}

// given is the value of an input.
func (p *Plan) given(n *Node) *Value {
	if p.values[n] == nil {
		p.values[n] = &Value{Node: n, How: Given}
	}
	return p.values[n]
}

// size is the number of elements.
func (v *Value) size() int { return tensor.Size(v.Node.Shape) }

// isOutput tells whether the value is to be there after a run.
func (p *Plan) isOutput(v *Value) bool { return slices.Contains(p.outputs, v) }

// shown tells whether the value is a watched node's: neither part of its sum nor the same again.
func (p *Plan) shown(v *Value) bool { return p.watched[v.Node] && v == p.values[v.Node] }
