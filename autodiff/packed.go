package autodiff

import (
	"sdref/conv"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// A code is mostly zeros. Where only pullbacks still need one, it waits for them as a mask, a bit for each element, followed by
// the elements that are not +0; settle makes it whole again, with the same bits. Mask and elements lie in one tensor.

// packPiece is the number of elements that one goroutine packs at a time: a whole number of the mask's elements.
const packPiece = tensor.Grain

// pack returns how to compute b's value again from its packed form, nil if that is not clearly smaller: by a quarter.
func (t *Tape[T]) pack(b *buffer[T]) *deferred[T] {
	n := b.Len()
	mask := t.arena.Get(kernel.MaskLen[T](n))
	defer t.arena.Put(mask)
	ends := markPieces(mask.Data, b.Data)
	size := mask.Len() + ends[len(ends)-1]
	if size > n-n/4 {
		return nil
	}
	packed := t.newBuffer(size)
	values := packed.Data[copy(packed.Data, mask.Data):]
	pieces(n, func(i, lo, hi int) {
		kernel.Pack(values[ends[i]:ends[i+1]], mask.Data[kernel.MaskLen[T](lo):], b.Data[lo:hi])
	})
	unpack := func(conv.Then) {
		pieces(n, func(i, lo, hi int) {
			kernel.Unpack(b.Data[lo:hi], packed.Data[kernel.MaskLen[T](lo):], values[ends[i]:ends[i+1]])
		})
	}
	return &deferred[T]{compute: unpack, reads: []*buffer[T]{packed}}
}

// markPieces sets the mask of x and returns where each piece's elements end among the marked ones, after a 0.
func markPieces[T tensor.Float](mask, x []T) (ends []int) {
	ends = make([]int, 1+(len(x)+packPiece-1)/packPiece)
	pieces(len(x), func(i, lo, hi int) { ends[i+1] = kernel.Mark(mask[kernel.MaskLen[T](lo):], x[lo:hi]) })
	for i := range ends[1:] {
		ends[i+1] += ends[i]
	}
	return ends
}

// pieces calls body for elements lo..hi-1 of n, piece by piece.
func pieces(n int, body func(i, lo, hi int)) {
	parallel.For((n+packPiece-1)/packPiece, func(_, i int) { body(i, i*packPiece, min((i+1)*packPiece, n)) })
}
