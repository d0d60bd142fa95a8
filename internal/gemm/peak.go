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
	for iterations := 1000; ; iterations *= 2 {
		start := time.Now()
		flops := MultiplyAdds(row, iterations)
		if elapsed := time.Since(start); elapsed > 50*time.Millisecond {
			return flops / elapsed.Seconds()
		}
	}
}

// MultiplyAdds does nothing but multiply-adds on all cores, so many iterations of a kernel row's loop on each, and returns how many
// floating-point operations these were.
func MultiplyAdds[T kernel.Float](row *kernel.Set[T], iterations int) (flops float64) {
	done := make([]float64, runtime.GOMAXPROCS(0))
	parallel.For(len(done), func(_, i int) { done[i] = row.Peak(iterations) })
	for _, f := range done {
		flops += f
	}
	return flops
}
