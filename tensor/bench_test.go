package tensor

import (
	"testing"

	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// BenchmarkMatMul multiplies matrices of side 1024 on every kernel row and reports GFLOP/s, the multiply-add
// peak of all cores at once, and the share of it that the product reaches. The peak is measured directly
// before and after the products and averaged, since other programs and the clock change it from second to
// second.
func BenchmarkMatMul(b *testing.B) {
	for _, row := range kernel.Rows[float32]() {
		b.Run("float32/"+row.Name, func(b *testing.B) { benchmarkMatMul(b, row) })
	}
	for _, row := range kernel.Rows[float64]() {
		b.Run("float64/"+row.Name, func(b *testing.B) { benchmarkMatMul(b, row) })
	}
}

func benchmarkMatMul[T Float](b *testing.B, row *kernel.Set[T]) {
	const side = 1024
	defer kernel.Use(kernel.ActiveName())
	if err := kernel.Use(row.Name); err != nil {
		b.Fatal(err)
	}
	x, y, z := New[T](side, side), New[T](side, side), New[T](side, side)
	FillUniform(x, 1, 1, 0)
	FillUniform(y, 2, 1, 0)
	MatMul(z, x, y, false, false) // the first one allocates and touches memory
	before := gemm.Peak(row)
	for b.Loop() {
		MatMul(z, x, y, false, false)
	}
	rate := 2 * side * side * side * float64(b.N) / b.Elapsed().Seconds()
	peak := (before + gemm.Peak(row)) / 2
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(peak/1e9, "peak-GFLOP/s")
	b.ReportMetric(rate/peak, "share")
}
