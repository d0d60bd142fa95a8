package tensor

import (
	"sdref/internal/gemm"
	"sdref/internal/parallel"
)

// MatMul sets c = a*b for matrices a (m, k), b (k, n), c (m, n), each element one chain of fused
// multiply-adds from +0 in ascending k. With transposeA, a is (k, m); with transposeB, b is (n, k). c may not share memory with a or
// b: that is a panic with a *MisuseError, other shapes one with a *ShapeError.
func MatMul[T Float](c, a, b *Tensor[T], transposeA, transposeB bool) {
	MatMulWithin(0, c, a, b, transposeA, transposeB)
}

// MatMulWithin is MatMul on at most so many goroutines; 0 is no limit but GOMAXPROCS. The bits are the same, here as in the other
// functions with a limit.
func MatMulWithin[T Float](workers int, c, a, b *Tensor[T], transposeA, transposeB bool) {
	if len(c.Shape) != 2 || len(a.Shape) != 2 || len(b.Shape) != 2 {
		panic(&ShapeError{"MatMul", [][]int{c.Shape, a.Shape, b.Shape}})
	}
	left, right, out := matrix(a), matrix(b), matrix(c)
	if transposeA {
		left = left.Transposed()
	}
	if transposeB {
		right = right.Transposed()
	}
	if len(left.Cols) != len(right.Rows) || len(out.Rows) != len(left.Rows) ||
		len(out.Cols) != len(right.Cols) {
		panic(&ShapeError{"MatMul", [][]int{c.Shape, a.Shape, b.Shape}})
	}
	MustHold("MatMul", c, a, b)
	MustBeApart("MatMul", c, a, b)
	if workers == 0 {
		gemm.Product(out, left, right)
		return
	}
	spaces := gemm.Take[T](parallel.Limit(workers).Workers(len(out.Rows) * len(out.Cols)))
	defer gemm.Give(spaces)
	gemm.MultiplyParts(out, left, right, spaces)
}

func matrix[T Float](t *Tensor[T]) gemm.Matrix[T] {
	return gemm.Dense(t.Data, t.Shape[0], t.Shape[1], t.Shape[1], 1)
}
