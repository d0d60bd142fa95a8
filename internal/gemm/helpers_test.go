package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sdref/internal/kernel"
)

// eachRow runs a test for both element types on every kernel row, which is active during the test.
func eachRow(t *testing.T, single func(*testing.T, *kernel.Set[float32]), double func(*testing.T, *kernel.Set[float64])) {
	defer kernel.Use(kernel.ActiveName())
	for i, row := range kernel.Rows[float32]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		t.Run("float32/"+row.Name, func(t *testing.T) { single(t, row) })
		t.Run("float64/"+row.Name, func(t *testing.T) { double(t, kernel.Rows[float64]()[i]) })
	}
}

// plain is a matrix in rows, for definitions.
type plain[T kernel.Float] struct {
	rows, cols int
	data       []T
}

func (m plain[T]) at(i, j int) T { return m.data[i*m.cols+j] }

func random[T kernel.Float](r *rand.Rand, rows, cols int) plain[T] {
	m := plain[T]{rows, cols, make([]T, rows*cols)}
	for i := range m.data {
		m.data[i] = T(math.Ldexp(r.NormFloat64(), r.IntN(8)-4))
	}
	return m
}

// chain is element (i, j) of a*b, one chain of fused multiply-adds from start.
func chain[T kernel.Float](a, b plain[T], i, j int, start T) T {
	for p := range a.cols {
		start = kernel.FMA(a.at(i, p), b.at(p, j), start)
	}
	return start
}

// product is the matrix of all chains from the elements of start, from +0 if it is nil.
func product[T kernel.Float](a, b plain[T], start []T) plain[T] {
	c := plain[T]{a.rows, b.cols, make([]T, a.rows*b.cols)}
	copy(c.data, start)
	for i := range c.data {
		c.data[i] = chain(a, b, i/b.cols, i%b.cols, c.data[i])
	}
	return c
}

// pack returns a as a packed left operand; memory that Layout may reuse is poisoned first.
func pack[T kernel.Float](set *kernel.Set[T], a plain[T]) *Left[T] {
	l := &Left[T]{data: make([]T, (a.rows+8)*a.cols)}
	for i := range l.data {
		l.data[i] = T(math.NaN())
	}
	l.Layout(set, a.rows, a.cols)
	l.Pack(7, func(dst []T, stride, row, rows, p0, p1 int) {
		for i := range rows {
			for p := p0; p < p1; p++ {
				dst[(p-p0)*stride+i] = a.at(row+i, p)
			}
		}
	})
	return l
}

// right is a right operand that checks what it is asked for.
type right[T kernel.Float] struct {
	plain[T]
	t *testing.T
}

func (r right[T]) Panel(dst []T, stride, col, cols, p0, p1 int) {
	if col < 0 || cols < 1 || col+cols > r.cols || p0 < 0 || p1 < p0 || p1 > r.rows || cols > stride || p1-p0 > depth {
		r.t.Errorf("panel of columns %d+%d, chain %d..%d at stride %d out of a %dx%d operand", col, cols, p0, p1, stride, r.rows, r.cols)
		return
	}
	for p := p0; p < p1; p++ {
		for j := range cols {
			dst[(p-p0)*stride+j] = r.at(p, col+j)
		}
	}
}

// layout is one way to place C in memory.
type layout struct {
	name      string
	rowStride int
	cols      []int
	size      int
}

// layouts returns ways to place an m x n matrix: packed, with gaps between rows, transposed, with columns in runs that are
// shorter than a tile, and with shuffled columns.
func layouts(r *rand.Rand, m, n, tile int) []layout {
	runs := make([]int, n)
	for j := range runs {
		runs[j] = j + j/(tile+3)*5 // gaps of 5 after every tile+3 columns: some tiles are whole, some are cut
	}
	return []layout{
		{"packed", n, nil, m * n},
		{"gaps between rows", n + 5, nil, m * (n + 5)},
		{"contiguous table", n + 1, Offsets(n, 1), m * (n + 1)},
		{"transposed", 1, Offsets(n, m), m * n},
		{"runs", 3*n + 20, runs, m * (3*n + 20)},
		{"shuffled", n, r.Perm(n), m * n},
	}
}

// places lists where C's elements lie in memory, row by row.
func (l layout) places(m, n int) []int {
	target := Target[float32]{Cols: l.cols}
	at := make([]int, 0, m*n)
	for i := range m {
		for j := range n {
			at = append(at, i*l.rowStride+target.col(j))
		}
	}
	return at
}

// poison is a value that no product here has.
const poison = 12345

// expect fails unless memory holds want at the places of rows r0..r1-1 and columns c0..c1-1 and before elsewhere.
func expect[T kernel.Float](t *testing.T, what string, memory, before []T, want func(i, j int) T, places []int,
	n, r0, r1, c0, c1 int) {
	t.Helper()
	expected := append([]T(nil), before...)
	for i := r0; i < r1; i++ {
		for j := c0; j < c1; j++ {
			expected[places[i*n+j]] = want(i, j)
		}
	}
	for at, v := range memory {
		if e := expected[at]; math.Float64bits(float64(v)) != math.Float64bits(float64(e)) {
			t.Fatalf("%s: offset %d is %v, want %v", what, at, v, e)
		}
	}
}

func sizes(m, k, n int) string { return fmt.Sprintf("%dx%d times %dx%d", m, k, k, n) }
