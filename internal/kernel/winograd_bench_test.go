package kernel

import (
	"testing"
	"time"
)

func BenchmarkWinogradTransform(b *testing.B) {
	eachBenchmark(b, benchmarkTransforms[float32], benchmarkTransforms[float64])
}

// benchmarkTransforms transforms squares of 64 channels in the first-level cache; bytes are those read and written.
func benchmarkTransforms[T Float](b *testing.B, row *Set[T]) {
	const n = 64
	for _, f := range transformsOf(&row.Winograd) {
		b.Run(f.name, func(b *testing.B) {
			src, dst := tame[T](f.in*f.in*n), make([]T, f.out*f.out*n)
			b.SetBytes(int64((len(src) + len(dst)) * sizeOf[T]()))
			for b.Loop() {
				f.run(dst, f.out*n, n, src, f.in*n, n, n)
			}
		})
	}
}

func BenchmarkWinogradProduct(b *testing.B) {
	eachBenchmark(b, benchmarkProducts[float32], benchmarkProducts[float64])
}

// benchmarkProducts multiplies operands that stay in cache and says what share of the peak that is. One op is 100 products.
func benchmarkProducts[T Float](b *testing.B, row *Set[T]) {
	peak := gflops(row)
	const k, products = 64, 100
	for _, p := range row.Winograd.Products {
		for _, tile := range p.Tiles {
			b.Run(name("%dx%d", tile.Rows, p.Cols), func(b *testing.B) {
				x, y, c := tame[T](k*tile.Rows), tame[T](k*p.Cols), tame[T](tile.Rows*p.Cols)
				rate := 0.0 // the best of the batches, as the peak is
				for b.Loop() {
					start := time.Now()
					for range products {
						tile.Mul(k, x, k, 1, y, p.Cols, c, p.Cols, false)
					}
					flops := float64(products * 2 * k * tile.Rows * p.Cols)
					rate = max(rate, flops/time.Since(start).Seconds()/1e9)
				}
				b.ReportMetric(rate, "GFLOP/s")
				b.ReportMetric(100*rate/peak, "%peak")
			})
		}
	}
}
