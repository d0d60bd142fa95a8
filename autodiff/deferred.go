package autodiff

import (
	"slices"

	"sdref/conv"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// deferred is a value still to be computed. Elementwise operations on it wait too: they are done on each plane of the result
// while that is in the caches, instead of passing over all of memory one after the other. The numbers are the same.
type deferred[T tensor.Float] struct {
	compute func(then conv.Then) // fills the buffer, and calls then for every plane
	steps   []conv.Then          // the operations that followed, in place
	reads   []*buffer[T]         // what they all read, held until then
	cheap   bool                 // may be computed again rather than kept
}

// deferTo makes compute, which reads the given values, y's contents once somebody wants them; at once if y's planes are single
// elements, for which waiting does not pay.
func (y *Var[T]) deferTo(compute func(then conv.Then), reads ...*Var[T]) {
	if len(y.shape) == 2 {
		compute(nil)
		return
	}
	y.buf.todo = &deferred[T]{compute: compute}
	y.buf.todo.hold(y.buf, reads)
}

// hold keeps the values' memory, but for that of the result itself.
func (d *deferred[T]) hold(own *buffer[T], reads []*Var[T]) {
	for _, v := range reads {
		if v.buf != own {
			v.buf.refs++
			d.reads = append(d.reads, v.buf)
		}
	}
}

// settle computes what was deferred, or evicted.
func (t *Tape[T]) settle(b *buffer[T]) {
	d := b.todo
	if d == nil {
		return
	}
	b.todo = nil
	if b.Tensor == nil {
		b.Tensor = t.arena.Get(b.shape...)
	} else if d.cheap {
		b.again = d
	}
	var then conv.Then
	if len(d.steps) > 0 {
		then = func(c, lo, hi int) {
			for _, step := range d.steps {
				step(c, lo, hi)
			}
		}
	}
	d.compute(then)
	t.forget(d)
}

// forget gives back what a deferred value reads.
func (t *Tape[T]) forget(d *deferred[T]) {
	reads := d.reads
	d.reads = nil
	for _, r := range reads {
		t.release(r)
	}
}

// evict gives back the memory of a value that only pullbacks still need, if it is cheap to compute again then: what it was
// computed from is there, since an operation before it saves that.
func (t *Tape[T]) evict(b *buffer[T]) {
	if b.again == nil || b.refs > b.saves {
		return
	}
	b.todo, b.again = b.again, nil
	b.shape = slices.Clone(b.Shape)
	t.arena.Put(b.Tensor)
	b.Tensor = nil
}

// elementwise applies an operation that sets elements lo..hi-1 of y from those of the given values: at once, or when y's
// memory, taken over from one of them, is computed.
func (y *Var[T]) elementwise(step func(lo, hi int), reads ...*Var[T]) {
	for _, v := range reads {
		if v.buf != y.buf {
			v.Value()
		}
	}
	if d := y.buf.todo; d != nil {
		d.steps = append(d.steps, func(_, lo, hi int) { step(lo, hi) })
		d.hold(y.buf, reads)
		d.cheap = d.cheap && len(reads) == 1 // others would have to be kept
		return
	}
	parallel.Ranges(y.buf.Len(), tensor.Grain, step)
}
