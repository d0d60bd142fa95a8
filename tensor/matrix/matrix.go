// Package matrix takes tensors of two dimensions to gonum's matrices and back: rows are rows, columns are columns.
//
// It is for decompositions, solvers and statistics that gonum has and this module has not. Gonum's arithmetic is its own: results
// computed there are not promised to be the same bits everywhere.
package matrix

import (
	"gonum.org/v1/gonum/mat"

	"sdref/tensor"
)

// Dense returns t (R, C) as a matrix that shares t's elements. Other shapes, and matrices without elements, which gonum has not, are a
// panic with a *tensor.ShapeError. Of float32 take tensor.Convert[float64].
func Dense(t *tensor.Tensor[float64]) *mat.Dense {
	if len(t.Shape) != 2 || t.Len() == 0 {
		panic(&tensor.ShapeError{Op: "matrix.Dense", Shapes: [][]int{t.Shape}})
	}
	return mat.NewDense(t.Shape[0], t.Shape[1], t.Data)
}

// Tensor returns a copy of a matrix of R rows and C columns, of whatever kind, as a tensor (R, C).
func Tensor(m mat.Matrix) *tensor.Tensor[float64] {
	rows, columns := m.Dims()
	t := tensor.New[float64](rows, columns)
	for i := range rows {
		for j := range columns {
			t.Data[i*columns+j] = m.At(i, j)
		}
	}
	return t
}
