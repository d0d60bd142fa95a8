package direct

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// tapTable says where Filter finds the elements of x that a tap meets: in the images as they lie, if all links with the border's zeros
// are left out (border.go), or in a stage with the border.
type tapTable struct {
	stage  *stage
	step   int // elements from an image, or images side by side, to the next
	spares bool
	groups []tapGroup
}

// tapGroup is taps that meet the same pixels inside the border, and the chain over these pixels of a few images.
type tapGroup struct {
	numbers []int // of the taps in a kernel
	places  []int // of each tap's elements within a channel, counted from the first tap's
	links   []int // where the first tap's elements lie, for every image and pixel
	pixels  []int // and the number of the pixel, counted through the images
	each    int   // pixels of an image
}

// newTapTable lists the taps for chains of so many images, of which so many would lie side by side in a stage.
func (f problem) newTapTable(images, side int, whole bool) *tapTable {
	cut := !whole && f.C >= filterChannels && images*f.Ho*f.Wo >= chainPixels/2
	rows := newAxis(f.KH, f.Ho, cut, func(k, i int) bool { return onAxis(i*f.S+k*f.D-f.PH, f.H) })
	cols := newAxis(f.KW, f.Wo, cut, func(k, j int) bool { return onAxis(j*f.S+k*f.D-f.PW, f.W) })
	s := f.padded(side, rows.bare && cols.bare)
	t := &tapTable{stage: s, step: s.side * s.size(), spares: rows.spares || cols.spares}
	if s.plain() {
		t.step = s.imageStep
	}
	for _, r := range rows.parted() {
		for _, q := range cols.parted() {
			t.groups = append(t.groups, f.tapGroup(t, images, r, q))
		}
	}
	return t
}

// parted is the axis' spans, of single taps if links are left out: the channels of one tap lie evenly, those of some taps do not.
func (a axis) parted() (list []span) {
	if !a.spares {
		return a.spans
	}
	for _, s := range a.spans {
		for i := range s.count {
			list = append(list, span{s.first + i, 1, s.tap0, s.tap1})
		}
	}
	return list
}

// tapGroup is the group of the taps in the spans, whose own taps are the pixels.
func (f problem) tapGroup(t *tapTable, images int, rows, cols span) (g tapGroup) {
	s := t.stage
	place := func(u, v int) int { return (u*f.D-f.PH-s.origin[0])*s.cols + v*f.D - f.PW - s.origin[1] }
	first := place(rows.first, cols.first)
	for u := rows.first; u < rows.first+rows.count; u++ {
		for v := cols.first; v < cols.first+cols.count; v++ {
			g.numbers = append(g.numbers, u*f.KW+v)
			g.places = append(g.places, s.side*(place(u, v)-first))
		}
	}
	g.each = (rows.tap1 - rows.tap0) * (cols.tap1 - cols.tap0)
	for n := range images {
		for i := rows.tap0; i < rows.tap1; i++ {
			for j := cols.tap0; j < cols.tap1; j++ {
				g.links = append(g.links, n/s.side*t.step+n%s.side+s.side*(first+s.pixel(i, j)))
				g.pixels = append(g.pixels, (n*f.Ho+i)*f.Wo+j)
			}
		}
	}
	return g
}

// padded is the stage of x for Filter, which reads single elements: the image itself if bare, or with its border, uncut, or where there is a
// single tap the pixels that it reads.
func (f problem) padded(side int, bare bool) *stage {
	if bare {
		side = 1
	}
	step := [2]int{1, 1}
	if f.KH*f.KW == 1 && !bare {
		step = f.strides(side)
	}
	s := f.newStage(f.C, side, step)
	s.phases = [][2]int{{0, 0}}
	s.rows, s.cols = (f.Ho-1)*s.every[0]+(f.KH-1)*f.D+1, (f.Wo-1)*s.every[1]+(f.KW-1)*f.D+1
	if bare {
		s.origin, s.rows, s.cols = [2]int{}, f.H, f.W
	}
	return s
}

// filterShare is one goroutine's share of Filter: channels c0..c1-1 of x and m0..m1-1 of y.
type filterShare[T kernel.Float] struct {
	*filter[T]
	c0, c1, m0, m1 int
	ws             *gemm.Workspace[T]
	channels       int // of x that are multiplied at a time
	codeChannels   int // of y likewise, whole panels
	kept           int // of x, whose sums are kept
	operands       []filterOperands
	results        gemm.Matrix[T]
}

// filterOperands say for a group of taps where its elements of x lie, its codes, and its results.
type filterOperands struct{ rows, codes, cols, results []int }

func (f *filter[T]) share(ws *gemm.Workspace[T], c0, c1, m0, m1 int) *filterShare[T] {
	p := &filterShare[T]{filter: f, c0: c0, c1: c1, m0: m0, m1: m1, ws: ws, channels: max(1, filterBlock/(f.KH*f.KW)), codeChannels: m1 - m0}
	if f.spares {
		p.channels, p.codeChannels = sparedChannels, sparedPanels*f.width
	}
	p.kept = c1 - c0
	if f.chain == f.N {
		p.kept = min(p.channels, c1-c0) // no other images will continue the sums
	}
	codes := (m1 - m0 + f.width - 1) / f.width * f.width // with the columns that fill the last panel
	if !f.stage.plain() {
		ws.Floats = gemm.Grow(ws.Floats, (f.chain+f.stage.side-1)/f.stage.side*f.step)
	}
	ws.Result = gemm.Grow(ws.Result, p.kept*f.KH*f.KW*codes)
	p.results = gemm.Dense(ws.Result, p.kept*f.KH*f.KW, m1-m0, codes, 1)
	cols := make([]int, m1-m0)
	for i := range cols {
		cols[i] = (m0+i)/f.width*f.chain*f.Ho*f.Wo*f.width + i%f.width
	}
	for _, g := range f.groups {
		o := filterOperands{cols: cols, codes: make([]int, len(g.pixels))}
		for i, q := range g.pixels {
			o.codes[i] = q * f.width
		}
		for c := range c1 - c0 {
			for i, number := range g.numbers {
				o.rows = append(o.rows, f.stage.side*(c0+c)*f.stage.planeSize()+g.places[i])
				if c < p.kept {
					o.results = append(o.results, p.results.Rows[c*f.KH*f.KW+number])
				}
			}
		}
		p.operands = append(p.operands, o)
	}
	return p
}

// run continues the chains by images n..n+count-1, whose codes are packed. It tells whether the results are regular.
func (f *filterShare[T]) run(w, x, codes []T, n, count int) bool {
	regular := true
	for first := 0; first < count; first += f.chain {
		at, images := n+first, min(f.chain, count-first)
		pixels := x[at*f.stage.imageStep:]
		if s := f.stage; !s.plain() {
			pixels = f.ws.Floats
			for i := 0; i < images; i += s.side {
				stageImages(s, f.set, pixels[i/s.side*f.step:], x[(at+i)*s.imageStep:], min(s.side, images-i), f.c0, f.c1, at > 0)
			}
		}
		f.blocks(func(b block) {
			for i, o := range f.operands {
				f.multiply(b, o, f.groups[i], pixels, codes[first/f.chain*f.chainSize():], images, at > 0)
			}
			if at+images == f.N {
				regular = f.finish(b, w) && regular
			}
		})
	}
	return regular
}

// block is channels c0..c1-1 of x and m0..m1-1 of y, counted from a share's first.
type block struct{ c0, c1, m0, m1 int }

// blocks calls body for every block of the share.
func (f *filterShare[T]) blocks(body func(block)) {
	for m := 0; m < f.m1-f.m0; m += f.codeChannels {
		for c := 0; c < f.c1-f.c0; c += f.channels {
			body(block{c, min(c+f.channels, f.c1-f.c0), m, min(m+f.codeChannels, f.m1-f.m0)})
		}
	}
}

// multiply continues the chains of a group of taps, for the channels of a block.
func (f *filterShare[T]) multiply(bl block, o filterOperands, g tapGroup, pixels, codes []T, images int, load bool) {
	taps, links, kept := len(g.numbers), images*g.each, bl.c0%f.kept
	a := gemm.Matrix[T]{Data: pixels, Rows: o.rows[bl.c0*taps : bl.c1*taps], Cols: g.links[:links]}
	b := gemm.Matrix[T]{Data: codes, Rows: o.codes[:links], Cols: o.cols[bl.m0:bl.m1]}
	r := gemm.Matrix[T]{Data: f.results.Data, Rows: o.results[kept*taps : (kept+bl.c1-bl.c0)*taps], Cols: f.results.Cols[bl.m0:bl.m1]}
	gemm.Multiply(r, a, b, load, f.ws)
}

// finish copies the results of a block to w, for a few channels of y at a time, each of which lies on another page. It tells
// whether they show no sign of links that should not have been left out.
func (f *filterShare[T]) finish(b block, w []T) bool {
	kernels, kept := f.KH*f.KW, b.c0%f.kept
	rows := f.results.Rows[kept*kernels : (kept+b.c1-b.c0)*kernels]
	for m := b.m0; m < b.m1; m += f.width {
		f.set.Interleave(w[(f.m0+m)*f.Taps()+(f.c0+b.c0)*kernels:], f.Taps(), f.results.Data[m:], rows, min(f.width, b.m1-m))
	}
	regular := true
	for _, row := range rows {
		regular = regular && (!f.spares || f.set.Regular(f.results.Data[row+b.m0:row+b.m1]))
	}
	return regular
}
