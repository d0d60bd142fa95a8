package direct

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// contraction is Forward or Transpose by plan: products of the weights, as they lie or transposed, with the
// columns that they read of images in the stage buffer. The images go through it in groups.
type contraction[T kernel.Float] struct {
	*plan
	set                     *kernel.Set[T]
	source, target, weights []T
	then                    form.Then
}

// run shares out the groups over goroutines or, where there are more goroutines than groups, the parts of
// each group's work.
func (c contraction[T]) run() {
	workers := c.key.Workers.Workers(c.images * c.size())
	groups := (c.images + c.group - 1) / c.group
	spaces := gemm.Take[T](workers + 1)
	defer gemm.Give(spaces)
	if c.weightLayout != asTheyLie {
		c.weights = c.transposed(spaces[workers])
	}
	spaces = spaces[:workers]
	bordered := make([]bool, workers) // whether the border of a goroutine's stage buffer is zero already
	body := func(worker int, spaces []*gemm.Workspace[T], i int) {
		w := &groupWork[T]{c, spaces, i * c.group, min(c.group, c.images-i*c.group), bordered[worker]}
		w.run()
		bordered[worker] = w.bordered
	}
	if groups >= workers {
		parallel.Spread(workers, groups, func(worker, i int) { body(worker, spaces[worker:worker+1], i) })
		return
	}
	for i := range groups {
		body(0, spaces, i)
	}
}

// transposed returns a copy of the weights in the plan's layout, in the workspace.
func (c contraction[T]) transposed(ws *gemm.Workspace[T]) []T {
	codes, taps := c.buffer.channels, c.key.KH*c.key.KW
	rows, pitch := c.channels, paddedPitch(codes*taps)
	if c.weightLayout == byTaps {
		rows, pitch = c.channels*taps, paddedPitch(codes)
	}
	ws.Floats = gemm.Grow(ws.Floats, rows*pitch)
	offsets := gemm.Offsets(codes, c.channels*taps)
	c.key.Workers.Ranges(rows, max(1, parallel.Grain/pitch), func(lo, hi int) {
		if c.weightLayout == byTaps {
			c.set.Interleave(ws.Floats[lo*pitch:], pitch, c.weights[lo:], offsets, hi-lo)
			return
		}
		for row := lo; row < hi; row++ {
			c.set.Gather(ws.Floats[row*pitch:], taps, c.weights[row*taps:], offsets, taps)
		}
	})
	return ws.Floats
}

// paddedPitch is n and a cache line more: rows that are a power of 2 apart would compete for a few sets of the
// first-level cache.
func paddedPitch(n int) int { return n + 16 }

// groupWork is a contraction of one group of images, shared out over as many goroutines as there are spaces.
// The first space contains the buffers that they share.
type groupWork[T kernel.Float] struct {
	contraction[T]
	spaces        []*gemm.Workspace[T]
	first, images int
	bordered      bool
}

func (w *groupWork[T]) run() {
	if results := w.multiply(); w.skips && !w.regular(results) {
		w.plan, w.bordered = w.withAllLinks(), false
		w.multiply()
		w.bordered = false // the next images are for the other plan again
	}
	if w.reordered() {
		w.eachRange(w.channels, func(c0, c1 int) { w.reorder(c0, c1) })
	}
	if w.then != nil {
		w.eachRange(w.images*w.channels, func(lo, hi int) {
			first := w.first * w.channels
			w.then.Planes(first+lo, first+hi, w.channels, w.height*w.width)
		})
	}
}

// multiply computes the products, and returns where their results are: in the target or, if reordered, in the
// shared workspace.
func (w *groupWork[T]) multiply() (results []T) {
	shared := w.spaces[0]
	source := w.source[w.first*w.buffer.imageStep:]
	pixels := source
	if !w.buffer.isPlain() {
		shared.Floats = gemm.Grow(shared.Floats, max(w.images, w.buffer.interleaved)*w.buffer.size())
		pixels = shared.Floats
		w.eachRange(w.buffer.channels, func(c0, c1 int) {
			stageImages(w.buffer, w.set, pixels, source, w.images, c0, c1, w.bordered)
		})
		w.bordered = true
	}
	results = w.target[w.first*w.size() : (w.first+w.images)*w.size()]
	if w.reordered() {
		shared.Result = gemm.Grow(shared.Result, max(w.images, w.buffer.interleaved)*w.size())
		results = shared.Result
	}
	columns := w.fullGroup
	if w.images < w.group {
		columns = w.lastGroup
	}
	for i, p := range w.products {
		a := gemm.Matrix[T]{Data: w.weights, Rows: p.rows, Cols: p.cols}
		b := gemm.Matrix[T]{Data: pixels, Rows: p.links, Cols: columns[i].in}
		c := gemm.Matrix[T]{Data: results, Rows: w.results, Cols: columns[i].out}
		gemm.MultiplyParts(c, a, b, w.spaces)
	}
	return results
}

// regular tells whether the results prove that skipping links changed no bit: all are finite, and none is -0.
func (w *groupWork[T]) regular(results []T) bool {
	interleaved := w.buffer.interleaved
	if interleaved == 1 || w.images == interleaved {
		return w.set.Regular(results)
	}
	// The group has fewer images than places; the results of the others are undefined.
	for i := 0; i < len(results); i += interleaved {
		if !w.set.Regular(results[i : i+w.images]) {
			return false
		}
	}
	return true
}

// eachRange cuts [0, n) into a range for every goroutine.
func (w *groupWork[T]) eachRange(n int, body func(lo, hi int)) {
	count := min(n, len(w.spaces))
	if count == 1 {
		body(0, n)
		return
	}
	parallel.Spread(count, count, func(_, i int) { body(i*n/count, (i+1)*n/count) })
}

// reorder copies channels c0..c1-1 of the results to the target.
func (w *groupWork[T]) reorder(c0, c1 int) {
	pixels, target, results := w.height*w.width, w.target[w.first*w.size():], w.spaces[0].Result
	if interleaved := w.buffer.interleaved; interleaved > 1 {
		offsets := gemm.Offsets(pixels, interleaved)
		for c := c0; c < c1; c++ {
			w.set.Interleave(target[c*pixels:], w.size(), results[c*pixels*interleaved:], offsets, w.images)
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
