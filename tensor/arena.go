package tensor

import (
	"cmp"
	"slices"

	"sdref/internal/misuse"
)

// Arena keeps the memory of tensors that are no longer needed, so that the next step of a loop allocates
// nothing. Neighbouring pieces that are returned become one piece again, so they serve tensors of any size.
// It is not safe for concurrent use. The caller pairs Get and Put.
type Arena[T Float] struct {
	slabs [][]T
	free  []span              // by slab and offset
	live  map[*Tensor[T]]span // the tensors handed out and not returned
	size  int                 // elements of all slabs
}

// span is elements at..at+n-1 of a slab.
type span struct{ slab, at, n int }

const (
	// arenaUnit is the number of elements that spans are multiples of, so that they begin where a cache line
	// does.
	arenaUnit = 16
	// maxSlab is the greatest number of elements of a slab, except for a tensor that needs more. Slabs grow
	// with the arena; parts of them that are never used take no physical memory.
	maxSlab = 1 << 26
)

// NewArena returns an empty arena.
func NewArena[T Float]() *Arena[T] { return &Arena[T]{live: map[*Tensor[T]]span{}} }

// Get returns a tensor with undefined contents.
func (a *Arena[T]) Get(shape ...int) *Tensor[T] {
	n := Size(shape)
	s := a.take((n + arenaUnit - 1) / arenaUnit * arenaUnit)
	t := &Tensor[T]{Shape: slices.Clone(shape)}
	if n > 0 {
		t.Data = a.slabs[s.slab][s.at : s.at+n : s.at+n]
	}
	a.live[t] = s
	return t
}

// take returns a span of n elements: the beginning of the smallest free one that is long enough, or of a new
// slab.
func (a *Arena[T]) take(n int) span {
	if n == 0 {
		return span{}
	}
	best := -1
	for i, f := range a.free {
		if f.n >= n && (best < 0 || f.n < a.free[best].n) {
			best = i
		}
	}
	if best < 0 {
		size := max(n, min(a.size, maxSlab))
		a.slabs = append(a.slabs, make([]T, size))
		a.size += size
		best = len(a.free)
		a.free = append(a.free, span{len(a.slabs) - 1, 0, size})
	}
	f := &a.free[best]
	s := span{f.slab, f.at, n}
	if f.at, f.n = f.at+n, f.n-n; f.n == 0 {
		a.free = slices.Delete(a.free, best, best+1)
	}
	return s
}

// Put returns a tensor. It panics for one that is not live: returned twice, or not from this arena.
func (a *Arena[T]) Put(t *Tensor[T]) {
	s, ok := a.live[t]
	if !ok {
		panic(misuse.Errorf("tensor: arena was given a tensor of shape %v that it did not hand out", t.Shape))
	}
	delete(a.live, t)
	if s.n == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(a.free, s, func(f, s span) int {
		return cmp.Or(cmp.Compare(f.slab, s.slab), cmp.Compare(f.at, s.at))
	})
	if i < len(a.free) && s.adjoins(a.free[i]) {
		s.n += a.free[i].n
		a.free = slices.Delete(a.free, i, i+1)
	}
	if i > 0 && a.free[i-1].adjoins(s) {
		a.free[i-1].n += s.n
		return
	}
	a.free = slices.Insert(a.free, i, s)
}

// adjoins tells whether t begins where s ends.
func (s span) adjoins(t span) bool { return s.slab == t.slab && s.at+s.n == t.at }

// Live is the number of tensors handed out and not returned.
func (a *Arena[T]) Live() int { return len(a.live) }

// Capacity is the number of elements in all of the arena's memory.
func (a *Arena[T]) Capacity() int { return a.size }
