package kernel

import (
	"math/rand/v2"
	"testing"
)

func TestGather(t *testing.T) { eachRow(t, testGather[float32], testGather[float64]) }

// runs returns count runs of n elements at random places of a source that ends, and begins, where memory may
// not be touched; the first and the last run touch either end.
func runs[T Float](t *testing.T, r *rand.Rand, count, n int) (src []T, off []int) {
	src = guarded[T](t, n+r.IntN(3*n+50), r.IntN(2) == 0)
	fill(r, src, false)
	off = make([]int, count)
	for i := range off {
		off[i] = [3]int{0, len(src) - n, r.IntN(len(src) - n + 1)}[r.IntN(3)]
	}
	return src, off
}

func testGather[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(5, 6))
	for width := 1; width <= 100; width++ {
		for _, count := range []int{1, 2, 3, 4, 5, 8, 31} {
			src, off := runs[T](t, r, count, width)
			stride := width + r.IntN(4)
			shift := r.IntN(16)
			whole, dst := framed[T]((count-1)*stride+width, shift)
			wholeWant, want := framed[T](len(dst), shift)
			for i := range count {
				for j := range width {
					want[i*stride+j] = src[off[i]+j]
				}
			}
			row.Gather(dst, stride, src, off, width)
			sameBits(t, name("Gather of %d runs of %d", count, width), whole, wholeWant)

			end := guarded[T](t, len(dst), true)
			row.Gather(end, stride, src, off, width)
		}
	}
}

func TestGatherAlternate(t *testing.T) {
	eachRow(t, testGatherAlternate[float32], testGatherAlternate[float64])
}

func testGatherAlternate[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(15, 6))
	for width := 1; width <= 70; width++ {
		for _, count := range []int{1, 2, 5} {
			src, off := runs[T](t, r, count, 2*width-1)
			stride := width + r.IntN(4)
			shift := r.IntN(16)
			whole, dst := framed[T]((count-1)*stride+width, shift)
			wholeWant, want := framed[T](len(dst), shift)
			for i := range count {
				for j := range width {
					want[i*stride+j] = src[off[i]+2*j]
				}
			}
			row.GatherAlternate(dst, stride, src, off, width)
			sameBits(t, name("GatherAlternate of %d runs of %d", count, width), whole, wholeWant)

			end := guarded[T](t, len(dst), true)
			row.GatherAlternate(end, stride, src, off, width)
		}
	}
}

func TestWeave(t *testing.T) { eachRow(t, testWeave[float32], testWeave[float64]) }

func testWeave[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(16, 6))
	for n := 1; n <= 70; n++ {
		for _, rows := range []int{1, 2, 5} {
			src, shift := guarded[T](t, rows*2*n, r.IntN(2) == 0), r.IntN(16)
			fill(r, src, false)
			whole, dst := framed[T](len(src), shift)
			wholeWant, want := framed[T](len(src), shift)
			for i := range want {
				line, j := i/(2*n), i%(2*n)
				want[i] = src[line*2*n+j%2*n+j/2]
			}
			row.Weave(dst, src, n)
			sameBits(t, name("Weave of %d rows of two times %d", rows, n), whole, wholeWant)

			end := guarded[T](t, len(dst), r.IntN(2) == 0)
			row.Weave(end, src, n)
		}
	}
}

func TestInsertZeros(t *testing.T) { eachRow(t, testInsertZeros[float32], testInsertZeros[float64]) }

func testInsertZeros[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(17, 6))
	for n := 1; n <= 70; n++ {
		for _, rows := range []int{1, 2, 5} {
			src, shift := guarded[T](t, rows*n, r.IntN(2) == 0), r.IntN(16)
			fill(r, src, false)
			whole, dst := framed[T](4*len(src), shift)
			wholeWant, want := framed[T](len(dst), shift)
			for i := range want {
				want[i] = 0
				if line, j := i/(2*n), i%(2*n); line%2 == 0 && j%2 == 0 {
					want[i] = src[line/2*n+j/2]
				}
			}
			row.InsertZeros(dst, src, n)
			sameBits(t, name("InsertZeros into %d rows of %d", rows, n), whole, wholeWant)

			end := guarded[T](t, len(dst), r.IntN(2) == 0)
			row.InsertZeros(end, src, n)
		}
	}
}

func TestInterleave(t *testing.T) { eachRow(t, testInterleave[float32], testInterleave[float64]) }

func testInterleave[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(7, 8))
	lengths := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 25, 31, 32, 33, 49, 100}
	for _, n := range lengths {
		for count := 1; count <= 50; count++ {
			src, off := runs[T](t, r, count, n)
			stride := count + r.IntN(4)
			shift := r.IntN(16)
			whole, dst := framed[T]((n-1)*stride+count, shift)
			wholeWant, want := framed[T](len(dst), shift)
			for j := range n {
				for i := range count {
					want[j*stride+i] = src[off[i]+j]
				}
			}
			row.Interleave(dst, stride, src, off, n)
			sameBits(t, name("Interleave of %d runs of %d", count, n), whole, wholeWant)

			end := guarded[T](t, len(dst), true)
			row.Interleave(end, stride, src, off, n)
		}
	}
}

// TestCopyNothing: no runs, or runs of no elements, need neither source nor destination.
func TestCopyNothing(t *testing.T) {
	for _, row := range Rows[float32]() {
		row.Gather(nil, 3, nil, nil, 3)
		row.Gather(nil, 3, nil, []int{7, 8}, 0)
		row.GatherAlternate(nil, 3, nil, nil, 3)
		row.GatherAlternate(nil, 3, nil, []int{7, 8}, 0)
		row.Weave(nil, nil, 0)
		row.Weave(nil, nil, 3)
		row.InsertZeros(nil, nil, 0)
		row.InsertZeros(nil, nil, 3)
		row.Interleave(nil, 3, nil, nil, 3)
		row.Interleave(nil, 3, nil, []int{7, 8}, 0)
	}
}
