// Package parallel spreads independent pieces of work over goroutines.
//
// It is for loops whose pieces write to disjoint memory: then the result does not depend on which goroutine
// does a piece, and when. It knows nothing of numbers.
package parallel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Grain is the least number of elements that a loop over elements gives a goroutine of its own: some ten
// microseconds of memory traffic.
const Grain = 1 << 14

// Workers is the number of goroutines that For uses for n pieces: GOMAXPROCS, which follows the processors that the system, or a
// container's limit, gives the process; or n if that is less.
func Workers(n int) int { return max(1, min(n, runtime.GOMAXPROCS(0))) }

// For calls body(worker, i) once for every i in [0, n) and returns when all calls have, on Workers(n) goroutines. Otherwise it is
// Spread.
func For(n int, body func(worker, i int)) { Spread(Workers(n), n, body) }

// Spread calls body(worker, i) once for every i in [0, n), on so many goroutines at most, and returns when all calls have. Calls that
// share a worker number (0 <= worker < workers) never overlap, so a worker number may index scratch memory that the caller has made
// for Workers(n): GOMAXPROCS may have changed since. Pieces are handed out one by one in ascending order. A panic in body is raised
// again in the caller, with the stack where it happened.
//
// A goroutine that helped waits for another loop for a fraction of a millisecond, and then ends.
func Spread(workers, n int, body func(worker, i int)) {
	if workers = min(workers, n); workers <= 1 {
		for i := range n {
			body(0, i)
		}
		return
	}
	l := &loop{body: body, n: int64(n)}
	l.helpers.Store(int64(workers - 1))
	l.done.Lock()
	for worker := 1; worker < workers; worker++ {
		idleHelper().task.Store(&task{l, worker})
	}
	l.work(0)
	if !spinUntil(func() bool { return l.helpers.Load() == 0 }) {
		l.done.Lock()
	}
	if p := l.panicked.Load(); p != nil {
		panic(p)
	}
}

// loop is one call of For.
type loop struct {
	body     func(worker, i int)
	n        int64
	next     atomic.Int64          // the first piece that no goroutine has taken
	helpers  atomic.Int64          // helpers that are still at work
	done     sync.Mutex            // unlocked when no helper is at work any more
	panicked atomic.Pointer[Panic] // the first panic
}

// work does pieces until there are none left.
func (l *loop) work(worker int) {
	defer func() {
		if r := recover(); r != nil {
			l.next.Store(l.n) // the others need not start another piece
			l.panicked.CompareAndSwap(nil, &Panic{Value: r, Stack: debug.Stack()})
		}
	}()
	for {
		i := l.next.Add(1) - 1
		if i >= l.n {
			return
		}
		l.body(worker, int(i))
	}
}

// Ranges cuts [0, n) into pieces of at least grain elements and calls body(lo, hi) for each, as For does.
func Ranges(n, grain int, body func(lo, hi int)) {
	workers := runtime.GOMAXPROCS(0)
	pieces := min(4*workers, n/max(1, grain))
	if pieces <= 1 || workers == 1 {
		if n > 0 {
			body(0, n)
		}
		return
	}
	Spread(workers, pieces, func(_, i int) { body(i*n/pieces, (i+1)*n/pieces) })
}

// Panic is the value with which For panics when one of its goroutines panicked.
type Panic struct {
	Value any    // what the goroutine panicked with
	Stack []byte // the goroutine's stack
}

// Unwrap returns what the goroutine panicked with if that is an error, so that errors.As finds it.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\ngoroutine stack:\n%s", p.Value, p.Stack) }
