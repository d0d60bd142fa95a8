package tensor

import (
	"sdref/internal/kernel"
	"sdref/internal/misuse"
)

// MustHold panics with a *ShapeError if the elements of a tensor are not as many as its shape says, as they can be only where it was not
// made by New or From.
func MustHold[T Float](op string, tensors ...*Tensor[T]) {
	for _, t := range tensors {
		if len(t.Data) != Size(t.Shape) {
			panic(&ShapeError{op + ": a tensor's shape and its number of elements", [][]int{t.Shape, {len(t.Data)}}})
		}
	}
}

// MustBeApart panics with a *MisuseError if dst shares memory with a tensor that op reads while it writes dst.
func MustBeApart[T Float](op string, dst *Tensor[T], read ...*Tensor[T]) {
	for i, t := range read {
		if kernel.Overlaps(dst.Data, t.Data) {
			panic(misuse.Errorf("%s: the result would overwrite operand %d, which is still read", op, i+1))
		}
	}
}

// mustFit checks the operands of an elementwise operator, whose result may take the place of one of them, exactly.
func mustFit[T Float](op string, dst *Tensor[T], read ...*Tensor[T]) {
	MustHold(op, dst)
	for _, t := range read {
		MustMatch(op, dst.Shape, t.Shape)
		MustHold(op, t)
		if len(t.Data) > 0 && &dst.Data[0] != &t.Data[0] {
			MustBeApart(op, dst, t)
		}
	}
}
