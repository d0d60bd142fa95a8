package conv

import (
	"sync"

	"sdref/internal/gemm"
	"sdref/tensor"
)

// workspace is the scratch memory of one goroutine in one contraction.
type workspace[T tensor.Float] struct {
	gemm.Workspace[T]
	left   gemm.Left[T]
	staged []T
	pixel  []int // where each output pixel's taps start in staged
	out    []int // where each output pixel goes
}

// pool keeps workspaces from one contraction to the next, so that a training step allocates nothing large. Unlike sync.Pool
// it forgets nothing; it holds as many as were ever in use at once.
type pool struct {
	sync.Mutex
	free []any
}

var pool32, pool64 pool

func poolOf[T tensor.Float]() *pool {
	if _, double := any(T(0)).(float64); double {
		return &pool64
	}
	return &pool32
}

// takeSpaces returns n workspaces; the caller gives them back with giveSpaces.
func takeSpaces[T tensor.Float](n int) []*workspace[T] {
	p := poolOf[T]()
	p.Lock()
	defer p.Unlock()
	list := make([]*workspace[T], n)
	for i := range list {
		if last := len(p.free) - 1; last >= 0 {
			list[i], p.free = p.free[last].(*workspace[T]), p.free[:last]
		} else {
			list[i] = new(workspace[T])
		}
	}
	return list
}

func giveSpaces[T tensor.Float](list []*workspace[T]) {
	p := poolOf[T]()
	p.Lock()
	defer p.Unlock()
	for _, w := range list {
		p.free = append(p.free, w)
	}
}
