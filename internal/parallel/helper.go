package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// helper is a goroutine that waits for loops to help with. Starting a goroutine for each loop would take
// longer than many loops do: a processor that sleeps needs some 100 microseconds to wake up. So a helper
// spins for a while after each loop.
type helper struct {
	task   atomic.Pointer[task]
	asleep atomic.Bool
	wake   chan struct{}
}

// task is a loop, and the number of the worker that the helper is to be.
type task struct {
	*loop
	worker int
}

// spinTime is how long a helper, or a caller whose helpers are still at work, spins before it sleeps: longer
// than the serial work between most loops, too short to be noticed in a program that has done its work.
const spinTime = 200 * time.Microsecond

var idle struct {
	sync.Mutex
	helpers []*helper
}

// idleHelper returns a helper that has nothing to do, a new one if there is none.
func idleHelper() *helper {
	idle.Lock()
	defer idle.Unlock()
	if last := len(idle.helpers) - 1; last >= 0 {
		h := idle.helpers[last]
		idle.helpers = idle.helpers[:last]
		return h
	}
	h := &helper{wake: make(chan struct{}, 1)}
	go h.run()
	return h
}

// give hands an idle helper its next task.
func (h *helper) give(t *task) {
	h.task.Store(t)
	if h.asleep.CompareAndSwap(true, false) {
		h.wake <- struct{}{}
	}
}

func (h *helper) run() {
	for {
		t := h.await()
		t.work(t.worker)
		idle.Lock() // before the caller goes on, so that its next loop finds the helper
		idle.helpers = append(idle.helpers, h)
		idle.Unlock()
		if t.helpers.Add(-1) == 0 {
			close(t.done)
		}
	}
}

// await returns the next task.
func (h *helper) await() *task {
	for {
		if t := h.task.Swap(nil); t != nil {
			return t
		}
		if spinUntil(func() bool { return h.task.Load() != nil }) {
			continue
		}
		h.asleep.Store(true)
		// A task that came before asleep was set brings no message on wake, unless give has seen asleep after
		// all. And a call of give that was delayed may wake the helper for a task that is done already; then
		// the loop runs once more.
		if h.task.Load() == nil || !h.asleep.CompareAndSwap(true, false) {
			<-h.wake
		}
	}
}

// spinUntil reports whether the condition became true within spinTime. Where goroutines outnumber processors
// it does not wait, since the other goroutines need the processors.
func spinUntil(condition func() bool) bool {
	if runtime.GOMAXPROCS(0) > runtime.NumCPU() {
		return condition()
	}
	for start := time.Now(); ; runtime.Gosched() {
		for range 100 {
			if condition() {
				return true
			}
		}
		if time.Since(start) > spinTime {
			return false
		}
	}
}
