package gemm

import (
	"runtime"
	"time"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Peak measures the multiply-add peak of all cores at once with one kernel row, in floating-point operations
// per second, over some 50 milliseconds. Other programs on the machine, and its clock, change the peak from
// second to second, so measure it right before and after what is compared with it.
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
