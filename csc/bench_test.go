package csc

import (
	"fmt"
	"testing"

	"sdref/tensor"
)

// BenchmarkMatrixLayer sets two iterations of FISTA on tokens beside the three matrix products that they consist of.
func BenchmarkMatrixLayer(b *testing.B) {
	for _, size := range [][3]int{{1024, 256, 1024}, {4096, 384, 1536}} { // tokens, channels, atoms
		n, c, m := size[0], size[1], size[2]
		x, w := fill[float32](1, 1, n, c), fill[float32](2, 1, m, c)
		r, z := tensor.New[float32](n, c), tensor.New[float32](n, m)
		NormalizeAtoms(w)
		gflops := func(b *testing.B) {
			b.ReportMetric(3*2*float64(n*c*m)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		}
		b.Run(fmt.Sprintf("%dx%dx%d/layer", n, c, m), func(b *testing.B) {
			solver := NewSolver[float32](x.Shape, w.Shape, Settings{Lambda: 0.1, Nonnegative: true, Iterations: 2}, false)
			for b.Loop() {
				solver.Run(x, w, 0.01, nil)
			}
			gflops(b)
		})
		b.Run(fmt.Sprintf("%dx%dx%d/products", n, c, m), func(b *testing.B) {
			for b.Loop() {
				tensor.MatMul(z, x, w, false, true)
				tensor.MatMul(r, z, w, false, false)
				tensor.MatMul(z, r, w, false, true)
			}
			gflops(b)
		})
	}
}
