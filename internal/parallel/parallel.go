// Package parallel spreads independent pieces of work over goroutines.
//
// It is for loops whose pieces write to disjoint memory: then the result does not depend on which goroutine
// does a piece, and when. It knows nothing of numbers.
package parallel

import (
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Grain is the least number of elements that a loop over elements gives a goroutine of its own: some ten
// microseconds of memory traffic.
const Grain = 1 << 14

// Limit is the greatest number of goroutines that a loop may use. GOMAXPROCS, which follows the processors that the system, or a
// container's limit, gives the process, is one too; 0 is no other.
type Limit int

// Workers is the number of goroutines that For uses for n pieces: as many as the limits allow, or n if that is less.
func (l Limit) Workers(n int) int {
	most := runtime.GOMAXPROCS(0)
	if l > 0 {
		most = min(most, int(l))
	}
	return max(1, min(n, most))
}

// For calls body(worker, i) once for every i in [0, n) and returns when all calls have, on Workers(n) goroutines. Otherwise it is
// Spread.
func (l Limit) For(n int, body func(worker, i int)) { Spread(l.Workers(n), n, body) }

// Workers is Limit.Workers with no limit but GOMAXPROCS, and For and Ranges likewise.
func Workers(n int) int { return Limit(0).Workers(n) }

// For is Limit.For.
func For(n int, body func(worker, i int)) { Limit(0).For(n, body) }

// Ranges is Limit.Ranges.
func Ranges(n, grain int, body func(lo, hi int)) { Limit(0).Ranges(n, grain, body) }

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
func (l Limit) Ranges(n, grain int, body func(lo, hi int)) {
	workers := l.Workers(math.MaxInt)
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
