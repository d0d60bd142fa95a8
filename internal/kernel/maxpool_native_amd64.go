//go:build !purego

package kernel

// nativeMaxPool is the assembly of max-pooling for rows of at least block windows.
type nativeMaxPool[T Float] struct {
	block int
	value func(dst, x *T, rows, n, width int)
	grad  func(dx, x, dy *T, rows, n, width int)
}

// maxPool returns the assembly for rows of n windows, nil if there is none.
func (k *native[T]) maxPool(n int) *nativeMaxPool[T] {
	for i := range k.pools {
		if k.pools[i].block <= n {
			return &k.pools[i]
		}
	}
	return nil
}

func (k *native[T]) runMaxPool2(dst, x []T, height, width int) {
	asm := k.maxPool(width / 2)
	if asm == nil {
		genericMaxPool2(dst, x, height, width)
		return
	}
	rows, n := height/2, width/2
	for p := range checkMaxPool2("MaxPool2", len(x), len(dst), height, width) {
		asm.value(&dst[p*rows*n], &x[p*height*width], rows, n, width)
	}
}

func (k *native[T]) runMaxPool2Grad(dx, x, dy []T, height, width int) {
	asm := k.maxPool(width / 2)
	if asm == nil {
		genericMaxPool2Grad(dx, x, dy, height, width)
		return
	}
	checkLengths("MaxPool2Grad", len(dx), len(x))
	rows, n, area := height/2, width/2, height*width
	for p := range checkMaxPool2("MaxPool2Grad", len(dx), len(dy), height, width) {
		plane := dx[p*area : (p+1)*area]
		asm.grad(&plane[0], &x[p*area], &dy[p*rows*n], rows, n, width)
		clearEdges(plane, height, width)
	}
}
