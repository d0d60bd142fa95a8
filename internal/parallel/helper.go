package parallel

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// helper is a goroutine that waits for loops to help with. Starting a goroutine for each loop would take
// longer than many loops do: a processor that sleeps needs some 100 microseconds to wake up. So a helper
// spins for a while after each loop, and ends if none comes: a program that is done computing has none left.
type helper struct{ task atomic.Pointer[task] }

// task is a loop, and the number of the worker that the helper is to be.
type task struct {
	*loop
	worker int
}

// spinTime is how long a helper, or a caller whose helpers are still at work, spins before it ends or sleeps: longer
// than the serial work between most loops, too short to be noticed in a program that has done its work.
const spinTime = 200 * time.Microsecond

// idle lists the helpers that have nothing to do.
var idle struct {
	sync.Mutex
	helpers []*helper
}

// idleHelper returns a helper that has nothing to do, a new one if there is none. It does not end before it has had a task.
func idleHelper() *helper {
	idle.Lock()
	defer idle.Unlock()
	if last := len(idle.helpers) - 1; last >= 0 {
		h := idle.helpers[last]
		idle.helpers = idle.helpers[:last]
		return h
	}
	h := &helper{}
	go h.run()
	return h
}

// career is the number of tasks after which a helper makes room for a new one. A goroutine that was started in a test's bubble of
// package synctest belongs to it, and would hold it up for as long as loops elsewhere keep the helper busy.
const career = 1000

func (h *helper) run() {
	for tasks := 0; tasks < career; {
		t := h.task.Swap(nil)
		if t == nil {
			if !spinUntil(func() bool { return h.task.Load() != nil }) && h.leave() {
				return
			}
			continue
		}
		t.work(t.worker)
		if tasks++; tasks < career {
			idle.Lock() // before the caller goes on, so that its next loop finds the helper
			idle.helpers = append(idle.helpers, h)
			idle.Unlock()
		}
		if t.helpers.Add(-1) == 0 {
			t.done.Unlock()
		}
	}
}

// leave takes the helper from the idle ones; it reports false if somebody else has, who will give it a task.
func (h *helper) leave() bool {
	idle.Lock()
	defer idle.Unlock()
	i := slices.Index(idle.helpers, h)
	if i >= 0 {
		idle.helpers = slices.Delete(idle.helpers, i, i+1)
	}
	return i >= 0
}

// looks is how often spinUntil looks before it lets other goroutines run.
const looks = 100

// rounds is how often spinUntil looks so many times in spinTime. It is measured when the program starts: a clock that stands still,
// as in a test's bubble of package synctest, would let goroutines spin forever.
var rounds = func() int {
	const sample = 16
	best := time.Duration(1 << 62)
	for range 4 {
		start := time.Now()
		spin(sample, func() bool { return false })
		best = min(best, time.Since(start))
	}
	return int(max(64, min(1<<14, sample*spinTime/max(best, 1))))
}()

// spinUntil reports whether the condition became true within spinTime. Where goroutines outnumber processors
// it does not wait, since the other goroutines need the processors.
func spinUntil(condition func() bool) bool {
	if runtime.GOMAXPROCS(0) > runtime.NumCPU() {
		return condition()
	}
	return spin(rounds, condition)
}

// spin looks at the condition again and again.
func spin(rounds int, condition func() bool) bool {
	for range rounds {
		for range looks {
			if condition() {
				return true
			}
		}
		runtime.Gosched()
	}
	return false
}
