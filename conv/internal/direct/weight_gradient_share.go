package direct

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// tapTable says where WeightGradient finds the elements of x that a tap reads: in the images as they lie, if
// all links with the border's zeros are skipped (border.go), or in a stage buffer with the border.
type tapTable struct {
	buffer *stageBuffer
	step   int // elements from an image, or from a set of interleaved images, to the next
	skips  bool
	groups []tapGroup
}

// tapGroup is taps that read the same pixels inside the border, and the chain over these pixels of a few
// images.
type tapGroup struct {
	taps       []int // their numbers in a kernel, u*KW + v
	tapOffsets []int // of each tap's elements within a channel, counted from the first tap's
	links      []int // where the first tap's elements lie, for every image and pixel
	pixels     []int // the number of each link's pixel, counted through the images
	perImage   int   // pixels of an image
}

// newTapTable lists the taps for chains of so many images, interleaved as given where they are staged.
func (f problem) newTapTable(images, interleaved int, allLinks bool) *tapTable {
	mayCut := !allLinks && f.C >= minShareChannels && images*f.Ho*f.Wo >= chainPixels/2
	// Here the taps are cut into spans, and the pixels are what each of them reads: the roles of the two in
	// newAxis are exchanged.
	rows := newAxis(f.KH, f.Ho, mayCut, func(k, i int) bool { return onAxis(i*f.S+k*f.D-f.PH, f.H) })
	cols := newAxis(f.KW, f.Wo, mayCut, func(k, j int) bool { return onAxis(j*f.S+k*f.D-f.PW, f.W) })
	s := f.gradientBuffer(interleaved, rows.borderless && cols.borderless)
	t := &tapTable{buffer: s, step: s.interleaved * s.size(), skips: rows.skips || cols.skips}
	if s.isPlain() {
		t.step = s.imageStep
	}
	for _, r := range rows.tapSpans() {
		for _, q := range cols.tapSpans() {
			t.groups = append(t.groups, f.tapGroup(t, images, r, q))
		}
	}
	return t
}

// tapSpans is the axis' spans, of single taps if links are skipped: the channels of one tap are evenly spaced
// in memory, those of several taps are not.
func (a axis) tapSpans() (list []span) {
	if !a.skips {
		return a.spans
	}
	for _, s := range a.spans {
		for i := range s.count {
			list = append(list, span{s.first + i, 1, s.tap0, s.tap1})
		}
	}
	return list
}

// tapGroup is the group of the taps in two spans: taps first..first+count-1, which read pixels tap0..tap1-1.
func (f problem) tapGroup(t *tapTable, images int, rows, cols span) (g tapGroup) {
	s := t.buffer
	offset := func(u, v int) int { return (u*f.D-f.PH-s.origin[0])*s.cols + v*f.D - f.PW - s.origin[1] }
	first := offset(rows.first, cols.first)
	for u := rows.first; u < rows.first+rows.count; u++ {
		for v := cols.first; v < cols.first+cols.count; v++ {
			g.taps = append(g.taps, u*f.KW+v)
			g.tapOffsets = append(g.tapOffsets, s.interleaved*(offset(u, v)-first))
		}
	}
	g.perImage = (rows.tap1 - rows.tap0) * (cols.tap1 - cols.tap0)
	g.links, g.pixels = make([]int, 0, images*g.perImage), make([]int, 0, images*g.perImage)
	for n := range images {
		image := n/s.interleaved*t.step + n%s.interleaved
		for i := rows.tap0; i < rows.tap1; i++ {
			for j := cols.tap0; j < cols.tap1; j++ {
				g.links = append(g.links, image+s.interleaved*(first+s.pixelOffset(i, j)))
				g.pixels = append(g.pixels, (n*f.Ho+i)*f.Wo+j)
			}
		}
	}
	return g
}

// gradientBuffer is the stage buffer of x for WeightGradient, which reads single elements and so needs no
// phases: the image itself if borderless, or with its border, or where the kernel has a single tap the pixels
// that it reads.
func (f problem) gradientBuffer(interleaved int, borderless bool) *stageBuffer {
	if borderless {
		interleaved = 1
	}
	step := [2]int{1, 1}
	if f.KH*f.KW == 1 && !borderless {
		step = f.phaseSteps(interleaved)
	}
	s := f.newBuffer(f.C, interleaved, step)
	s.phases = [][2]int{{0, 0}}
	s.rows = (f.Ho-1)*s.pixelStep[0] + (f.KH-1)*f.D + 1
	s.cols = (f.Wo-1)*s.pixelStep[1] + (f.KW-1)*f.D + 1
	if borderless {
		s.origin, s.rows, s.cols = [2]int{}, f.H, f.W
	}
	return s
}

// gradientShare is one goroutine's share of WeightGradient: channels c0..c1-1 of x and m0..m1-1 of y.
type gradientShare[T kernel.Float] struct {
	*weightGradient[T]
	c0, c1, m0, m1 int
	ws             *gemm.Workspace[T]
	blockChannels  int // channels of x that are multiplied at a time
	blockCodes     int // channels of y that are multiplied at a time, whole panels
	keptChannels   int // channels of x whose sums stay in memory from chain to chain
	operands       []groupOperands
	results        gemm.Matrix[T]
}

// groupOperands are the offsets of a group of taps' elements of x, of its codes, and of its results.
type groupOperands struct{ rows, codes, cols, results []int }

func (f *weightGradient[T]) share(ws *gemm.Workspace[T], c0, c1, m0, m1 int) *gradientShare[T] {
	p := &gradientShare[T]{weightGradient: f, c0: c0, c1: c1, m0: m0, m1: m1, ws: ws}
	p.blockChannels, p.blockCodes = max(1, blockTaps/(f.KH*f.KW)), m1-m0
	if f.skips {
		p.blockChannels, p.blockCodes = tapChannels, tapPanels*f.width
	}
	p.keptChannels = c1 - c0
	if f.chain == f.N {
		p.keptChannels = min(p.blockChannels, c1-c0) // no other images will continue the sums
	}
	codes := (m1 - m0 + f.width - 1) / f.width * f.width // with the columns that fill the last panel
	if !f.buffer.isPlain() {
		ws.Floats = gemm.Grow(ws.Floats, (f.chain+f.buffer.interleaved-1)/f.buffer.interleaved*f.step)
	}
	ws.Result = gemm.Grow(ws.Result, p.keptChannels*f.KH*f.KW*codes)
	p.results = gemm.Dense(ws.Result, p.keptChannels*f.KH*f.KW, m1-m0, codes, 1)
	cols := make([]int, m1-m0)
	for i := range cols {
		cols[i] = (m0+i)/f.width*f.chain*f.Ho*f.Wo*f.width + i%f.width
	}
	for _, g := range f.groups {
		p.operands = append(p.operands, p.groupOperands(g, cols))
	}
	return p
}

// groupOperands lists the offsets for a group of taps; cols are those of y's channels in the packed codes.
func (f *gradientShare[T]) groupOperands(g tapGroup, cols []int) groupOperands {
	o := groupOperands{
		rows:    make([]int, 0, (f.c1-f.c0)*len(g.taps)),
		codes:   make([]int, len(g.pixels)),
		cols:    cols,
		results: make([]int, 0, f.keptChannels*len(g.taps)),
	}
	for i, q := range g.pixels {
		o.codes[i] = q * f.width
	}
	for c := range f.c1 - f.c0 {
		channel := f.buffer.interleaved * (f.c0 + c) * f.buffer.planeSize()
		for i, tap := range g.taps {
			o.rows = append(o.rows, channel+g.tapOffsets[i])
			if c < f.keptChannels {
				o.results = append(o.results, f.results.Rows[c*f.KH*f.KW+tap])
			}
		}
	}
	return o
}

// run continues the chains by images n..n+count-1, whose codes are packed. It tells whether the results have
// the definition's bits.
func (f *gradientShare[T]) run(w, x, codes []T, n, count int) bool {
	regular := true
	for first := 0; first < count; first += f.chain {
		at, images := n+first, min(f.chain, count-first)
		pixels := f.stage(x, at, images)
		f.eachBlock(func(b block) {
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

// stage returns the share's channels of images at..at+images-1 of x: in the stage buffer or, if that would be
// a copy, in x.
func (f *gradientShare[T]) stage(x []T, at, images int) []T {
	s := f.buffer
	if s.isPlain() {
		return x[at*s.imageStep:]
	}
	for i := 0; i < images; i += s.interleaved {
		dst, src := f.ws.Floats[i/s.interleaved*f.step:], x[(at+i)*s.imageStep:]
		stageImages(s, f.set, dst, src, min(s.interleaved, images-i), f.c0, f.c1, at > 0)
	}
	return f.ws.Floats
}

// block is channels c0..c1-1 of x and m0..m1-1 of y, counted from a share's first.
type block struct{ c0, c1, m0, m1 int }

// eachBlock calls body for every block of the share.
func (f *gradientShare[T]) eachBlock(body func(block)) {
	for m := 0; m < f.m1-f.m0; m += f.blockCodes {
		for c := 0; c < f.c1-f.c0; c += f.blockChannels {
			body(block{c, min(c+f.blockChannels, f.c1-f.c0), m, min(m+f.blockCodes, f.m1-f.m0)})
		}
	}
}

// multiply continues the chains of a group of taps, for the channels of a block.
func (f *gradientShare[T]) multiply(bl block, o groupOperands, g tapGroup, pixels, codes []T, images int,
	load bool) {
	taps, links, kept := len(g.taps), images*g.perImage, bl.c0%f.keptChannels
	a := gemm.Matrix[T]{Data: pixels, Rows: o.rows[bl.c0*taps : bl.c1*taps], Cols: g.links[:links]}
	b := gemm.Matrix[T]{Data: codes, Rows: o.codes[:links], Cols: o.cols[bl.m0:bl.m1]}
	rows, cols := o.results[kept*taps:(kept+bl.c1-bl.c0)*taps], f.results.Cols[bl.m0:bl.m1]
	gemm.Multiply(gemm.Matrix[T]{Data: f.results.Data, Rows: rows, Cols: cols}, a, b, load, f.ws)
}

// finish copies the results of a block to w, for a few channels of y at a time, each of which lies on another
// page. It tells whether they prove that skipping links changed no bit.
func (f *gradientShare[T]) finish(b block, w []T) bool {
	taps, kept := f.KH*f.KW, b.c0%f.keptChannels
	rows := f.results.Rows[kept*taps : (kept+b.c1-b.c0)*taps]
	for m := b.m0; m < b.m1; m += f.width {
		dst := w[(f.m0+m)*f.Taps()+(f.c0+b.c0)*taps:]
		f.set.Interleave(dst, f.Taps(), f.results.Data[m:], rows, min(f.width, b.m1-m))
	}
	regular := true
	for _, row := range rows {
		regular = regular && (!f.skips || f.set.Regular(f.results.Data[row+b.m0:row+b.m1]))
	}
	return regular
}
