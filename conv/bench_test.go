package conv

import (
	"fmt"
	"testing"

	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// BenchmarkConv reports the speed of the three contractions on the 3x3 shapes of SDNet-18 with 32 images, per
// kernel row, and their share of the multiply-add peak of all cores, measured directly before and after.
func BenchmarkConv(b *testing.B) {
	benchmark[float32](b, "float32")
	benchmark[float64](b, "float64")
}

func benchmark[T tensor.Float](b *testing.B, typeName string) {
	defer kernel.Use(kernel.ActiveName())
	for _, row := range kernel.Rows[T]() {
		if row.Name == "generic" {
			continue // the definition of the bits, not of speed
		}
		for _, s := range []struct{ c, m, h, k, stride int }{
			{64, 64, 32, 3, 1}, {128, 128, 16, 3, 1}, {256, 256, 8, 3, 1}, {512, 512, 4, 3, 1},
			{64, 128, 32, 3, 2}, {128, 256, 16, 3, 2}, {256, 512, 8, 3, 2}, {64, 128, 32, 1, 2},
			{3, 64, 32, 3, 1},
		} {
			benchmarkShape[T](b, row, typeName, s.c, s.m, s.h, s.k,
				Geometry{Stride: s.stride, Padding: s.k / 2})
			if s.k == 3 && s.stride == 1 {
				benchmarkShape[T](b, row, typeName, s.c, s.m, s.h, s.k,
					Geometry{Padding: 1, Algorithm: Winograd})
			}
		}
	}
}

// benchmarkShape reports all algorithms' speed in the direct algorithm's operations, so that the rates
// compare as times do.
func benchmarkShape[T tensor.Float](b *testing.B, row *kernel.Set[T], typeName string, c, m, h, k int,
	g Geometry) {
	x, w := tensor.New[T](32, c, h, h), tensor.New[T](m, c, k, k)
	y := tensor.New[T](g.CodeShape(x.Shape, w.Shape)...)
	tensor.FillUniform(x, 1, 1, 0)
	tensor.FillUniform(w, 2, 1, 0)
	tensor.FillUniform(y, 3, 1, 0)
	flops := 2 * float64(y.Len()) * float64(c*k*k)
	name := fmt.Sprintf("%s/%s/%dx%dx%d/%dx%d/stride%d", row.Name, typeName, c, m, h, k, k, g.stride())
	if g.Algorithm != Direct {
		name += "/" + g.Algorithm.String()
	}
	for _, f := range []struct {
		name string
		call func()
	}{
		{"forward", func() { Forward(y, x, w, g) }},
		{"transpose", func() { Transpose(x, y, w, g) }},
		{"filter", func() { WeightGradient(w, x, y, g) }},
	} {
		b.Run(f.name+"/"+name, func(b *testing.B) {
			if err := kernel.Use(row.Name); err != nil {
				b.Fatal(err)
			}
			f.call() // the first one allocates and touches memory
			before := gemm.Peak(row)
			for b.Loop() {
				f.call()
			}
			rate := flops * float64(b.N) / b.Elapsed().Seconds()
			b.ReportMetric(rate/1e9, "GFLOP/s")
			b.ReportMetric(rate/((before+gemm.Peak(row))/2), "share")
		})
	}
}
