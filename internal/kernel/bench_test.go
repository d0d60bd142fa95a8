package kernel

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// eachBenchmark runs f for every row and both element types.
func eachBenchmark(b *testing.B, f32 func(b *testing.B, row *Set[float32]),
	f64 func(b *testing.B, row *Set[float64])) {
	for _, row := range All[float32]() {
		b.Run(row.Name+"/float32", func(b *testing.B) { f32(b, row) })
	}
	for _, row := range All[float64]() {
		b.Run(row.Name+"/float64", func(b *testing.B) { f64(b, row) })
	}
}

// gflops returns the row's peak in GFLOP/s: the best of a few short runs, since other programs may run on the
// machine.
func gflops[T Float](row *Set[T]) float64 {
	best := 0.0
	for range 100 {
		start := time.Now()
		flops := row.Peak(10_000)
		best = max(best, flops/time.Since(start).Seconds()/1e9)
	}
	return best
}

func BenchmarkPeak(b *testing.B) { eachBenchmark(b, benchmarkPeak[float32], benchmarkPeak[float64]) }

func benchmarkPeak[T Float](b *testing.B, row *Set[T]) {
	b.ReportMetric(row.Peak(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

func BenchmarkTile(b *testing.B) { eachBenchmark(b, benchmarkTiles[float32], benchmarkTiles[float64]) }

// benchmarkTiles multiplies panels that stay in cache and says what share of the peak that is. One op is 100
// products.
func benchmarkTiles[T Float](b *testing.B, row *Set[T]) {
	peak := gflops(row)
	for _, tile := range append(row.Narrow[:1:1], row.Tiles...) {
		for _, vectors := range []int{1, 2, 6, 16} {
			for _, k := range []int{64, 256, 576} {
				b.Run(name("%dx%dx%d/k=%d", tile.Groups, tile.Rows, vectors, k), func(b *testing.B) {
					p := packed(tile, row.Lanes, vectors, k)
					copy(p.a, tame[T](len(p.a)))
					copy(p.b, tame[T](len(p.b)))
					const products = 100
					rate := 0.0 // the best of the batches, as the peak is
					for b.Loop() {
						start := time.Now()
						for range products {
							p.mul(tile, p.c)
						}
						flops := float64(products * 2 * k * len(p.c))
						rate = max(rate, flops/time.Since(start).Seconds()/1e9)
					}
					b.ReportMetric(rate, "GFLOP/s")
					b.ReportMetric(100*rate/peak, "%peak")
				})
			}
		}
	}
}

// tame returns n ordinary values.
func tame[T Float](n int) []T {
	x := make([]T, n)
	fill(rand.New(rand.NewPCG(3, 4)), x, true)
	return x
}

// sizeOf returns the bytes of an element.
func sizeOf[T Float]() int { return int(unsafe.Sizeof(*new(T))) }

func BenchmarkGather(b *testing.B) {
	eachBenchmark(b, benchmarkGather[float32], benchmarkGather[float64])
}

// benchmarkGather copies runs, as packing an image's rows does, to a panel of 256 lines.
func benchmarkGather[T Float](b *testing.B, row *Set[T]) {
	for _, width := range []int{4, 8, 14, 16, 24, 32, 48} {
		b.Run(name("width=%d", width), func(b *testing.B) {
			const count = 256
			stride := max(48, width)
			src, dst, off := tame[T](8192), make([]T, count*stride), make([]int, count)
			for i := range off {
				off[i] = i * 29 % (8192 - width)
			}
			b.SetBytes(int64(count * width * sizeOf[T]()))
			for b.Loop() {
				row.Gather(dst, stride, src, off, width)
			}
		})
	}
}

func BenchmarkInterleave(b *testing.B) {
	eachBenchmark(b, benchmarkInterleave[float32], benchmarkInterleave[float64])
}

// benchmarkInterleave transposes weights or codes of n elements each: 3x3 taps (9) and rows of images.
func benchmarkInterleave[T Float](b *testing.B, row *Set[T]) {
	for _, rows := range []int{4, 8, 48} {
		for _, n := range []int{4, 8, 9, 16, 32, 1000} {
			b.Run(name("rows=%d/n=%d", rows, n), func(b *testing.B) {
				src, dst, off := tame[T](rows*n), make([]T, rows*n), make([]int, rows)
				for i := range off {
					off[i] = i * n
				}
				b.SetBytes(int64(rows * n * sizeOf[T]()))
				for b.Loop() {
					row.Interleave(dst, rows, src, off, n)
				}
			})
		}
	}
}

func BenchmarkElementwise(b *testing.B) {
	eachBenchmark(b, benchmarkElementwise[float32], benchmarkElementwise[float64])
}

// benchmarkElementwise runs on slices in the first-level cache, and on a length that is mostly remainder.
func benchmarkElementwise[T Float](b *testing.B, row *Set[T]) {
	for _, f := range functions[T]() {
		for _, n := range []int{31, 1024} {
			b.Run(name("%s/n=%d", f.field, n), func(b *testing.B) {
				x := [][]T{tame[T](n), tame[T](n), tame[T](n)}
				p := []T{0.5, 0.5, 0.25, 1}
				b.SetBytes(int64((f.slices + f.outputs - 1) * n * sizeOf[T]()))
				for b.Loop() {
					f.run(row, x, p)
				}
			})
		}
	}
}

func BenchmarkMaxPool2(b *testing.B) {
	eachBenchmark(b, benchmarkMaxPool2[float32], benchmarkMaxPool2[float64])
}

// benchmarkMaxPool2 runs on planes in the first-level cache, of as many elements in all.
func benchmarkMaxPool2[T Float](b *testing.B, row *Set[T]) {
	for _, side := range []int{7, 15, 31, 32} {
		planes := 1024 / (side * side)
		x, dx, y := tame[T](planes*side*side), make([]T, planes*side*side), make([]T, planes*(side/2)*(side/2))
		b.Run(name("value/side=%d", side), func(b *testing.B) {
			b.SetBytes(int64((len(x) + len(y)) * sizeOf[T]()))
			for b.Loop() {
				row.MaxPool2(y, x, side, side)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/element")
		})
		b.Run(name("gradient/side=%d", side), func(b *testing.B) {
			b.SetBytes(int64((2*len(x) + len(y)) * sizeOf[T]()))
			for b.Loop() {
				row.MaxPool2Grad(dx, x, y, side, side)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(x)), "ns/element")
		})
	}
}

func BenchmarkReduce(b *testing.B) {
	eachBenchmark(b, benchmarkReduce[float32], benchmarkReduce[float64])
}

func benchmarkReduce[T Float](b *testing.B, row *Set[T]) {
	const n = 1024
	x, y := tame[T](n), tame[T](n)
	b.Run("Sum", func(b *testing.B) {
		b.SetBytes(int64(n * sizeOf[T]()))
		for b.Loop() {
			row.Sum(x)
		}
	})
	b.Run("SumSquares", func(b *testing.B) {
		b.SetBytes(int64(n * sizeOf[T]()))
		for b.Loop() {
			row.SumSquares(x, 1)
		}
	})
	b.Run("Dot", func(b *testing.B) {
		b.SetBytes(int64(2 * n * sizeOf[T]()))
		for b.Loop() {
			row.Dot(x, y, 1)
		}
	})
}

func BenchmarkSum(b *testing.B) { eachBenchmark(b, benchmarkSum[float32], benchmarkSum[float64]) }

// benchmarkSum adds up planes of images that stay in cache, of the sizes that BatchNorm meets.
func benchmarkSum[T Float](b *testing.B, row *Set[T]) {
	for _, plane := range []int{16, 64, 256, 1024} {
		b.Run(name("plane=%d", plane), func(b *testing.B) {
			x, sum := tame[T](4096), 0.0
			b.SetBytes(int64(len(x) * sizeOf[T]()))
			for b.Loop() {
				for at := 0; at < len(x); at += plane {
					sum += row.Sum(x[at : at+plane])
				}
			}
		})
	}
}
