package direct

import (
	"sync"

	"sdref/internal/gemm"
	"sdref/internal/parallel"
)

// plan is all that Forward or Transpose knows before it sees a number: how images are staged, and where the elements of each
// product lie. The target's channels are the rows of the products, its pixels their columns.
type plan struct {
	stage         *stage
	images, group int   // in all, and how many of them go through together
	channels      int   // of the target
	height, width int   // of the target
	step          int   // of the products' grids
	turned        bool  // whether the weights are transposed first, so that the source's channels are their last axis
	results       []int // where tiles write each channel
	products      []product
	spares        bool // whether links with the border's zeros are left out: see border.go
	key           planKey
	full, last    []lattice // the products' columns for a whole group, and for the last one
}

// product is one of a plan's products: of one phase of the target's pixels, which are all of them where the step is 1.
type product struct {
	rows, cols []int // where the weights lie: (target channels, links)
	links      []int // where each link's pixels lie in the stage, counted from the pixel's own place
	grid
}

// grid is the pixels that a product computes. Every step-th row and column of the target, from (row, col) on, is its phase; of that the
// grid has the rows x cols pixels from (top, left) on. The pixel's own place in an image's stage is first for pixel (0, 0) of the phase,
// from where the next ones follow as the stage has them.
type grid struct{ rows, cols, top, left, row, col, first int }

// part is the pixels of the grid that two spans have in common.
func (g grid) part(rows, cols span) grid {
	g.top, g.rows = rows.first, rows.count
	g.left, g.cols = cols.first, cols.count
	return g
}

// tap is one tap of a product: where its weight lies among those of a channel, and where the element of the stage that it meets
// lies, within a channel, counted from the pixel's own place.
type tap struct{ weight, place int }

// newProduct is a product whose chain goes over the taps of one channel of the stage after the other. The weights of a channel begin
// where weights says.
func (s *stage) newProduct(rows, weights []int, taps []tap, g grid) product {
	p := product{rows: rows, grid: g}
	least := 0 // of the places, which may be negative
	for i, t := range taps {
		if i == 0 || t.place < least {
			least = t.place
		}
	}
	p.first += least
	for c, w := range weights {
		for _, t := range taps {
			p.cols = append(p.cols, w+t.weight)
			p.links = append(p.links, s.side*(c*s.planeSize()+t.place-least))
		}
	}
	return p
}

// lattice is the columns of a product: where each pixel of a group of images lies in the stage, and where its result goes.
type lattice struct{ in, out []int }

// planKey is what a plan depends on.
type planKey struct {
	problem
	transposed     bool
	whole          bool // all links of the chains, also those with the border's zeros
	lanes, workers int
}

// plans keeps the plans of the geometries that are in use: for a single image making one takes as long as computing. A program
// that uses more geometries than this starts over.
var plans = struct {
	sync.Mutex
	known map[planKey]*plan
}{known: map[planKey]*plan{}}

const mostPlans = 512

// plan returns the plan for Forward or Transpose.
func (f problem) plan(transposed bool, lanes int) *plan {
	return planKey{f, transposed, false, lanes, parallel.Workers(f.N * max(f.M, f.C) * max(f.H*f.W, f.Ho*f.Wo))}.plan()
}

// plan returns the plan for k, which it makes unless it is known.
func (k planKey) plan() *plan {
	plans.Lock()
	defer plans.Unlock()
	p := plans.known[k]
	if p == nil {
		if k.transposed {
			p = k.transposePlan()
		} else {
			p = k.forwardPlan()
		}
		p.key = k
		p.finish()
		if len(plans.known) == mostPlans {
			clear(plans.known)
		}
		plans.known[k] = p
	}
	return p
}

// complete is the same plan with all links.
func (p *plan) complete() *plan {
	k := p.key
	k.whole = true
	return k.plan()
}

// groupPixels is about the number of pixels of a group: enough to share the weights' way through the caches, few enough that
// its stage and its results stay there.
const groupPixels = 512

// group is the number of images that go through together, if so many lie side by side and a target has so many pixels.
func (k planKey) group(side, pixels int) int {
	if side > 1 {
		return side
	}
	return max(1, min(groupPixels/pixels, (k.N+k.workers-1)/k.workers))
}

// finish forms groups, and lists the places that depend on them.
func (p *plan) finish() {
	plane := p.height * p.width
	p.group = p.key.group(p.stage.side, plane)
	p.results = gemm.Offsets(p.channels, plane*p.stage.side)
	p.full = p.lattices(p.group, p.key.lanes)
	p.last = p.full
	if rest := p.images % p.group; rest > 0 {
		p.last = p.lattices(rest, p.key.lanes)
	}
}

// lattices lists the pixels of images, for every product. Images side by side follow each other at every pixel. Others come one
// after the other, first all whole vectors of neighbouring pixels, then what is left of the rows.
func (p *plan) lattices(images, lanes int) []lattice {
	list := make([]lattice, len(p.products))
	for i := range list {
		g, l := &p.products[i].grid, &list[i]
		add := func(n, row, col int) {
			l.in = append(l.in, p.stage.place(n, g.first+p.stage.pixel(g.top+row, g.left+col)))
			l.out = append(l.out, p.place(n, g.row+(g.top+row)*p.step, g.col, g.left+col))
		}
		if p.stage.side > 1 {
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

// place is where the tiles write pixel (row, phase + col*step) of image n, counted from where they write the channel: in the
// target itself or, if parted, in other memory, which has the images side by side as the stage does, or each row's phases one
// after the other.
func (p *plan) place(n, row, phase, col int) int {
	if p.stage.side > 1 {
		return (row*p.width+phase+col*p.step)*p.stage.side + n
	}
	before := 0 // pixels of the phases before
	for q := range phase {
		before += (p.width - q + p.step - 1) / p.step
	}
	return n*p.size() + row*p.width + before + col
}

// size is the number of elements of an image of the target.
func (p *plan) size() int { return p.channels * p.height * p.width }

// parted tells whether the results do not come as they lie in the target.
func (p *plan) parted() bool { return p.step > 1 || p.stage.side > 1 }
