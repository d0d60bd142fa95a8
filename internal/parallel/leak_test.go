package parallel

import (
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestNothingIsLeftBehind: after loops of every sort, one that panicked included, no goroutine of this package is alive for longer than
// some milliseconds.
func TestNothingIsLeftBehind(t *testing.T) {
	for range 50 {
		For(64, func(_, _ int) {})
		Ranges(1<<20, 1, func(_, _ int) {})
		Spread(8, 100, func(_, _ int) { runtime.Gosched() })
		func() {
			defer func() { recover() }()
			For(8, func(_, i int) { panic(i) })
		}()
	}
	stacks := func() string {
		text := make([]byte, 1<<20)
		return string(text[:runtime.Stack(text, true)])
	}
	deadline := time.Now().Add(5 * time.Second)
	for strings.Contains(stacks(), "(*helper).run") {
		if time.Now().After(deadline) {
			t.Fatalf("a helper is left:\n%s", stacks())
		}
		time.Sleep(time.Millisecond)
	}
}
