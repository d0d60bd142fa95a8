// Package form is what conv hands to its algorithms: the sizes of one evaluation of the convolutions'
// trilinear form,
//
//	<y, Forward(x, w)> = sum y[n,m,i,j] w[m,c,u,v] x[n, c, i*s+u*d-p, j*s+v*d-p] ,
//
// and what a caller wants done with the planes of a result.
//
// It is for packages conv, direct and winograd. It does not check sizes, which conv does, and knows no
// algorithm.
package form

import "sdref/internal/parallel"

// Form is all sizes of one evaluation of the trilinear form.
type Form struct {
	N, C, H, W int // of x
	M, KH, KW  int // of the kernel w (M, C, KH, KW)
	Ho, Wo     int // of y (N, M, Ho, Wo)
	S, D       int // stride and dilation
	PH, PW     int // padding; 0 along an axis that the signal does not have

	Workers parallel.Limit // of the goroutines
}

// Taps is the number of kernel elements per output channel.
func (f Form) Taps() int { return f.C * f.KH * f.KW }

// Then is an epilogue: what else is to be done with a result while it is in the caches. It is called with a
// few planes at a time, those of channels c, c+1, ... of one image, which are elements lo..hi-1 of the
// result, and with every plane exactly once. Several goroutines call it at once.
type Then func(c, lo, hi int)

// thenElements is about the number of elements that a Then sees at a time: more than a call costs, few enough
// to stay in the first-level cache from one operation to the next.
const thenElements = 2048

// Planes calls t for planes p0..p1-1, each of size elements, of a batch of images with so many channels.
func (t Then) Planes(p0, p1, channels, size int) {
	maxPlanes := max(1, thenElements/max(1, size))
	for p := p0; p < p1; {
		next := min(p1, p+maxPlanes, p-p%channels+channels)
		t(p%channels, p*size, next*size)
		p = next
	}
}

// All calls t, if there is one, for all planes of a result of the given shape, on at most so many goroutines, or GOMAXPROCS if 0.
func (t Then) All(shape []int, workers int) {
	if t == nil {
		return
	}
	size := 1
	for _, n := range shape[2:] {
		size *= n
	}
	parallel.Limit(workers).Ranges(shape[0]*shape[1], max(1, parallel.Grain/max(1, size)), func(lo, hi int) {
		t.Planes(lo, hi, shape[1], size)
	})
}

// InRange returns the range of r in [0, n) for which 0 <= first + r*step < size.
func InRange(n, size, first, step int) (lo, hi int) {
	lo = min(n, max(0, (-first+step-1)/step))
	return lo, max(lo, min(n, (size-first+step-1)/step))
}
