// Package paralleltest counts, in tests, the goroutines that work starts.
package paralleltest

import (
	"runtime"
	"runtime/metrics"
	"strings"
	"time"
)

// Started is how many goroutines are started while f runs. Nothing else may run beside it.
func Started(f func()) uint64 {
	for stacks := make([]byte, 1<<20); strings.Contains(string(stacks[:runtime.Stack(stacks, true)]), "(*helper).run"); {
		time.Sleep(time.Millisecond) // those of the work before would help
	}
	runtime.GC() // the collector has its goroutines then
	count := []metrics.Sample{{Name: "/sched/goroutines-created:goroutines"}}
	metrics.Read(count)
	before := count[0].Value.Uint64()
	f()
	metrics.Read(count)
	return count[0].Value.Uint64() - before
}
