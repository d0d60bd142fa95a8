package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestForVisitsEveryPieceOnce(t *testing.T) {
	for _, procs := range []int{1, 2, 7} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		for _, n := range []int{0, 1, 2, 6, 7, 8, 1000} {
			visits := make([]atomic.Int32, n)
			busy := make([]atomic.Int32, Workers(n))
			For(n, func(worker, i int) {
				if busy[worker].Add(1) != 1 {
					t.Errorf("procs %d: worker %d runs two pieces at once", procs, worker)
				}
				visits[i].Add(1)
				busy[worker].Add(-1)
			})
			for i := range visits {
				if v := visits[i].Load(); v != 1 {
					t.Fatalf("procs %d, n %d: piece %d was visited %d times", procs, n, i, v)
				}
			}
		}
	}
}

func TestRangesCoverWithoutOverlap(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(3))
	for _, n := range []int{0, 1, 5, 99, 100, 101, 12345} {
		visits := make([]atomic.Int32, n)
		Ranges(n, 10, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				visits[i].Add(1)
			}
		})
		for i := range visits {
			if v := visits[i].Load(); v != 1 {
				t.Fatalf("n %d: element %d was visited %d times", n, i, v)
			}
		}
	}
}

func TestForRaisesPanicInCaller(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	defer func() {
		p, ok := recover().(*Panic)
		if !ok || p.Value != "piece 3" {
			t.Errorf("recovered %v, want the panic of piece 3", p)
		}
	}()
	For(8, func(_, i int) {
		if i == 3 {
			panic("piece 3")
		}
	})
	t.Error("For returned")
}

// TestForUnderPressure: many loops at once, short and long ones, with helpers that fall asleep in between and
// callers that are delayed.
func TestForUnderPressure(t *testing.T) {
	for _, procs := range []int{2, 3, 16} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
		var callers sync.WaitGroup
		var total atomic.Int64
		for c := range 8 {
			callers.Go(func() {
				for i := range 300 {
					if i%100 == 99 {
						time.Sleep(spinTime * 2)
					}
					For(2+(i+c)%5, func(_, _ int) { total.Add(1) })
				}
			})
		}
		callers.Wait()
		want := int64(0)
		for c := range 8 {
			for i := range 300 {
				want += int64(2 + (i+c)%5)
			}
		}
		if total.Load() != want {
			t.Fatalf("%d processors: %d pieces were done, want %d", procs, total.Load(), want)
		}
	}
}

// TestNothingIsLeft: a while after a loop, its goroutines have ended.
func TestNothingIsLeft(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	before := runtime.NumGoroutine()
	var most atomic.Int64
	For(64, func(_, _ int) {
		most.Store(max(most.Load(), int64(runtime.NumGoroutine())))
		busy(50 * time.Microsecond)
	})
	if most.Load() <= int64(before) {
		t.Error("no goroutine helped")
	}
	for range 1000 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines a second after the loop, %d before it", runtime.NumGoroutine(), before)
}

// TestBubble: loops run within a bubble, whose clock stands still, while others run outside and share their helpers.
func TestBubble(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	var stop atomic.Bool
	var outside sync.WaitGroup
	outside.Go(func() {
		for !stop.Load() {
			For(2, func(_, _ int) {})
		}
	})
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			var total atomic.Int64
			for range 50 {
				For(5, func(_, _ int) { total.Add(1) })
			}
			time.Sleep(time.Hour) // of the bubble's clock, which moves only if all its goroutines wait or have ended
			if total.Load() != 250 {
				t.Errorf("%d pieces were done, want 250", total.Load())
			}
		})
	}
	stop.Store(true)
	outside.Wait()
}

// TestWorkersAreDecidedOnce: GOMAXPROCS grows between the caller's question and the loop.
func TestWorkersAreDecidedOnce(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	scratch := make([]int, Workers(100))
	runtime.GOMAXPROCS(8)
	Spread(len(scratch), 100, func(worker, _ int) { scratch[worker]++ })
	if scratch[0] != 100 {
		t.Errorf("worker 0 did %d pieces of 100", scratch[0])
	}
}
