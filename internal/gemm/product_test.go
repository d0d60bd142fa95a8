package gemm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sdref/internal/kernel"
)

func TestProductEqualsTheChain(t *testing.T) { eachRow(t, testProduct[float32], testProduct[float64]) }

func testProduct[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(5, 1))
	rows, nr := set.Tiles[0].Rows, set.Cols
	for _, s := range [][3]int{
		{0, 3, 5}, {4, 3, 0}, {4, 0, 5}, {1, 1, 1}, {1, 9, nr}, {rows, 8, 1}, {rows + 1, 7, nr + 1}, {2*rows + 3, 12, 2*nr - 1},
		{3, depth + 1, nr + 2}, {rows, 2*depth + 3, 2}, {5*rows + 2, 3, 9*nr + 1},
	} {
		a, b := random[T](r, s[0], s[1]), random[T](r, s[1], s[2])
		want := product(a, b, nil).data
		for _, procs := range []int{1, 7} {
			runtime.GOMAXPROCS(procs)
			for _, left := range stored(r, a) {
				for _, right := range stored(r, b) {
					what := fmt.Sprintf("%s, %d goroutines, strides %d, %d and %d, %d",
						sizes(s[0], s[1], s[2]), procs, left.RowStride, left.ColStride, right.RowStride, right.ColStride)
					checkProduct(t, what, left, right, want)
				}
			}
		}
	}
}

// stored returns a matrix as it may lie in memory: by rows, by columns, each also as a part of a larger matrix, and with
// neither stride 1.
func stored[T kernel.Float](r *rand.Rand, m plain[T]) []Matrix[T] {
	var list []Matrix[T]
	for _, stride := range [][2]int{
		{m.cols, 1}, {1, m.rows}, {m.cols + 3, 1}, {1, m.rows + 2}, {3 * (m.cols + 1), 3},
	} {
		s := Matrix[T]{make([]T, m.rows*stride[0]+m.cols*stride[1]+1), m.rows, m.cols, stride[0], stride[1]}
		for i := range s.Data {
			s.Data[i] = T(r.NormFloat64())
		}
		for i := range m.rows {
			for j := range m.cols {
				s.Data[i*s.RowStride+j*s.ColStride] = m.at(i, j)
			}
		}
		list = append(list, s)
	}
	return list
}

// checkProduct multiplies into a part of a larger, poisoned matrix.
func checkProduct[T kernel.Float](t *testing.T, what string, a, b Matrix[T], want []T) {
	t.Helper()
	stride := b.Cols + 2
	memory := make([]T, a.Rows*stride+1)
	for i := range memory {
		memory[i] = poison
	}
	sources := [][]T{slices.Clone(a.Data), slices.Clone(b.Data)}
	before := slices.Clone(memory)
	Product(Matrix[T]{memory, a.Rows, b.Cols, stride, 1}, a, b)
	place := layout{rowStride: stride}.places(a.Rows, b.Cols)
	expect(t, what, memory, before, func(i, j int) T { return want[i*b.Cols+j] }, place, b.Cols, 0, a.Rows, 0, b.Cols)
	if !slices.Equal(a.Data, sources[0]) || !slices.Equal(b.Data, sources[1]) {
		t.Fatalf("%s: an operand was changed", what)
	}
}

func TestTransposedReadsTheSameMemory(t *testing.T) {
	m := Matrix[float32]{[]float32{1, 2, 3, 4, 5, 6}, 2, 3, 3, 1}
	got := m.Transposed()
	if got.Rows != 3 || got.Cols != 2 || got.RowStride != 1 || got.ColStride != 3 || &got.Data[0] != &m.Data[0] {
		t.Errorf("Transposed = %+v", got)
	}
}

func TestProductPanicsOnSizes(t *testing.T) {
	m := func(rows, cols, colStride int) Matrix[float32] {
		return Matrix[float32]{make([]float32, rows*cols*colStride), rows, cols, cols * colStride, colStride}
	}
	for _, c := range [][3]Matrix[float32]{
		{m(2, 4, 1), m(2, 3, 1), m(2, 4, 1)}, // inner sizes
		{m(3, 4, 1), m(2, 3, 1), m(3, 4, 1)}, // rows
		{m(2, 5, 1), m(2, 3, 1), m(3, 4, 1)}, // columns
		{m(2, 4, 2), m(2, 3, 1), m(3, 4, 1)}, // columns of the result lie apart
	} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.HasPrefix(text, "gemm: product of 2x3 and ") {
					t.Errorf("recovered %q", text)
				}
			}()
			Product(c[0], c[1], c[2])
		}()
	}
}
