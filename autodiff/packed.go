package autodiff

import (
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// A code is mostly zeros. Where only the gradient still needs one, it waits as a mask, a bit for each element, followed by
// the elements that are not +0; unpacking makes it whole again, with the same bits. Mask and elements lie in one tensor.

// packPiece is the number of elements that one goroutine packs at a time: a whole number of the mask's elements.
const packPiece = tensor.Grain

// packed is a value in packed form or, where that is not clearly smaller, by a quarter, as it was.
type packed[T tensor.Float] struct {
	memory *tensor.Tensor[T]
	ends   []int // where each piece's elements end among all, after a 0; nil if the value is as it was
}

// pack packs the operand of v.
func (r *Program[T]) pack(v *Value, set *kernel.Set[T]) {
	b := v.In[0].Buffer
	x := r.of(v.In[0]).tensor.Data
	mask := r.arena.Get(kernel.MaskLen[T](len(x)))
	defer r.arena.Put(mask)
	p := &packed[T]{ends: markPieces(set, parallel.Limit(r.Workers), mask.Data, x)}
	size := mask.Len() + p.ends[len(p.ends)-1]
	if size > len(x)-len(x)/4 {
		p.ends = nil
		if b.Last == v.step.at {
			p.memory = r.memory[b]
			delete(r.memory, b) // so that it is not given back
		} else { // the buffer will hold other values
			p.memory = r.arena.Get(len(x))
			copy(p.memory.Data, x)
		}
		r.of(v).packed = p
		return
	}
	p.memory = r.arena.Get(size)
	values := p.memory.Data[copy(p.memory.Data, mask.Data):]
	pieces(parallel.Limit(r.Workers), len(x), func(i, lo, hi int) {
		set.Pack(values[p.ends[i]:p.ends[i+1]], mask.Data[kernel.MaskLen[T](lo):], x[lo:hi])
	})
	r.of(v).packed = p
}

// unpack makes v whole again, whose operand is packed.
func (r *Program[T]) unpack(v *Value, set *kernel.Set[T]) {
	c := r.of(v.In[0])
	p := c.packed
	c.packed = nil
	if p.ends == nil {
		r.place(v.Buffer, p.memory)
		return
	}
	r.place(v.Buffer, r.arena.Get(v.Buffer.Size))
	x := r.of(v).tensor.Data
	values := p.memory.Data[kernel.MaskLen[T](len(x)):]
	pieces(parallel.Limit(r.Workers), len(x), func(i, lo, hi int) {
		set.Unpack(x[lo:hi], p.memory.Data[kernel.MaskLen[T](lo):], values[p.ends[i]:p.ends[i+1]])
	})
	r.arena.Put(p.memory)
}

// markPieces sets the mask of x and returns where each piece's elements end among the marked ones, after a 0.
func markPieces[T tensor.Float](set *kernel.Set[T], limit parallel.Limit, mask, x []T) (ends []int) {
	ends = make([]int, 1+(len(x)+packPiece-1)/packPiece)
	pieces(limit, len(x), func(i, lo, hi int) { ends[i+1] = set.Mark(mask[kernel.MaskLen[T](lo):], x[lo:hi]) })
	for i := range ends[1:] {
		ends[i+1] += ends[i]
	}
	return ends
}

// pieces calls body for elements lo..hi-1 of n, piece by piece.
func pieces(limit parallel.Limit, n int, body func(i, lo, hi int)) {
	limit.For((n+packPiece-1)/packPiece, func(_, i int) { body(i, i*packPiece, min((i+1)*packPiece, n)) })
}
