// Package parallel spreads independent pieces of work over goroutines.
//
// It is for loops whose pieces write to disjoint memory: which goroutine does a piece, and when, can then change
// nothing in the result. It knows nothing of numbers.
package parallel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Workers is the number of goroutines that For uses for n pieces: GOMAXPROCS, or n if that is less.
func Workers(n int) int { return max(1, min(n, runtime.GOMAXPROCS(0))) }

// For calls body(worker, i) once for every i in [0, n) and returns when all calls have. Calls that share a worker number
// (0 <= worker < Workers(n)) never overlap, so a worker number may index scratch memory. Pieces are handed out one by one
// in ascending order. A panic in body is raised again in the caller, with the stack where it happened.
func For(n int, body func(worker, i int)) {
	workers := Workers(n)
	if workers == 1 {
		for i := range n {
			body(0, i)
		}
		return
	}
	var next atomic.Int64
	var group errgroup.Group
	for worker := range workers {
		group.Go(func() (err error) {
			defer func() {
				if r := recover(); r != nil {
					next.Store(int64(n)) // the others need not start another piece
					err = &Panic{Value: r, Stack: debug.Stack()}
				}
			}()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				body(worker, i)
			}
		})
	}
	if err := group.Wait(); err != nil {
		panic(err)
	}
}

// Ranges cuts [0, n) into pieces of at least grain elements and calls body(lo, hi) for each, as For does.
func Ranges(n, grain int, body func(lo, hi int)) {
	pieces := min(4*runtime.GOMAXPROCS(0), n/max(1, grain))
	if pieces <= 1 || runtime.GOMAXPROCS(0) == 1 {
		if n > 0 {
			body(0, n)
		}
		return
	}
	For(pieces, func(_, i int) { body(i*n/pieces, (i+1)*n/pieces) })
}

// Panic is what For raises when one of its goroutines panicked.
type Panic struct {
	Value any    // what the goroutine panicked with
	Stack []byte // where
}

func (p *Panic) Error() string { return fmt.Sprintf("%v\n\ngoroutine stack:\n%s", p.Value, p.Stack) }
