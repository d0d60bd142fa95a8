package solve

import (
	"sdref/conv"
	"sdref/internal/misuse"
	"sdref/tensor"
)

// operator is a dictionary for signals of one shape, with the memory that it needs.
type operator[T tensor.Float] struct {
	Dictionary[T]
	frame   *tensor.Tensor[T] // for a torus: the signal, extended periodically to (N, C, H+KH-1, W+KW-1)
	support *support[T]       // of the last code; nil for dictionaries that support does not handle
}

func newOperator[T tensor.Float](d Dictionary[T], signal []int) *operator[T] {
	if err := d.check(signal); err != nil {
		panic(misuse.Errorf("solve: %v", err))
	}
	o := &operator[T]{Dictionary: d, support: newSupport(d, signal)}
	if d.Boundary == CircularBoundary {
		o.frame = o.support.frame
	}
	return o
}

// synthesize sets x = A z, and calls then for its planes. It is faster for a sparse code, with the same bits.
func (o *operator[T]) synthesize(x, z *tensor.Tensor[T], then conv.Then) {
	if s := o.support; s != nil && o.Geometry.Algorithm == conv.Direct {
		if s.find(z); s.isSparse() {
			s.scatter(z)
			s.store(x)
			then.All(x.Shape, o.Geometry.Workers)
			return
		}
	}
	o.synthesizeDense(x, z)
	then.All(x.Shape, o.Geometry.Workers)
}

// synthesizeDense sets x = A z without looking for zeros.
func (o *operator[T]) synthesizeDense(x, z *tensor.Tensor[T]) {
	if o.frame == nil {
		conv.Transpose(x, z, o.Atoms, o.Geometry)
		return
	}
	conv.Transpose(o.frame, z, o.Atoms, o.Geometry)
	o.support.store(x)
}

// analyze sets c = A* r, and calls then for its planes.
func (o *operator[T]) analyze(c, r *tensor.Tensor[T], then conv.Then) {
	if o.frame == nil {
		conv.ForwardThen(c, r, o.Atoms, o.Geometry, then)
		return
	}
	o.support.load(r)
	conv.ForwardThen(c, o.frame, o.Atoms, o.Geometry, then)
}
