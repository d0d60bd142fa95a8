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

// newWork shares out images whose pixels are columns of a product, in panels of the given width.
func newWork[T tensor.Float](images, pixels, strips, panel int) *work[T] {
	w := &work[T]{images: images, group: 1, strips: strips, parts: 1}
	workers := parallel.Workers(images * strips)
	share := images * pixels / workers
	empty := (share+panel-1)/panel*panel - share      // columns of a goroutine's last panel
	if share >= groupPixels*2/3 || empty*16 < share { // as many pieces for each goroutine
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

// multiply computes strips s0..s1-1 of left times the columns of l and puts them where l says, row r at out[r*rowStride:].
func multiply[T tensor.Float](left *gemm.Left[T], s0, s1 int, right *columns[T], l lattice, side int, out []T, rowStride int, ws *gemm.Workspace[T]) {
	n := len(l.pixel)
	if side == 1 || n == 0 {
		left.Multiply(s0, s1, right, 0, n, gemm.Target[T]{Data: out, RowStride: rowStride, Cols: l.out}, false, ws)
		return
	}
	// Images lie side by side in the columns and apart in out. Each row is parted once it is complete, so that out is written
	// by whole images.
	r0, r1 := left.Rows(s0, s1)
	ws.Result = gemm.Grow(ws.Result, r1*n)
	left.Multiply(s0, s1, right, 0, n, gemm.Target[T]{Data: ws.Result, RowStride: n}, false, ws)
	images, pixels := l.images, n/l.images
	starts := gemm.Offsets(pixels, images)
	dense := l.out[n-images]-l.out[0] == pixels-1 // an image's pixels lie side by side
	for r := r0; r < r1; r++ {
		row, to := ws.Result[r*n:(r+1)*n], out[r*rowStride:]
		if dense && images > 1 {
			right.set.Interleave(to[l.out[0]:], l.out[1]-l.out[0], row, starts, images)
			continue
		}
		for i := range images {
			for _, q := range starts {
				to[l.out[q+i]] = row[q+i]
			}
		}
	}
}
