package solve

import (
	"fmt"

	"sdref/conv"
	"sdref/tensor"
)

// operator is a dictionary for signals of one shape, with the memory that it needs.
type operator[T tensor.Float] struct {
	Dictionary[T]
	frame   *tensor.Tensor[T] // for a torus: the signal (N, C, H+KH-1, W+KW-1) with what is round the corner repeated
	support *support[T]       // of the last code, if it serves the dictionary
}

func newOperator[T tensor.Float](d Dictionary[T], signal []int) *operator[T] {
	if err := d.check(signal); err != nil {
		panic(fmt.Sprintf("solve: %v", err))
	}
	o := &operator[T]{Dictionary: d, support: newSupport(d, signal)}
	if d.Boundary == CircularBoundary {
		o.frame = o.support.frame
	}
	return o
}

// synthesize sets x = A z, then does what then does with each plane. A code with few elements that are not 0 is faster; the bits
// are the same.
func (o *operator[T]) synthesize(x, z *tensor.Tensor[T], then conv.Then) {
	if s := o.support; s != nil && o.Geometry.Algorithm == conv.Direct {
		if s.find(z); s.few() {
			s.scatter(z)
			s.take(x)
			then.All(x.Shape)
			return
		}
	}
	o.spread(x, z)
	then.All(x.Shape)
}

// spread sets x = A z without looking for zeros.
func (o *operator[T]) spread(x, z *tensor.Tensor[T]) {
	if o.frame == nil {
		conv.Transpose(x, z, o.Atoms, o.Geometry)
		return
	}
	conv.Transpose(o.frame, z, o.Atoms, o.Geometry)
	o.support.take(x)
}

// analyze sets c = A* r, then does what then does with each plane.
func (o *operator[T]) analyze(c, r *tensor.Tensor[T], then conv.Then) {
	if o.frame == nil {
		conv.ForwardThen(c, r, o.Atoms, o.Geometry, then)
		return
	}
	o.support.lay(r)
	conv.ForwardThen(c, o.frame, o.Atoms, o.Geometry, then)
}
