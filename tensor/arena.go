package tensor

import "fmt"

// Arena keeps tensors that are no longer needed, so that the next step of a loop allocates nothing. It is not safe for
// concurrent use. Get and Put are paired by the caller.
type Arena[T Float] struct {
	free map[int][]*Tensor[T] // by length
	out  map[*Tensor[T]]bool  // handed out and not put back
	held int                  // elements in all tensors the arena ever made and still knows
}

// NewArena returns an empty arena.
func NewArena[T Float]() *Arena[T] {
	return &Arena[T]{free: map[int][]*Tensor[T]{}, out: map[*Tensor[T]]bool{}}
}

// Get returns a tensor with undefined contents.
func (a *Arena[T]) Get(shape ...int) *Tensor[T] {
	n := Size(shape)
	var t *Tensor[T]
	if list := a.free[n]; len(list) > 0 {
		t = list[len(list)-1]
		a.free[n] = list[:len(list)-1]
		t.Shape = append(t.Shape[:0], shape...)
	} else {
		t = New[T](shape...)
		a.held += n
	}
	a.out[t] = true
	return t
}

// Put gives a tensor back. It panics for one that is not out: given back twice, or not from this arena.
func (a *Arena[T]) Put(t *Tensor[T]) {
	if !a.out[t] {
		panic(fmt.Sprintf("tensor: arena was given a tensor of shape %v that it did not hand out", t.Shape))
	}
	delete(a.out, t)
	a.free[t.Len()] = append(a.free[t.Len()], t)
}

// Out is the number of tensors handed out and not put back.
func (a *Arena[T]) Out() int { return len(a.out) }

// Held is the number of elements in all of the arena's tensors, those handed out included.
func (a *Arena[T]) Held() int { return a.held }
