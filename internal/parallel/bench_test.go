package parallel

import (
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkFor measures the overhead of a loop: it has two pieces of the given length, which two goroutines
// should do in the time of one. The pause before the loop is the serial work between two loops.
func BenchmarkFor(b *testing.B) {
	for _, piece := range []time.Duration{0, 20 * time.Microsecond, 100 * time.Microsecond} {
		b.Run(piece.String(), func(b *testing.B) {
			var total atomic.Int64
			for b.Loop() {
				busy(10 * time.Microsecond)
				start := time.Now()
				For(2, func(_, _ int) { busy(piece) })
				total.Add(int64(time.Since(start) - piece))
			}
			b.ReportMetric(float64(total.Load())/float64(b.N), "ns-beside/op")
		})
	}
}

func busy(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}
