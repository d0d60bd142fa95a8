package gemm

import (
	"runtime"
	"time"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Peak measures the multiply-add peak of all cores at once with one kernel row, in floating-point operations per second, over
// some 50 milliseconds: what a product's speed is a share of. Another guest of the machine, or its clock, changes it from
// second to second, so measure it beside what is compared.
func Peak[T kernel.Float](row *kernel.Set[T]) float64 {
	workers := runtime.GOMAXPROCS(0)
	done := make([]float64, workers)
	for iterations := 1000; ; iterations *= 2 {
		start := time.Now()
		parallel.For(workers, func(_, i int) { done[i] = row.Peak(iterations) })
		if elapsed := time.Since(start); elapsed > 50*time.Millisecond {
			flops := 0.0
			for _, f := range done {
				flops += f
			}
			return flops / elapsed.Seconds()
		}
	}
}
