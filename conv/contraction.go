package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// contraction is Forward or Transpose of a batch: products of the weights, as they lie, with the columns that they read of staged
// images. The images go through it in groups.
type contraction[T tensor.Float] struct {
	set            *kernel.Set[T]
	stage          *stage
	source, target []T
	images         int
	channels       int // of the target
	height, width  int // of the target
	step           int // of the products' grids
	products       []product[T]
}

// product is one of a contraction's products: of one phase of the target's pixels, which are all of them where the step is 1.
type product[T tensor.Float] struct {
	weights gemm.Matrix[T] // (target channels, links)
	links   []int          // where each link's pixels lie in the stage, counted from the pixel's own place
	grid
}

// grid is the pixels that a product computes: rows x cols of them, every step-th of the target from (row, col) on. The pixel's
// own place in an image's stage is first for the first one, from where the next ones follow as the stage has them.
type grid struct{ rows, cols, row, col, first int }

// groupPixels is about the number of pixels of a group: enough to share the weights' way through the caches, few enough that
// its stage and its results stay there.
const groupPixels = 512

// run shares out the groups over goroutines or, where these are more, the parts of each group's work.
func (c *contraction[T]) run() {
	workers := parallel.Workers(c.images * c.channels * c.height * c.width)
	group := c.stage.side
	if group == 1 {
		group = max(1, min(groupPixels/(c.height*c.width), (c.images+workers-1)/workers))
	}
	groups := (c.images + group - 1) / group
	spaces := gemm.Take[T](workers)
	defer gemm.Give(spaces)
	full := c.lattices(group)
	body := func(spaces []*gemm.Workspace[T], i int) {
		w := &work[T]{c, spaces, i * group, group, full}
		if rest := c.images - w.first; rest < group {
			w.images, w.lattices = rest, c.lattices(rest)
		}
		w.run()
	}
	if groups >= workers {
		parallel.For(groups, func(worker, i int) { body(spaces[worker:worker+1], i) })
		return
	}
	for i := range groups {
		body(spaces, i)
	}
}

// lattice is the columns of a product: where each pixel of a group of images lies in the stage, and where its result goes.
type lattice struct{ in, out []int }

// lattices lists the pixels of images, for every product. Images side by side follow each other at every pixel. Others come one
// after the other, first all whole vectors of neighbouring pixels, then what is left of the rows.
func (c *contraction[T]) lattices(images int) []lattice {
	list := make([]lattice, len(c.products))
	for i := range list {
		g, l := &c.products[i].grid, &list[i]
		add := func(n, row, col int) {
			l.in = append(l.in, c.stage.place(n, g.first+row*c.stage.cols+col))
			l.out = append(l.out, c.place(n, g.row+row*c.step, g.col, col))
		}
		if c.stage.side > 1 {
			for q := range g.rows * g.cols {
				for n := range images {
					add(n, q/g.cols, q%g.cols)
				}
			}
			continue
		}
		whole := g.cols / c.set.Lanes * c.set.Lanes
		for _, part := range [][2]int{{0, whole}, {whole, g.cols}} {
			for r := range images * g.rows {
				for col := part[0]; col < part[1]; col++ {
					add(r/g.rows, r%g.rows, col)
				}
			}
		}
	}
	return list
}

// place is where the tiles write pixel (row, phase + col*step) of image n, counted from where they write the channel: in the
// target itself or, if parted, in Result, which has the images side by side as the stage does, or each row's phases one after the
// other.
func (c *contraction[T]) place(n, row, phase, col int) int {
	if c.stage.side > 1 {
		return (row*c.width+phase+col*c.step)*c.stage.side + n
	}
	before := 0 // pixels of the phases before
	for q := range phase {
		before += (c.width - q + c.step - 1) / c.step
	}
	return n*c.size() + row*c.width + before + col
}

// size is the number of elements of an image of the target.
func (c *contraction[T]) size() int { return c.channels * c.height * c.width }

// parted tells whether the results do not come as they lie in the target.
func (c *contraction[T]) parted() bool { return c.step > 1 || c.stage.side > 1 }

// work is a contraction of one group of images, shared out over as many goroutines as there are spaces. The first space holds
// what they share.
type work[T tensor.Float] struct {
	*contraction[T]
	spaces        []*gemm.Workspace[T]
	first, images int
	lattices      []lattice
}

func (w *work[T]) run() {
	shared := w.spaces[0]
	source := w.source[w.first*w.stage.imageStep:]
	target := w.target[w.first*w.size():]
	shared.Floats = gemm.Grow(shared.Floats, max(w.images, w.stage.side)*w.stage.size())
	w.eachRange(w.stage.channels, func(_, c0, c1 int) { stageImages(w.stage, w.set, shared.Floats, source, w.images, c0, c1) })
	results, plane := target, w.height*w.width
	if w.parted() {
		shared.Result = gemm.Grow(shared.Result, max(w.images, w.stage.side)*w.size())
		results, plane = shared.Result, plane*w.stage.side
	}
	channels := gemm.Offsets(w.channels, plane)
	for i := range w.products {
		p, l := &w.products[i], &w.lattices[i]
		b := gemm.Matrix[T]{Data: shared.Floats, Rows: p.links, Cols: l.in}
		c := gemm.Matrix[T]{Data: results, Rows: channels, Cols: l.out}
		gemm.MultiplyParts(c, p.weights, b, w.spaces)
	}
	if w.parted() {
		w.eachRange(w.channels, func(_, c0, c1 int) { w.finish(target, results, c0, c1) })
	}
}

// eachRange cuts [0, n) into a range for every goroutine.
func (w *work[T]) eachRange(n int, body func(worker, lo, hi int)) {
	count := min(n, len(w.spaces))
	if count == 1 {
		body(0, 0, n)
		return
	}
	parallel.For(count, func(worker, i int) { body(worker, i*n/count, (i+1)*n/count) })
}

// finish copies channels c0..c1-1 of the results to the target.
func (w *work[T]) finish(target, results []T, c0, c1 int) {
	pixels := w.height * w.width
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
func weave[T tensor.Float](dst, src []T, width, step int) {
	for len(dst) > 0 {
		for phase := range min(step, width) {
			for col := phase; col < width; col += step {
				dst[col], src = src[0], src[1:]
			}
		}
		dst = dst[width:]
	}
}
