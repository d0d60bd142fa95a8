package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// A helper is a goroutine that waits for loops to help with. Starting a goroutine for each loop would take longer than many loops
// do: a processor that sleeps needs some 100 microseconds to wake up. So a helper stays awake for a while after each loop.
type helper struct {
	task   atomic.Pointer[task]
	asleep atomic.Bool
	wake   chan struct{}
}

type task struct {
	*loop
	worker int
}

// awake is how long a helper, or a caller whose helpers are still at work, looks for news before it sleeps: longer than the serial
// work between most loops, too short to be noticed in a program that has done its work.
const awake = 200 * time.Microsecond

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

// give sets an idle helper to work.
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
		idle.Lock() // before the caller hears of it, so that its next loop finds the helper
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
		// A task that came before that was said brings no wake-up call, unless its giver has seen it after all. And a giver who was
		// held up may wake the helper for a task that it has done already.
		if h.task.Load() == nil || !h.asleep.CompareAndSwap(true, false) {
			<-h.wake
		}
	}
}

// spinUntil reports whether the condition came true while it was awake. Where goroutines outnumber processors it does not wait:
// the others need them.
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
		if time.Since(start) > awake {
			return false
		}
	}
}
