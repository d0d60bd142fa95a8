package matrix_test

import (
	"errors"
	"fmt"
	"testing"

	"gonum.org/v1/gonum/mat"

	"sdref/tensor"
	"sdref/tensor/matrix"
)

// The eigenvalues of a symmetric matrix, by gonum.
func Example() {
	a := tensor.From([]float64{2, 1, 1, 2}, 2, 2)
	var e mat.EigenSym
	e.Factorize(mat.NewSymDense(2, matrix.Dense(a).RawMatrix().Data), false)
	fmt.Printf("%.4f\n", e.Values(nil))
	fmt.Println(matrix.Tensor(matrix.Dense(a).T()))
	// Output:
	// [1.0000 3.0000]
	// float64 [2 2]: 2 1 1 2
}

func TestSharing(t *testing.T) {
	x := tensor.From([]float64{1, 2, 3, 4, 5, 6}, 2, 3)
	m := matrix.Dense(x)
	if rows, columns := m.Dims(); rows != 2 || columns != 3 || m.At(1, 0) != 4 {
		t.Errorf("%d x %d: %v", rows, columns, mat.Formatted(m))
	}
	m.Set(1, 2, -1)
	if x.At(1, 2) != -1 {
		t.Error("the matrix has elements of its own")
	}
	back := matrix.Tensor(m.T())
	if back.Shape[0] != 3 || back.At(2, 1) != -1 || back.At(0, 1) != 4 {
		t.Error(back)
	}
	back.Set(7, 0, 0)
	if x.At(0, 0) != 1 {
		t.Error("the tensor shares the matrix's elements")
	}
}

func TestNoMatrix(t *testing.T) {
	for _, shape := range [][]int{{}, {3}, {1, 2, 3}, {0, 3}} {
		func() {
			defer func() {
				var e *tensor.ShapeError
				if err, _ := recover().(error); !errors.As(err, &e) {
					t.Errorf("%v: %v", shape, err)
				}
			}()
			matrix.Dense(tensor.New[float64](shape...))
		}()
	}
}
