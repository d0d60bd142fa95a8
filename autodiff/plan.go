package autodiff

import (
	"fmt"
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

// splitSums makes of a sum of more than two terms sums of two, and puts each as early as it can be: its terms need not wait in
// memory.
func splitSums(list []*Value) []*Value {
	at := map[*Value]int{}
	after := map[int][]*Value{} // what is put behind a place
	for i, v := range list {
		at[v] = i
		if v.Node.Op != addOp || len(v.In) < 2 {
			continue
		}
		put := func(sum *Value) {
			at[sum] = max(at[sum.In[0]], at[sum.In[1]])
			after[at[sum]] = append(after[at[sum]], sum)
		}
		for len(v.In) > 2 {
			sum := &Value{Node: v.Node, How: Computed, In: v.In[:2:2], late: v.late}
			put(sum)
			v.In = append([]*Value{sum}, v.In[2:]...)
		}
		put(v)
	}
	var split []*Value
	for i, v := range list {
		if v.Node.Op != addOp || len(v.In) < 2 {
			split = append(split, v)
		}
		split = append(split, after[i]...)
	}
	return split
}

// link enters v among the uses of what it is made of.
func (v *Value) link() {
	for _, in := range v.In {
		if !slices.Contains(in.uses, v) {
			in.uses = append(in.uses, v)
		}
	}
}

// usedLate tells whether the gradient's part reads v.
func (v *Value) usedLate() bool {
	return slices.ContainsFunc(v.uses, func(u *Value) bool { return u.late })
}

// insertions are values to be put into a list.
type insertions struct {
	list          []*Value
	before, after map[*Value][]*Value
}

// insertInto returns no insertions into a list, whose values it numbers.
func insertInto(list []*Value) *insertions {
	for i, v := range list {
		v.number, v.anchor = i, nil
	}
	return &insertions{list, map[*Value][]*Value{}, map[*Value][]*Value{}}
}

// done is the list with all that was inserted.
func (i *insertions) done() (list []*Value) {
	for _, v := range i.list {
		list = append(append(append(list, i.before[v]...), v), i.after[v]...)
	}
	return list
}

// beforeUse puts values before the first late use of v, and lets all late uses read the last of them instead.
func (i *insertions) beforeUse(v *Value, values []*Value) {
	instead := values[len(values)-1]
	var rest []*Value
	for _, u := range v.uses {
		if !u.late {
			rest = append(rest, u)
			continue
		}
		for k, in := range u.In {
			if in == v {
				u.In[k] = instead
			}
		}
		instead.uses = append(instead.uses, u)
	}
	v.uses = rest
	for _, n := range values {
		n.link()
	}
	first := slices.MinFunc(instead.uses, i.compare)
	anchor := first
	if first.anchor != nil {
		anchor = first.anchor
	}
	for _, n := range values {
		n.number, n.anchor = anchor.number, anchor
	}
	at := len(i.before[anchor])
	if first != anchor {
		at = slices.Index(i.before[anchor], first)
	}
	i.before[anchor] = slices.Insert(i.before[anchor], at, values...)
}

// compare orders values as they will stand in the list.
func (i *insertions) compare(u, v *Value) int {
	switch {
	case u.number != v.number:
		return u.number - v.number
	case u.anchor == nil:
		return 1
	case v.anchor == nil:
		return -1
	}
	list := i.before[u.anchor]
	return slices.Index(list, u) - slices.Index(list, v)
}

// recompute lets the gradient's part compute again what is cheap, just before it is first read there.
func (p *Plan) recompute(list []*Value) []*Value {
	i := insertInto(list)
	for _, v := range list {
		if v.late || p.isOutput(v) || !v.usedLate() {
			continue
		}
		recipe := p.recipe(v)
		if recipe == nil {
			continue
		}
		again := map[*Value]*Value{}
		var copies []*Value
		for _, r := range recipe {
			c := &Value{Node: r.Node, How: Again, late: true}
			for _, in := range r.In {
				if again[in] != nil {
					in = again[in]
				}
				c.In = append(c.In, in)
			}
			again[r] = c
			copies = append(copies, c)
		}
		i.beforeUse(v, copies)
	}
	return i.done()
}

// recipe lists what is to be computed again to have v again, ending with v; nil if that is not cheap: an operator that is, and
// elementwise ones that follow it and nothing else. All that they read is there for other reasons, as inputs or for the gradient.
func (p *Plan) recipe(v *Value) []*Value {
	if v.How != Computed {
		return nil
	}
	op := v.Node.Op
	var before []*Value
	var from *Value
	if op.Cheap == nil || !op.Cheap(v.Node) {
		if !op.elementwise() || op.Sparse {
			return nil
		}
		for _, i := range op.Overwrites {
			if i < len(v.In) && len(v.In[i].uses) == 1 && !p.isOutput(v.In[i]) {
				if before = p.recipe(v.In[i]); before != nil {
					from = v.In[i]
					break
				}
			}
		}
		if from == nil {
			return nil
		}
	}
	for i, in := range v.In {
		there := in == from || in.How == Given || in.size() < v.size()/8 || in.usedLate()
		// A normalisation costs as much as reading one more operand, which is not worth the memory saved.
		if !there || from != nil && in != from && i < op.Aligned && before[0].Node.Op == batchNormOp {
			return nil
		}
	}
	return append(before, v)
}

// pack lets sparse values wait for the gradient in a packed form.
func (p *Plan) pack(list []*Value) []*Value {
	i := insertInto(list)
	for _, v := range list {
		if v.late || !v.Node.Op.Sparse || p.isOutput(v) || !v.usedLate() {
			continue
		}
		last, late := v, len(list) // the last early use, the first late one
		for _, u := range v.uses {
			if u.late {
				late = min(late, u.number)
			} else if u.number > last.number {
				last = u
			}
		}
		if last.number > late {
			continue // what follows on the gradient needs it, too
		}
		packed := &Value{Node: v.Node, How: Packed, In: []*Value{v}}
		i.beforeUse(v, []*Value{{Node: v.Node, How: Unpacked, In: []*Value{packed}, late: true}})
		packed.link()
		i.after[last] = append(i.after[last], packed)
	}
	return i.done()
}

// schedule makes steps of the values. What is packed is packed when the step is over in which it was read last.
func (p *Plan) schedule(list []*Value) {
	var packed []*Value
	for _, v := range list {
		if v.How == Packed {
			packed = append(packed, v)
			continue
		}
		if s := p.joined(v); s != nil {
			s.Values = append(s.Values, v)
			v.step = s
			continue
		}
		for _, q := range append(packed, v) {
			q.step = &Step{Values: []*Value{q}, at: len(p.Steps)}
			p.Steps = append(p.Steps, q.step)
		}
		packed = nil
	}
	for i, s := range p.Steps {
		s.at = i
	}
}

// joined is the step that v can be computed in, moved to the end of the plan if it was not there; nil if there is none.
func (p *Plan) joined(v *Value) *Step {
	if v.How != Computed && v.How != Again {
		return nil
	}
	op := v.Node.Op
	if last := len(p.Steps) - 1; last >= 0 {
		if s := p.Steps[last]; s.Pair == nil && len(s.Values) == 1 {
			for _, pair := range pairs() {
				if first := s.Values[0]; first.How == v.How && pair.First == first.Node.Op && pair.Second == op && pair.Fits(first.Node, v.Node) {
					s.Pair = pair
					return s
				}
			}
		}
	}
	if !op.elementwise() {
		return nil
	}
	var best *Step
	for _, in := range v.In[:min(op.Aligned, len(v.In))] {
		s := in.step
		if s != nil && s.open(in, v) && (best == nil || s.at > best.at) && (s.at == len(p.Steps)-1 || p.movable(s)) {
			best = s
		}
	}
	if best != nil && best.at != len(p.Steps)-1 {
		from := best.at
		p.Steps = append(slices.Delete(p.Steps, from, from+1), best)
		for i, s := range p.Steps[from:] {
			s.at = from + i
		}
	}
	return best
}

// open tells whether v may follow on the planes, or ranges, of the step, which ends with the value in.
func (s *Step) open(in, v *Value) bool {
	first := s.Values[0]
	if s.Pair != nil || s.Values[len(s.Values)-1] != in || first.How == Packed || first.How == Unpacked {
		return false
	}
	op := first.Node.Op
	if !op.elementwise() && (!op.contracts() || len(first.Node.Shape) < 3) {
		return false // it has no planes, or gives them all at once
	}
	for i, other := range v.In {
		if i >= v.Node.Op.Aligned && other.step == s {
			return false // it must be whole before
		}
	}
	return slices.Equal(in.Node.Shape, v.Node.Shape)
}

// movable tells whether nothing computed after the step reads what it computes, or packs what it reads.
func (p *Plan) movable(s *Step) bool {
	for _, v := range s.Values {
		for _, u := range v.uses {
			if u.step != nil && u.step != s {
				return false
			}
		}
		for _, in := range v.In {
			for _, u := range in.uses {
				if u.How == Packed && u.step != nil && u.step.at > s.at {
					return false
				}
			}
		}
	}
	return true
}

// assign gives the values memory.
func (p *Plan) assign() {
	for at, s := range p.Steps {
		for _, v := range s.Values {
			if v.Node.Op.Wide || v.How == Packed {
				continue
			}
			b := p.taken(v)
			if b == nil {
				b = &Buffer{Size: v.size(), First: at}
				p.buffers = append(p.buffers, b)
			}
			b.Values = append(b.Values, v)
			v.Buffer = b
		}
	}
	for out, in := range p.updates {
		if out.Buffer == nil || !out.Buffer.input || out.Buffer.Values[0] != in {
			panic(cannotOverwrite(out.Node, in.Node))
		}
	}
	for _, b := range p.buffers {
		b.Last = b.First
		for _, v := range b.Values {
			if p.isOutput(v) {
				b.Last = -1
				break
			}
			for _, u := range v.uses {
				b.Last = max(b.Last, u.step.at)
			}
			b.Last = max(b.Last, v.step.at)
		}
		p.Steps[b.First].alloc = append(p.Steps[b.First].alloc, b)
		if b.Last >= 0 {
			p.Steps[b.Last].free = append(p.Steps[b.Last].free, b)
		}
	}
}

func cannotOverwrite(out, in *Node) string {
	return fmt.Sprintf("autodiff: %s cannot overwrite %s", out.Name, in.Name)
}

// taken is the buffer of an operand that nobody reads any more when v is computed, if v can overwrite it.
func (p *Plan) taken(v *Value) *Buffer {
	if v.How != Computed && v.How != Again || len(v.Node.Op.Overwrites) == 0 {
		return nil
	}
	if in := p.updates[v]; in != nil {
		for _, i := range v.Node.Op.Overwrites {
			if v.In[i] == in && p.dies(in, v) {
				return &Buffer{Size: v.size(), Values: []*Value{in}, input: true}
			}
		}
		return nil
	}
	var best *Buffer
	for _, i := range v.Node.Op.Overwrites {
		if i >= len(v.In) {
			continue
		}
		in := v.In[i]
		if in.Buffer == nil || in.Buffer.input || in.size() != v.size() || p.isOutput(in) || p.shown(in) && in.step == v.step || !p.dies(in, v) {
			continue
		}
		if best == nil || in.step == v.step { // what is in the caches anyway
			best = in.Buffer
		}
	}
	return best
}

// dies tells whether v is the last to read in, and nobody reads more of it than v has overwritten.
func (p *Plan) dies(in, v *Value) bool {
	for _, u := range in.uses {
		if u == v || u.step.at < v.step.at {
			continue
		}
		if u.step != v.step {
			return false
		}
		// Within a step only elements at the same place are read, and before v's turn.
		place := slices.Index(v.step.Values, u)
		k := slices.Index(u.In, in)
		if place > slices.Index(v.step.Values, v) || !u.Node.Op.elementwise() || k >= u.Node.Op.Aligned {
			return false
		}
	}
	// What is an operand twice must be one that may be overwritten both times: Extrapolate reads its first one once more.
	for i, other := range v.In {
		if other == in && !slices.Contains(v.Node.Op.Overwrites, i) {
			return false
		}
	}
	return true
}
