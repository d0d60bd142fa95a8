package gemm

import (
	"sync"

	"sdref/internal/kernel"
)

// Workspace is the scratch memory of one goroutine's products. The zero value is ready for use.
type Workspace[T kernel.Float] struct {
	Floats  []T   // for the caller's use
	Result  []T   // likewise: a product on its way elsewhere
	Offsets []int // likewise

	product product[T]
	strips  []strip[T]
	plan    []panel
	vectors vectors
	runs    []run
	panels  []T   // packed panels, each links x width
	links   []int // where their links lie
	scratch []T   // tiles that do not fit C as it lies: group x rows x width
}

// pool keeps workspaces from one product to the next, so that a training step allocates nothing large. Unlike sync.Pool it
// forgets nothing; it holds as many as were ever in use at once.
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

// Take returns n workspaces, which the caller gives back by Give.
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

// Give gives workspaces back.
func Give[T kernel.Float](list []*Workspace[T]) {
	p := poolOf[T]()
	p.Lock()
	defer p.Unlock()
	for i := len(list) - 1; i >= 0; i-- { // the same ones serve the same purposes next time
		p.free = append(p.free, list[i])
	}
}
