package direct

import (
	"sync"

	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// plan is all that Forward or Transpose knows before it sees a number: how images are staged, and where the
// elements of each product lie. The target's channels are the rows of the products, its pixels their columns:
//
//	             K: links                      N: pixels of a group                N: pixels
//	         +---------------+             +------------------------+       +-----------------------+
//	      M  | weights       |   times  K  | buffer                 |  =  M | results               |
//	 target  | rows[m]       |             | links[k] + in[q]       |       | results[m] + out[q]   |
//	channels |  + cols[k]    |             | (tap k of pixel q)     |       | (channel m, pixel q)  |
//	         +---------------+             +------------------------+       +-----------------------+
//
// Each pair of names is a pair of tables of offsets, and element (i, j) of a matrix lies at the sum of its
// two entries. rows, cols and links belong to the product; in and out to its columnOffsets, of which there is
// one for a whole group of images and one for the last group, if it is smaller.
type plan struct {
	buffer        *stageBuffer
	images        int // of the batch
	group         int // images that one pass over the products computes
	channels      int // of the target
	height, width int // of the target
	step          int // of the products' grids: the stride for Transpose, 1 for Forward
	products      []product

	// weightLayout is how the weights lie when they are multiplied.
	weightLayout weightLayout
	// skips tells whether links with the border's zeros are skipped; see border.go.
	skips bool

	key       planKey
	results   []int           // where tiles write each channel
	fullGroup []columnOffsets // of each product, for a whole group
	lastGroup []columnOffsets // of each product, for the last group
}

// product is one of a plan's products: of one phase of the target's pixels, which are all of them where the
// step is 1.
type product struct {
	rows, cols []int // where the weight of a target channel and a link lies
	links      []int // where each link's elements lie in the buffer, counted from the pixel's own offset
	grid
}

// grid is the pixels that a product computes. Every step-th row and column of the target, from (row, col) on,
// is its phase; of that the grid has the rows x cols pixels from (top, left) on. Pixel (0, 0) of the phase
// has offset first in an image's stage buffer, and the others follow as the buffer has them.
type grid struct{ rows, cols, top, left, row, col, first int }

// within is the pixels of the grid that lie in both spans.
func (g grid) within(rows, cols span) grid {
	g.top, g.rows = rows.first, rows.count
	g.left, g.cols = cols.first, cols.count
	return g
}

// tap is one tap of a product.
type tap struct {
	weight int // the offset of its weight among those of a channel
	offset int // of the element that it reads of a channel of the buffer, counted from the pixel's own offset
}

// newProduct is a product whose chain goes over the taps of one channel of the buffer after the other. The
// weights of target channel m begin at rows[m], and those for channel c of the buffer at weights[c] from
// there.
func (s *stageBuffer) newProduct(rows, weights []int, taps []tap, g grid) product {
	p := product{rows: rows, grid: g}
	least := 0 // the least offset of a tap, which may be negative
	for i, t := range taps {
		if i == 0 || t.offset < least {
			least = t.offset
		}
	}
	p.first += least
	for c, w := range weights {
		for _, t := range taps {
			p.cols = append(p.cols, w+t.weight)
			p.links = append(p.links, s.interleaved*(c*s.planeSize()+t.offset-least))
		}
	}
	return p
}

// columnOffsets says where the columns of a product lie: each pixel of a group of images in the stage buffer,
// and its result.
type columnOffsets struct{ in, out []int }

// planKey is what a plan depends on.
type planKey struct {
	problem
	transposed bool
	allLinks   bool // none is skipped, not even those with the border's zeros
	lanes      int
	workers    int
}

// plans keeps the plans of the geometries that are in use: for a single image making one takes as long as
// computing. A program that uses more than maxPlans geometries starts over.
var plans = struct {
	sync.Mutex
	byKey map[planKey]*plan
}{byKey: map[planKey]*plan{}}

const maxPlans = 512

// planFor returns the plan for Forward or Transpose on a kernel row.
func planFor[T kernel.Float](f problem, transposed bool, set *kernel.Set[T]) *plan {
	workers := f.Workers.Workers(f.N * max(f.M, f.C) * max(f.H*f.W, f.Ho*f.Wo))
	return planKey{f, transposed, false, set.Lanes, workers}.plan()
}

// plan returns the plan for k, which it makes unless there is one.
func (k planKey) plan() *plan {
	plans.Lock()
	defer plans.Unlock()
	p := plans.byKey[k]
	if p == nil {
		if k.transposed {
			p = k.transposePlan()
		} else {
			p = k.forwardPlan()
		}
		p.key = k
		p.finish()
		if len(plans.byKey) == maxPlans {
			clear(plans.byKey)
		}
		plans.byKey[k] = p
	}
	return p
}

// withAllLinks is the same plan with no link skipped.
func (p *plan) withAllLinks() *plan {
	k := p.key
	k.allLinks = true
	return k.plan()
}

// groupPixels is about the number of pixels of a group: enough to share the weights' way through the caches,
// few enough that its buffer and its results stay there.
const groupPixels = 512

// groupSize is the number of images of a group, for images interleaved as given and a target of so many
// pixels.
func (k planKey) groupSize(interleaved, pixels int) int {
	if interleaved > 1 {
		return interleaved
	}
	return max(1, min(groupPixels/pixels, (k.N+k.workers-1)/k.workers))
}

// finish chooses the size of groups, and lists the offsets that depend on it.
func (p *plan) finish() {
	plane := p.height * p.width
	p.group = p.key.groupSize(p.buffer.interleaved, plane)
	p.results = gemm.Offsets(p.channels, plane*p.buffer.interleaved)
	p.fullGroup = p.columns(p.group, p.key.lanes)
	p.lastGroup = p.fullGroup
	if rest := p.images % p.group; rest > 0 {
		p.lastGroup = p.columns(rest, p.key.lanes)
	}
}

// columns lists the pixels of a group of so many images, for every product. Interleaved images follow each
// other at every pixel. Others come one after the other: first all whole vectors of neighbouring pixels, then
// what is left of the rows.
func (p *plan) columns(images, lanes int) []columnOffsets {
	list := make([]columnOffsets, len(p.products))
	for i := range list {
		g, l := &p.products[i].grid, &list[i]
		add := func(n, row, col int) {
			l.in = append(l.in, p.buffer.imageOffset(n, g.first+p.buffer.pixelOffset(g.top+row, g.left+col)))
			l.out = append(l.out, p.resultOffset(n, g.row+(g.top+row)*p.step, g.col, g.left+col))
		}
		if p.buffer.interleaved > 1 {
			for q := range g.rows * g.cols {
				for n := range images {
					add(n, q/g.cols, q%g.cols)
				}
			}
			continue
		}
		whole := g.cols / lanes * lanes
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

// resultOffset is where the tiles write pixel (row, phase + col*step) of image n, counted from where they
// write the channel: in the target itself or, if reordered, in scratch memory, which has the images
// interleaved as the buffer does, or each row's phases one after the other.
func (p *plan) resultOffset(n, row, phase, col int) int {
	if p.buffer.interleaved > 1 {
		return (row*p.width+phase+col*p.step)*p.buffer.interleaved + n
	}
	before := 0 // pixels of the phases before this one
	for q := range phase {
		before += (p.width - q + p.step - 1) / p.step
	}
	return n*p.size() + row*p.width + before + col
}

// size is the number of elements of an image of the target.
func (p *plan) size() int { return p.channels * p.height * p.width }

// reordered tells whether the tiles write the results in another order than the target has.
func (p *plan) reordered() bool { return p.step > 1 || p.buffer.interleaved > 1 }
