// Package autodiff is reverse-mode differentiation of tensor operations: a value, the operations applied to it, and the
// chain rule backwards through them,
//
//	dx = sum over the uses y = f(x, ...) of (df/dx)* dy .
//
// Each operation is one file: formula, shapes, forward computation, pullbacks, what it saves. It is for people who train
// networks or unrolled solvers. It knows nothing of layers, sparse coding or optimisers.
//
// # Ownership
//
// An operation consumes its arguments: a value that is used again must be kept first,
//
//	h := autodiff.Add(f(x.Keep()), x)
//
// so that memory goes back to the arena as soon as nothing needs it, and operations work in place where nobody can tell.
// Leaves (parameters and inputs) are never consumed. A value used after it was consumed is a panic that says so.
package autodiff

import (
	"fmt"
	"slices"

	"sdref/tensor"
)

// Tape records operations so that Backward can run through them in reverse. It is used by one goroutine; the operations
// themselves spread over goroutines.
type Tape[T tensor.Float] struct {
	arena     *tensor.Arena[T]
	recording bool
	records   []record[T]
	leaves    []*Var[T] // those with a gradient, which Reset gives back
	kept      map[*Var[T]]bool
}

// NewTape returns a tape that takes its memory from arena.
func NewTape[T tensor.Float](arena *tensor.Arena[T]) *Tape[T] {
	return &Tape[T]{arena: arena, recording: true, kept: map[*Var[T]]bool{}}
}

// NoGrad returns a tape that records nothing: the same code then computes values only, and each intermediate value's memory
// is free again once it has been consumed.
func NoGrad[T tensor.Float](arena *tensor.Arena[T]) *Tape[T] {
	t := NewTape(arena)
	t.recording = false
	return t
}

// Var is a value on a tape. Its gradient belongs to it, not to the tensor.
type Var[T tensor.Float] struct {
	tape  *Tape[T]
	shape []int
	buf   *buffer[T]
	grad  *buffer[T]
	leaf  bool
	wants bool // a gradient is to be computed
	uses  int  // operations that may still consume it
}

// buffer is a tensor with the number of those who need it.
type buffer[T tensor.Float] struct {
	*tensor.Tensor[T]
	refs   int
	saves  int          // of these, those on behalf of pullbacks
	owned  bool         // by the arena
	todo   *deferred[T] // how to compute it, if that is not done
	again  *deferred[T] // how to compute it again, if that is cheap
	sparse bool         // perhaps: it is worth a try to pack it
	shape  []int        // of the tensor, while there is none
}

// Leaf returns a value whose gradient is wanted: a parameter. The tensor is used as it is and is never overwritten; the leaf
// outlives Reset, its gradient does not.
func (t *Tape[T]) Leaf(value *tensor.Tensor[T]) *Var[T] {
	v := t.Constant(value)
	v.wants = t.recording
	return v
}

// Constant returns a value whose gradient is not wanted: a batch of images. The tensor is never overwritten.
func (t *Tape[T]) Constant(value *tensor.Tensor[T]) *Var[T] {
	return &Var[T]{tape: t, shape: slices.Clone(value.Shape), buf: &buffer[T]{Tensor: value, refs: 1}, leaf: true}
}

// Value is the tensor behind v. It is valid until v is consumed.
func (v *Var[T]) Value() *tensor.Tensor[T] {
	v.mustLive()
	v.tape.settle(v.buf)
	return v.buf.Tensor
}

// Shape is the shape of the value, also after v was consumed.
func (v *Var[T]) Shape() []int { return v.shape }

// Tape is the tape that v is on.
func (v *Var[T]) Tape() *Tape[T] { return v.tape }

// Keep allows one more operation to consume v and returns v.
func (v *Var[T]) Keep() *Var[T] {
	v.mustLive()
	v.uses++
	return v
}

// Drop gives up a use of v: for a value that turned out not to be needed.
func (v *Var[T]) Drop() { v.consume() }

// Grad is the gradient that Backward left at v, nil if there is none. It is valid until the tape's Reset.
func (v *Var[T]) Grad() *tensor.Tensor[T] {
	if v.grad == nil {
		return nil
	}
	return v.grad.Tensor
}

func (v *Var[T]) mustLive() {
	if !v.leaf && v.uses <= 0 {
		panic("autodiff: a value was used after an operation had consumed it; call Keep before the first of several uses")
	}
}

func (v *Var[T]) consume() {
	v.mustLive()
	if v.leaf {
		return
	}
	if v.uses--; v.uses == 0 {
		delete(v.tape.kept, v)
		v.tape.release(v.buf)
	}
}

func (t *Tape[T]) newBuffer(shape ...int) *buffer[T] {
	return &buffer[T]{Tensor: t.arena.Get(shape...), refs: 1, owned: true}
}

func (t *Tape[T]) release(b *buffer[T]) {
	if b.refs--; b.refs > 0 {
		t.evict(b)
		return
	}
	t.forget(b.todo) // nobody wanted it
	t.forget(b.again)
	b.todo, b.again = nil, nil
	if b.owned && b.Tensor != nil {
		t.arena.Put(b.Tensor)
	}
}

func (t *Tape[T]) releaseAll(list []*buffer[T]) {
	for _, b := range list {
		t.release(b)
	}
}

// result returns a new value of the given shape with undefined contents.
func (t *Tape[T]) result(shape ...int) *Var[T] {
	return t.hold(t.newBuffer(shape...), shape)
}

// hold returns a value that owns one reference to buf.
func (t *Tape[T]) hold(buf *buffer[T], shape []int) *Var[T] {
	v := &Var[T]{tape: t, shape: slices.Clone(shape), buf: buf, uses: 1}
	t.kept[v] = true
	return v
}

// inPlace returns a value with the shape of its arguments that takes over the memory of the first argument that no one else
// needs, for an elementwise operation.
func (t *Tape[T]) inPlace(args ...*Var[T]) *Var[T] {
	for _, x := range args {
		x.mustLive()
		if !x.leaf && x.uses == 1 && x.buf.refs == 1 && x.buf.owned {
			x.buf.refs++
			x.tape.forget(x.buf.again)
			x.buf.again, x.buf.sparse = nil, false // it will hold something else
			return t.hold(x.buf, x.shape)
		}
	}
	return t.result(args[0].Shape()...)
}

// A pullback sets dst to (df/dx)* dy for one argument x. For operations marked elementwise dst may be dy. A nil pullback
// stands for the identity.
type pullback[T tensor.Float] func(dst, dy *tensor.Tensor[T])

// op is what an operation tells the tape: its arguments, a pullback for each, and the values that the pullbacks read.
type op[T tensor.Float] struct {
	args        []*Var[T]
	pulls       []pullback[T]
	saves       []*Var[T]
	elementwise bool
}

type record[T tensor.Float] struct {
	op[T]
	out   *Var[T]
	saved []*buffer[T]
}

// finish ends an operation: it records it, if anyone wants a gradient, and consumes the arguments.
func (t *Tape[T]) finish(out *Var[T], o op[T]) *Var[T] {
	for _, x := range o.args {
		if x.tape != t {
			panic("autodiff: the arguments of an operation belong to different tapes")
		}
		out.wants = out.wants || x.wants
	}
	if out.wants {
		r := record[T]{op: o, out: out}
		for _, s := range o.saves {
			r.saved = append(r.saved, s.buf)
		}
		save(r.saved)
		t.records = append(t.records, r)
	}
	for _, x := range o.args {
		x.consume()
	}
	return out
}

// Backward sets the gradients of all leaves to those of <seed, v>; a nil seed stands for 1 and needs a v of one element. It
// uses the records up: the next Backward starts from new operations, for which older results are constants. Gradients add to
// those of an earlier Backward until Reset.
func (t *Tape[T]) Backward(v *Var[T], seed *tensor.Tensor[T]) {
	if v.tape != t {
		panic("autodiff: Backward from a value that belongs to a different tape")
	}
	if !v.wants {
		panic("autodiff: Backward from a value on which no leaf has an influence, or whose records an earlier Backward used up")
	}
	t.settle(v.buf)
	if seed == nil {
		if tensor.Size(v.shape) != 1 {
			panic(fmt.Sprintf("autodiff: Backward without a seed needs one element, not shape %v", v.Shape()))
		}
	} else {
		tensor.MustMatch("Backward", v.Shape(), seed.Shape)
	}
	start := t.newBuffer(v.Shape()...)
	if seed == nil {
		start.Fill(1)
	} else {
		copy(start.Data, seed.Data)
	}
	t.accumulate(v, start)
	for i := len(t.records) - 1; i >= 0; i-- {
		t.pull(&t.records[i])
		t.records[i].out.wants = false // nothing leads from it to a leaf any more
		t.records[i] = record[T]{}
	}
	t.records = t.records[:0]
}

// pull runs the pullbacks of one operation and gives back what only it needed.
func (t *Tape[T]) pull(r *record[T]) {
	unsave(r.saved) // nothing of it is evicted meanwhile
	dy := r.out.grad
	if dy != nil {
		r.out.grad = nil
		t.settleAll(r.saved)
		last := -1
		for i, x := range r.args {
			if x.wants {
				last = i
			}
		}
		for i, x := range r.args {
			switch {
			case !x.wants:
			case r.pulls[i] == nil:
				dy.refs++
				t.accumulate(x, dy)
			case r.elementwise && i == last && dy.refs == 1 && slices.Equal(x.shape, r.out.shape):
				r.pulls[i](dy.Tensor, dy.Tensor)
				dy.refs++
				t.accumulate(x, dy)
			default:
				dx := t.newBuffer(x.shape...)
				r.pulls[i](dx.Tensor, dy.Tensor)
				t.accumulate(x, dx)
			}
		}
		t.release(dy)
	}
	t.releaseAll(r.saved)
}

// accumulate adds g to the gradient of v and takes over the caller's hold on g.
func (t *Tape[T]) accumulate(v *Var[T], g *buffer[T]) {
	switch {
	case v.grad == nil:
		v.grad = g
		if v.leaf {
			t.leaves = append(t.leaves, v)
		}
	case v.grad.refs == 1:
		tensor.AddScaled(v.grad.Tensor, v.grad.Tensor, g.Tensor, 1)
		t.release(g)
	default: // someone else holds the old gradient: the sum needs memory of its own
		sum := t.newBuffer(g.Shape...)
		tensor.AddScaled(sum.Tensor, v.grad.Tensor, g.Tensor, 1)
		t.release(v.grad)
		t.release(g)
		v.grad = sum
	}
}

// Reset forgets all values, records and gradients and gives their memory back to the arena: the end of a step.
func (t *Tape[T]) Reset() {
	for i := range t.records {
		unsave(t.records[i].saved)
		t.releaseAll(t.records[i].saved)
		if g := t.records[i].out.grad; g != nil {
			t.records[i].out.grad = nil
			t.release(g)
		}
	}
	clear(t.records)
	t.records = t.records[:0]
	for v := range t.kept {
		t.release(v.buf)
		v.uses = 0
	}
	clear(t.kept)
	for _, v := range t.leaves {
		t.release(v.grad)
		v.grad = nil
	}
	t.leaves = t.leaves[:0]
}
