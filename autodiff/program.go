package autodiff

import (
	"slices"
	"sync/atomic"

	"sdref/conv"
	"sdref/internal/kernel"
	"sdref/internal/misuse"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Program runs a plan in one type. It belongs to one goroutine at a time; its steps spread over goroutines. A Run while another one
// is under way is a panic, not a wrong answer. Programs of one plan may run at the same time if their arenas differ.
type Program[T tensor.Float] struct {
	Plan *Plan
	// Observe, if set, is shown the plan's watched nodes as soon as they are computed. The tensor is valid during the call only.
	Observe func(n *Node, value *tensor.Tensor[T])
	// Workers is the greatest number of goroutines that a run uses, beside GOMAXPROCS; 0 is no other. The bits are the same.
	Workers int

	arena   *tensor.Arena[T]
	content map[*Value]*content[T]
	memory  map[*Buffer]*tensor.Tensor[T] // of the buffers in use
	steps   []*action[T]
	given   []*Value
	waiting []*Value // those that wait in a packed form
	running atomic.Bool
}

// content is a value as it stands.
type content[T tensor.Float] struct {
	tensor      tensor.Tensor[T]
	wide, terms []float64
	packed      *packed[T]
	bound       bool // an input that has been set
}

// action is a step with all that running it needs.
type action[T tensor.Float] struct {
	*Step
	calls   []*Call[T]
	kernels []*Kernel[T]
	then    conv.Then // what follows on the planes of the first operator
}

// NewProgram returns a program that takes its memory from arena.
func NewProgram[T tensor.Float](p *Plan, arena *tensor.Arena[T]) *Program[T] {
	r := &Program[T]{Plan: p, arena: arena, content: map[*Value]*content[T]{}, memory: map[*Buffer]*tensor.Tensor[T]{}}
	for _, n := range p.Graph.Inputs {
		if v := p.values[n]; v != nil {
			r.given = append(r.given, v)
		}
	}
	for _, s := range p.Steps {
		a := &action[T]{Step: s}
		for _, v := range s.Values {
			k := kernelOf[T](v.Node.Op)
			if k.Whole == nil && k.Contract == nil && k.Each == nil {
				panic(misuse.Errorf("autodiff: operator %s has no kernel for this type", v.Node.Op.Name))
			}
			a.calls = append(a.calls, r.call(v))
			a.kernels = append(a.kernels, k)
			if v.How == Packed {
				r.waiting = append(r.waiting, v)
			}
		}
		first := 1
		if a.kernels[0].Each != nil {
			first = 0
		}
		if len(a.calls) > first {
			a.then = a.follow(a.calls[first:], a.kernels[first:])
		}
		r.steps = append(r.steps, a)
	}
	return r
}

// follow applies elementwise operators one after the other to a range.
func (a *action[T]) follow(calls []*Call[T], kernels []*Kernel[T]) conv.Then {
	return func(channel, lo, hi int) {
		for i, c := range calls {
			kernels[i].Each(c, channel, lo, hi)
		}
	}
}

// call is the computation of a value.
func (r *Program[T]) call(v *Value) *Call[T] {
	c := r.of(v)
	call := &Call[T]{Node: v.Node, Out: &c.tensor, arena: r.arena, Wide: c.wide, Terms: c.terms}
	for _, in := range v.In {
		i := r.of(in)
		call.In = append(call.In, &i.tensor)
		call.wide = append(call.wide, i.wide)
		call.terms = append(call.terms, i.terms)
	}
	return call
}

// of is the content of a value, made when it is first asked for.
func (r *Program[T]) of(v *Value) *content[T] {
	c := r.content[v]
	if c == nil {
		c = &content[T]{tensor: tensor.Tensor[T]{Shape: v.Node.Shape}}
		if n := v.Node; n.Op != nil && n.Op.Wide {
			c.tensor.Data = make([]T, tensor.Size(n.Shape))
			c.wide, c.terms = make([]float64, len(c.tensor.Data)), make([]float64, len(c.tensor.Data))
		}
		r.content[v] = c
	}
	return c
}

// Set gives an input its value for all runs from now on: the tensor itself, not a copy, which each run reads when it runs. Inputs that
// the plan does not need are ignored. It panics with a *ShapeError for another shape than the graph says.
func (r *Program[T]) Set(input *Node, t *tensor.Tensor[T]) {
	v := r.Plan.values[input]
	if v == nil || v.How != Given {
		return
	}
	if !slices.Equal(t.Shape, input.Shape) || len(t.Data) != tensor.Size(t.Shape) {
		panic(&ShapeError{Node: input.Name, Op: "input", Shapes: [][]int{input.Shape, t.Shape}, Why: "the graph was built for the first"})
	}
	c := r.of(v)
	c.tensor.Data, c.bound = t.Data, true
	if c.wide != nil { // a number until now
		c.wide = nil
		r.rewire()
	}
	for out, in := range r.Plan.updates {
		if in == v {
			r.of(out).tensor.Data = t.Data
		}
	}
}

// SetNumber gives an input of one element its value, with every digit where operators can use it.
func (r *Program[T]) SetNumber(input *Node, x float64) {
	v := r.Plan.values[input]
	if v == nil || v.How != Given {
		return
	}
	if tensor.Size(input.Shape) != 1 {
		panic(&ShapeError{Node: input.Name, Op: "input", Shapes: [][]int{input.Shape}, Why: "a number has one element"})
	}
	c := r.of(v)
	if c.wide == nil {
		c.wide, c.tensor.Data, c.bound = make([]float64, 1), make([]T, 1), true
		r.rewire()
	}
	c.wide[0], c.tensor.Data[0] = x, T(x)
}

// rewire tells the calls which inputs are wide.
func (r *Program[T]) rewire() {
	for _, a := range r.steps {
		for i, v := range a.Values {
			for k, in := range v.In {
				a.calls[i].wide[k] = r.of(in).wide
			}
		}
	}
}

// Value is the value of an output, valid until the next run or Release.
func (r *Program[T]) Value(n *Node) *tensor.Tensor[T] {
	v := r.Plan.values[n]
	if v == nil || !r.Plan.isOutput(v) {
		panic(misuse.Errorf("autodiff: %s is no output of the plan", n.Name))
	}
	return &r.of(v).tensor
}

// Number is the value of an output of one element, with every digit.
func (r *Program[T]) Number(n *Node) float64 {
	t := r.Value(n)
	if c := r.content[r.Plan.values[n]]; c.wide != nil {
		return c.wide[0]
	}
	return float64(t.Data[0])
}

// Release gives the outputs' memory back to the arena.
func (r *Program[T]) Release() {
	for b, t := range r.memory {
		r.arena.Put(t)
		delete(r.memory, b)
	}
	for _, v := range r.waiting { // of a run that a panic ended
		if c := r.of(v); c.packed != nil {
			r.arena.Put(c.packed.memory)
			c.packed = nil
		}
	}
}

// Run computes all outputs from the inputs as they are now. It panics if one has not been set.
func (r *Program[T]) Run() {
	if !r.running.CompareAndSwap(false, true) {
		panic(misuse.Errorf("autodiff: a program was run by two goroutines at once; each needs one of its own"))
	}
	defer r.running.Store(false)
	r.Release()
	for _, v := range r.given {
		if !r.of(v).bound {
			panic(misuse.Errorf("autodiff: input %s has not been set", v.Node.Name))
		}
	}
	set := kernel.Active[T]()
	for _, a := range r.steps {
		for _, b := range a.alloc {
			r.allocate(b)
		}
		r.run(a, set)
		for _, b := range a.free {
			r.free(b)
		}
	}
}

// allocate gives a buffer memory; that of an input has it, and what is unpacked takes it itself.
func (r *Program[T]) allocate(b *Buffer) {
	if b.input || b.Values[0].How == Unpacked {
		return
	}
	r.place(b, r.arena.Get(b.Size))
}

// place lets a buffer's values lie in t.
func (r *Program[T]) place(b *Buffer, t *tensor.Tensor[T]) {
	r.memory[b] = t
	for _, v := range b.Values {
		r.of(v).tensor.Data = t.Data
	}
}

func (r *Program[T]) free(b *Buffer) {
	if t := r.memory[b]; t != nil {
		r.arena.Put(t)
		delete(r.memory, b)
	}
}

// run computes a step.
func (r *Program[T]) run(a *action[T], set *kernel.Set[T]) {
	switch v := a.Values[0]; v.How {
	case Packed:
		r.pack(v, set)
		return
	case Unpacked:
		r.unpack(v, set)
		return
	}
	for i, c := range a.calls {
		c.set, c.Workers = set, r.Workers
		if begin := a.kernels[i].Begin; begin != nil {
			begin(c)
		}
	}
	switch first := a.kernels[0]; {
	case a.Pair != nil:
		pairKernel[T](a.Pair)(a.calls[0], a.calls[1])
	case first.Whole != nil:
		first.Whole(a.calls[0])
	case first.Contract != nil:
		first.Contract(a.calls[0], a.then)
	case len(a.calls[0].Shape) > 2:
		a.then.All(a.calls[0].Shape, r.Workers)
	default:
		parallel.Limit(r.Workers).Ranges(a.calls[0].Out.Len(), tensor.Grain, func(lo, hi int) { a.then(0, lo, hi) })
	}
	for i, c := range a.calls {
		for k, x := range c.Wide {
			c.Out.Data[k] = T(x)
		}
		if v := a.Values[i]; r.Observe != nil && r.Plan.shown(v) {
			r.Observe(v.Node, c.Out)
		}
	}
}
