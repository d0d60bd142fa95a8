package direct

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// contraction is Forward or Transpose by plan: products of the weights, as they lie or turned, with the columns that they read of
// staged images. The images go through it in groups.
type contraction[T kernel.Float] struct {
	*plan
	set                     *kernel.Set[T]
	source, target, weights []T
	then                    form.Then
}

// run shares out the groups over goroutines or, where these are more, the parts of each group's work.
func (c contraction[T]) run() {
	workers := parallel.Workers(c.images * c.size())
	groups := (c.images + c.group - 1) / c.group
	spaces := gemm.Take[T](workers + 1)
	defer gemm.Give(spaces)
	if c.turned {
		c.weights = turn(c.set, spaces[workers], c.weights, c.stage.channels)
	}
	spaces = spaces[:workers]
	bordered := make([]bool, workers) // the zeros around the images stand in the goroutine's stage
	body := func(worker int, spaces []*gemm.Workspace[T], i int) {
		w := &work[T]{c, spaces, i * c.group, min(c.group, c.images-i*c.group), bordered[worker]}
		w.run()
		bordered[worker] = w.bordered
	}
	if groups >= workers {
		parallel.For(groups, func(worker, i int) { body(worker, spaces[worker:worker+1], i) })
		return
	}
	for i := range groups {
		body(0, spaces, i)
	}
}

// turn copies a matrix of so many rows to the workspace, transposed: its columns are pitch(rows) elements apart.
func turn[T kernel.Float](set *kernel.Set[T], ws *gemm.Workspace[T], matrix []T, rows int) []T {
	cols, pitch := len(matrix)/rows, pitch(rows)
	ws.Floats = gemm.Grow(ws.Floats, cols*pitch)
	places := gemm.Offsets(rows, cols)
	parallel.Ranges(cols, max(1, parallel.Grain/rows), func(lo, hi int) {
		set.Interleave(ws.Floats[lo*pitch:], pitch, matrix[lo:], places, hi-lo)
	})
	return ws.Floats
}

// pitch is n and a cache line more: columns that are a power of 2 apart would share a few places in the first-level cache.
func pitch(n int) int { return n + 16 }

// work is a contraction of one group of images, shared out over as many goroutines as there are spaces. The first space holds
// what they share.
type work[T kernel.Float] struct {
	contraction[T]
	spaces        []*gemm.Workspace[T]
	first, images int
	bordered      bool
}

func (w *work[T]) run() {
	if results := w.multiply(); w.spares && !w.regular(results) {
		w.plan, w.bordered = w.complete(), false
		w.multiply()
		w.bordered = false // the next images are for the other plan again
	}
	if w.parted() {
		w.eachRange(w.channels, func(c0, c1 int) { w.part(c0, c1) })
	}
	if w.then != nil {
		w.eachRange(w.images*w.channels, func(lo, hi int) {
			w.then.Planes(w.first*w.channels+lo, w.first*w.channels+hi, w.channels, w.height*w.width)
		})
	}
}

// multiply computes the products, and returns where their results are: in the target or, if parted, in the shared workspace.
func (w *work[T]) multiply() (results []T) {
	shared := w.spaces[0]
	source := w.source[w.first*w.stage.imageStep:]
	pixels := source
	if !w.stage.plain() {
		shared.Floats = gemm.Grow(shared.Floats, max(w.images, w.stage.side)*w.stage.size())
		pixels = shared.Floats
		w.eachRange(w.stage.channels, func(c0, c1 int) {
			stageImages(w.stage, w.set, pixels, source, w.images, c0, c1, w.bordered)
		})
		w.bordered = true
	}
	results = w.target[w.first*w.size() : (w.first+w.images)*w.size()]
	if w.parted() {
		shared.Result = gemm.Grow(shared.Result, max(w.images, w.stage.side)*w.size())
		results = shared.Result
	}
	lattices := w.full
	if w.images < w.group {
		lattices = w.last
	}
	for i, p := range w.products {
		a := gemm.Matrix[T]{Data: w.weights, Rows: p.rows, Cols: p.cols}
		b := gemm.Matrix[T]{Data: pixels, Rows: p.links, Cols: lattices[i].in}
		c := gemm.Matrix[T]{Data: results, Rows: w.results, Cols: lattices[i].out}
		gemm.MultiplyParts(c, a, b, w.spaces)
	}
	return results
}

// regular tells whether there is no sign in the results of links that should not have been left out.
func (w *work[T]) regular(results []T) bool {
	side := w.stage.side
	if side == 1 || w.images == side {
		return w.set.Regular(results)
	}
	for i := 0; i < len(results); i += side { // there are no results of images that there are not
		if !w.set.Regular(results[i : i+w.images]) {
			return false
		}
	}
	return true
}

// eachRange cuts [0, n) into a range for every goroutine.
func (w *work[T]) eachRange(n int, body func(lo, hi int)) {
	count := min(n, len(w.spaces))
	if count == 1 {
		body(0, n)
		return
	}
	parallel.For(count, func(_, i int) { body(i*n/count, (i+1)*n/count) })
}

// part copies channels c0..c1-1 of the results to the target.
func (w *work[T]) part(c0, c1 int) {
	pixels, target, results := w.height*w.width, w.target[w.first*w.size():], w.spaces[0].Result
	if side := w.stage.side; side > 1 {
		places := gemm.Offsets(pixels, side)
		for c := c0; c < c1; c++ {
			w.set.Interleave(target[c*pixels:], w.size(), results[c*pixels*side:], places, w.images)
		}
		return
	}
	for n := range w.images {
		lo, hi := n*w.size()+c0*pixels, n*w.size()+c1*pixels
		if w.step == 2 && w.width%2 == 0 {
			w.set.Weave(target[lo:hi], results[lo:hi], w.width/2)
		} else {
			weave(target[lo:hi], results[lo:hi], w.width, w.step)
		}
	}
}

// weave puts the phases of every row back in their places.
func weave[T kernel.Float](dst, src []T, width, step int) {
	for len(dst) > 0 {
		for phase := range min(step, width) {
			for col := phase; col < width; col += step {
				dst[col], src = src[0], src[1:]
			}
		}
		dst = dst[width:]
	}
}
