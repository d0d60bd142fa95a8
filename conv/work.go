package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// work is a product whose columns are the pixels of a batch, cut into pieces: groups of images and, where there are fewer of
// these than goroutines, ranges of strips as well.
type work[T tensor.Float] struct {
	images, group int // group: images in a piece
	strips, parts int
	spaces        []*gemm.Workspace[T]
}

// groupPixels is about the number of output pixels that make a good piece: enough panels to share the weights' way through the
// caches, and a stage that still fits there.
const groupPixels = 768

func newWork[T tensor.Float](images, pixels, strips int) *work[T] {
	w := &work[T]{images: images, group: 1, strips: strips, parts: 1}
	workers := parallel.Workers(images * strips)
	if share := images * pixels / workers; share >= groupPixels*2/3 { // as many pieces for each goroutine
		groups := workers * max(1, (share+groupPixels/2)/groupPixels)
		w.group = (images + groups - 1) / groups
	} else { // few pixels, which fill panels badly when shared out
		w.group = max(1, min(images, groupPixels/pixels))
	}
	if groups := w.groups(); groups < workers {
		w.parts = min(strips, (workers+groups-1)/groups)
	}
	w.spaces = gemm.Take[T](parallel.Workers(w.groups() * w.parts))
	return w
}

func (w *work[T]) groups() int { return (w.images + w.group - 1) / w.group }

// run calls body for images n0..n1-1 and strips s0..s1-1 of every piece.
func (w *work[T]) run(body func(ws *gemm.Workspace[T], n0, n1, s0, s1 int)) {
	parallel.For(w.groups()*w.parts, func(worker, i int) {
		n, part := i/w.parts*w.group, i%w.parts
		body(w.spaces[worker], n, min(n+w.group, w.images), part*w.strips/w.parts, (part+1)*w.strips/w.parts)
	})
}

func (w *work[T]) done() { gemm.Give(w.spaces) }
