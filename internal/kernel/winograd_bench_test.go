package kernel

import "testing"

func BenchmarkWinogradTransform(b *testing.B) {
	eachBenchmark(b, benchmarkTransforms[float32], benchmarkTransforms[float64])
}

// benchmarkTransforms transforms squares of 64 channels in the first-level cache; bytes are those read and
// written.
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
