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
	if p, ok := any(within32).(within[T]); ok {
		p(workers, out, left, right)
	} else {
		any(within64).(within[T])(workers, out, left, right)
	}
}

// within sets c = a*b on at most so many goroutines, or GOMAXPROCS if 0.
type within[T Float] func(workers int, c, a, b gemm.Matrix[T])

// Go compiles a generic function anew in every package that reaches it; what is behind these variables is compiled here alone.
var (
	within32 within[float32] = multiplyWithin[float32]
	within64 within[float64] = multiplyWithin[float64]
)

func multiplyWithin[T Float](workers int, c, a, b gemm.Matrix[T]) {
	if workers == 0 {
		gemm.Product(c, a, b)
		return
	}
	spaces := gemm.Take[T](parallel.Limit(workers).Workers(len(c.Rows) * len(c.Cols)))
	defer gemm.Give(spaces)
	gemm.MultiplyParts(c, a, b, spaces)
}

func matrix[T Float](t *Tensor[T]) gemm.Matrix[T] {
	return gemm.Dense(t.Data, t.Shape[0], t.Shape[1], t.Shape[1], 1)
}
