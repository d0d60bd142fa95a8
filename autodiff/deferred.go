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
	saved   bool                 // and held as a record's pullbacks do
	cheap   bool                 // may be computed again rather than kept
	joins   bool                 // even if a step reads another value, which is then needed as long
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

// settle computes what was deferred, or evicted. What is cheap and needs no value but those that pullbacks need too, may be
// evicted afterwards; from now on it holds these, lest they be overwritten.
func (t *Tape[T]) settle(b *buffer[T]) {
	d := b.todo
	if d == nil {
		return
	}
	b.todo = nil
	d.unsave() // nothing it reads is evicted meanwhile
	t.settleAll(d.reads)
	if b.Tensor == nil {
		b.Tensor = t.arena.Get(b.shape...)
	} else if d.cheap && !slices.ContainsFunc(d.reads, func(r *buffer[T]) bool { return r.saves == 0 }) {
		save(d.reads)
		d.saved = true
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
	t.releaseAll(d.reads)
}

// settleAll settles what somebody is about to read, and holds.
func (t *Tape[T]) settleAll(list []*buffer[T]) {
	for _, b := range list {
		t.settle(b)
	}
}

// forget gives back what a deferred value reads.
func (t *Tape[T]) forget(d *deferred[T]) {
	if d != nil {
		d.unsave()
		t.releaseAll(d.reads)
	}
}

// save holds what pullbacks will read.
func save[T tensor.Float](list []*buffer[T]) {
	for _, b := range list {
		b.refs++
		b.saves++
	}
}

// unsave makes such holds ordinary ones.
func unsave[T tensor.Float](list []*buffer[T]) {
	for _, b := range list {
		b.saves--
	}
}

// unsave makes holds on behalf of pullbacks ordinary ones.
func (d *deferred[T]) unsave() {
	if d.saved {
		unsave(d.reads)
	}
	d.saved = false
}

// evict gives back the memory of a value that only pullbacks still need, if it is cheap to compute again or mostly zeros. It
// does so once: in the backward pass the pullbacks that read a value follow soon on each other.
func (t *Tape[T]) evict(b *buffer[T]) {
	if b.refs > b.saves || b.todo != nil {
		return
	}
	again := b.again
	if again == nil && b.sparse {
		again = t.pack(b)
	}
	b.again, b.sparse = nil, false
	if again == nil {
		return
	}
	b.todo, b.shape = again, slices.Clone(b.Shape)
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
		d.cheap = d.cheap && (d.joins || len(reads) == 1)
		return
	}
	parallel.Ranges(y.buf.Len(), tensor.Grain, step)
}
