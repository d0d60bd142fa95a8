package gemm

import (
	"sync"

	"sdref/internal/kernel"
)

// Workspace is the scratch memory of one goroutine's products. The zero value is ready for use.
type Workspace[T kernel.Float] struct {
	Floats  []T   // for the caller's use
	Result  []T   // for the caller's use: a product that is then copied elsewhere
	Offsets []int // for the caller's use

	product product[T]
	strips  []strip[T]
	plan    []panel
	vectors vectors
	runs    []run
	panels  []T   // packed panels, each (links, width)
	links   []int // where the links of a packed panel lie
	scratch []T   // tiles that cannot be written to C directly: (group, rows, width)
}

// pool keeps workspaces from one product to the next, so that a training step allocates nothing large. Unlike
// sync.Pool it never drops any; it has as many as were ever in use at once.
type pool struct {
	sync.Mutex
	free []any
}

var pool32, pool64 pool

func poolOf[T kernel.Float]() *pool {
	if _, double := any(T(0)).(float64); double {
		return &pool64
	}
	return &pool32
}

// Take returns n workspaces, which the caller returns by Give.
func Take[T kernel.Float](n int) []*Workspace[T] {
	p := poolOf[T]()
	p.Lock()
	defer p.Unlock()
	list := make([]*Workspace[T], n)
	for i := range list {
		if last := len(p.free) - 1; last >= 0 {
			list[i], p.free = p.free[last].(*Workspace[T]), p.free[:last]
		} else {
			list[i] = new(Workspace[T])
		}
	}
	return list
}

// Give returns workspaces to the pool.
func Give[T kernel.Float](list []*Workspace[T]) {
	p := poolOf[T]()
	p.Lock()
	defer p.Unlock()
	// In reverse, so that the next Take of as many returns them in the same order.
	for i := len(list) - 1; i >= 0; i-- {
		p.free = append(p.free, list[i])
	}
}
