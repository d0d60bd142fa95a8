package gemm

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"sdref/internal/kernel"
)

// eachRow runs a test for both element types on every kernel row, unfused included, which is active during the test.
func eachRow(t *testing.T, single func(*testing.T, *kernel.Set[float32]),
	double func(*testing.T, *kernel.Set[float64])) {
	defer kernel.Use(kernel.ActiveName())
	for i, row := range kernel.All[float32]() {
		if err := kernel.Use(row.Name); err != nil {
			t.Fatal(err)
		}
		t.Run("float32/"+row.Name, func(t *testing.T) { single(t, row) })
		t.Run("float64/"+row.Name, func(t *testing.T) { double(t, kernel.All[float64]()[i]) })
	}
}

// poison is a value that no product here has; it surrounds the elements of every matrix.
const poison = 12345

// layout is one way to place a matrix in memory.
type layout struct {
	name       string
	rows, cols []int
}

// layouts returns ways to place an m x n matrix: by rows, with gaps between them, by columns, columns in runs
// that are shorter than a panel, rows in threes, in panels, a column matrix whose elements share memory (good for
// operands only), shuffled.
func layouts(r *rand.Rand, m, n, lanes int) []layout {
	runs := make([]int, n)
	for j := range runs {
		// gaps of 5 after every lanes+3 columns: some vectors are whole, some are cut
		runs[j] = j + j/(lanes+3)*5
	}
	threes := make([]int, m)
	for i := range threes {
		threes[i] = i/3*(4*n+9) + i%3*(n+2)
	}
	width := kernel.Vectors * lanes
	gaps := Offsets(m, width)
	for i := 2; i < m; i++ {
		gaps[i] += (i - 1) * lanes
	}
	inPanels := func(size int) []int {
		cols := make([]int, n)
		for j := range cols {
			cols[j] = j/width*size + j%width
		}
		return cols
	}
	scattered := func(n, step int) []int {
		list := make([]int, n)
		for i, at := range r.Perm(n) {
			list[i] = at * step
		}
		return list
	}
	return []layout{
		{"by rows", Offsets(m, n), Offsets(n, 1)},
		{"gaps between rows", Offsets(m, n+5), Offsets(n, 1)},
		{"far rows", Offsets(m, n+minFarStride), Offsets(n, 1)},
		{"by columns", Offsets(m, 1), Offsets(n, m+3)},
		{"runs", Offsets(m, 3*n+20), runs},
		{"rows in threes", threes, Offsets(n, 1)},
		{"panels", Offsets(m, width), inPanels(m * width)},
		{"panels with gaps", gaps, inPanels(m * (width + lanes))},
		{"shuffled", scattered(m, n), scattered(n, 1)},
		{"neither stride 1", Offsets(m, 3*n), Offsets(n, 3)},
	}
}

// overlapping is the layout of a convolution's columns: a tap's pixels are the next one's but one.
func overlapping(m, n int) layout { return layout{"overlapping", Offsets(m, 1), Offsets(n, 1)} }

// place returns a matrix of that layout in poisoned memory.
func (l layout) place(m, n int) Matrix[float64] {
	size := 1
	for _, i := range l.rows {
		for _, j := range l.cols {
			size = max(size, i+j+1)
		}
	}
	x := Matrix[float64]{make([]float64, size), l.rows, l.cols}
	for i := range x.Data {
		x.Data[i] = poison
	}
	return x
}

// random fills a layout with values of T.
func random[T kernel.Float](r *rand.Rand, l layout) Matrix[T] {
	x := convert[T](l.place(len(l.rows), len(l.cols)))
	for _, i := range l.rows {
		for _, j := range l.cols {
			x.Data[i+j] = T(math.Ldexp(r.NormFloat64(), r.IntN(8)-4))
		}
	}
	return x
}

func convert[T kernel.Float](x Matrix[float64]) Matrix[T] {
	y := Matrix[T]{make([]T, len(x.Data)), x.Rows, x.Cols}
	for i, v := range x.Data {
		y.Data[i] = T(v)
	}
	return y
}

// clone is the same matrix in other memory.
func (m Matrix[T]) clone() Matrix[T] { return Matrix[T]{append([]T(nil), m.Data...), m.Rows, m.Cols} }

// define is the definition of Multiply on the active row. Where that does not fuse, a product is rounded by fma(a, b, -0).
func define[T kernel.Float](c, a, b Matrix[T], load bool) {
	link, negativeZero := kernel.FMA[T], T(math.Copysign(0, -1))
	if kernel.Active[T]() == kernel.Unfused[T]() {
		link = func(a, b, c T) T { return kernel.FMA(a, b, negativeZero) + c }
	}
	for i, row := range c.Rows {
		for j, col := range c.Cols {
			var sum T
			if load {
				sum = c.Data[row+col]
			}
			for p := range a.Cols {
				sum = link(a.Data[a.Rows[i]+a.Cols[p]], b.Data[b.Rows[p]+b.Cols[j]], sum)
			}
			c.Data[row+col] = sum
		}
	}
}

// expect fails unless both matrices' memory is the same, what lies between the elements included.
func expect[T kernel.Float](t *testing.T, what string, got, want Matrix[T]) {
	t.Helper()
	for at, v := range got.Data {
		if math.Float64bits(float64(v)) != math.Float64bits(float64(want.Data[at])) {
			t.Fatalf("%s: offset %d is %v, want %v", what, at, v, want.Data[at])
		}
	}
}

func sizes(m, k, n int) string { return fmt.Sprintf("%dx%d times %dx%d", m, k, k, n) }
