package gemm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"sdref/internal/kernel"
)

func TestProductEqualsTheChain(t *testing.T) { eachRow(t, testProduct[float32], testProduct[float64]) }

func testProduct[T kernel.Float](t *testing.T, set *kernel.Set[T]) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(5, 1))
	rows, cols := set.Tiles[0].Height(), 2*set.Lanes
	for _, s := range [][3]int{
		{0, 3, 5}, {4, 3, 0}, {4, 0, 5}, {1, 1, 1}, {1, 9, cols}, {rows, 8, 1}, {rows + 1, 7, cols + 1},
		{2*rows + 3, 12, 2*cols - 1},
		{3, maxDepth[T]() + 1, cols + 2}, {rows, 2*maxDepth[T]() + 3, 2}, {5*rows + 2, 3, 9*cols + 1},
	} {
		m, k, n := s[0], s[1], s[2]
		a, b := random[T](r, layouts(r, m, k, 1)[r.IntN(4)]), random[T](r, layouts(r, k, n, 1)[r.IntN(4)])
		c := random[T](r, layouts(r, m, n, 1)[1])
		want := c.clone()
		define(want, a, b, false)
		for _, procs := range []int{1, 7} {
			runtime.GOMAXPROCS(procs)
			got := c.clone()
			Product(got, a, b)
			expect(t, fmt.Sprintf("%s, %d goroutines", sizes(m, k, n), procs), got, want)
		}
	}
}

func TestTransposedReadsTheSameMemory(t *testing.T) {
	m := Dense([]float32{1, 2, 3, 4, 5, 6}, 2, 3, 3, 1).Transposed()
	for i := range 3 {
		for j := range 2 {
			if v := m.Data[m.Rows[i]+m.Cols[j]]; v != float32(1+i+3*j) {
				t.Errorf("element (%d, %d) of the transposed matrix is %v", i, j, v)
			}
		}
	}
}

// TestShareCovers: every element belongs to exactly one part, and no row has parts of other widths.
func TestShareCovers(t *testing.T) {
	for _, rows := range []int{1, 12, 13, 64, 512} {
		for _, cols := range []int{1, 31, 32, 33, 64, 1024} {
			for count := 1; count <= 9; count++ {
				seen := make([]int, rows*cols)
				parts := Share[float32](rows, cols, count)
				for _, p := range parts {
					for i := p.Row0; i < p.Row1; i++ {
						for j := p.Col0; j < p.Col1; j++ {
							seen[i*cols+j]++
						}
					}
				}
				for i, n := range seen {
					if n != 1 {
						t.Fatalf("%d x %d in %d parts: element %d is in %d of them", rows, cols, count, i, n)
					}
				}
				if len(parts) > 2*count {
					t.Fatalf("%d x %d: %d parts, asked for %d", rows, cols, len(parts), count)
				}
			}
		}
	}
}
