// Package gemm computes matrix products out of register tiles: which blocks, in which order.
//
//	C[i][j] = fma(A[i][k-1], B[k-1][j], ... fma(A[i][0], B[0][j], +0))
//
// Every element is one chain of k links, p = 0..k-1 ascending, whatever the blocking, so the bits depend on
// the operands alone:
//
//	                                     panel: two vectors of columns, perhaps packed
//	                                       |
//	          K, in blocks of <= maxDepth  v       N
//	        +-----------+-----------+    +---+---+---+---+       +---+---+---+---+
//	        |           |           |    |   |   |   |   | K     |   |   |   |   |
//	strip,  |___________|___________|  x |   |   |   |   |    =  |___|___|___|___| <- tile: strip x panel,
//	a tile's|           |           |    |   |   |   |   |       |   |   |   |   |    in registers for
//	rows    +-----------+-----------+    +---+---+---+---+       +---+---+---+---+    a block of links
//	      M
//
//	for each group of panels (enough to share a strip of A, few enough for the second-level cache)
//		for each block of links: pack the panels that need it
//			for each strip of A
//				for each panel of the group: tile.Mul
//
// A Matrix says by two tables where its elements lie, so that the weights of a convolution, and the columns
// that it reads of an image, are matrices as they are; only what the tiles cannot read as vectors is packed.
//
// It is for package tensor (plain matrices) and package conv. It knows nothing of images.
package gemm

import "sdref/internal/kernel"

// Matrix is a matrix whose element (i, j) is Data[Rows[i]+Cols[j]].
type Matrix[T kernel.Float] struct {
	Data       []T
	Rows, Cols []int
}

// Dense is the rows x cols matrix whose element (i, j) is data[i*rowStride + j*colStride].
func Dense[T kernel.Float](data []T, rows, cols, rowStride, colStride int) Matrix[T] {
	return Matrix[T]{data, Offsets(rows, rowStride), Offsets(cols, colStride)}
}

// Transposed is the same memory read as the transposed matrix.
func (m Matrix[T]) Transposed() Matrix[T] { return Matrix[T]{m.Data, m.Cols, m.Rows} }

// Block is rows r0..r1-1 and columns c0..c1-1.
func (m Matrix[T]) Block(r0, r1, c0, c1 int) Matrix[T] {
	return Matrix[T]{m.Data, m.Rows[r0:r1], m.Cols[c0:c1]}
}

const (
	// maxDepth32 is the greatest number of links of a block, for float32; half as many float64s take the same
	// room. It is so large that loading and storing the tiles of C between blocks costs little, and so small
	// that a strip of A and a group of panels stay in the second-level cache.
	maxDepth32 = 1280

	// A group is the panels that are multiplied with a strip of A before the next strip, so that the strip is
	// read once for them all. It has minGroup panels, or with short chains as many as have groupLinks links
	// together, but at most maxGroup. It has maxGroup where there is a single strip: there is nothing to
	// share then, and tiles of few rows are several panels wide.
	minGroup   = 6    // panels
	groupLinks = 3072 // links
	maxGroup   = 24   // panels

	// minFarStride is the number of elements between links of B from which on a panel is packed although it
	// could be read where it lies: each link is then on another page of memory. Where there are dense tiles (AVX2) all
	// panels are packed: in a first-level cache of 32 kB the lines of planes, a few kB apart, would compete for few sets.
	minFarStride = 512
)

// maxDepth is the greatest number of links of a block.
func maxDepth[T kernel.Float]() int {
	if _, double := any(T(0)).(float64); double {
		return maxDepth32 / 2
	}
	return maxDepth32
}

// Multiply sets c = a*b or, with load, continues the chains whose values are in c: c = c + a*b, one chain. It
// runs on the calling goroutine; different blocks of a product may run at the same time, each with its own
// workspace. c must not overlap a or b.
func Multiply[T kernel.Float](c, a, b Matrix[T], load bool, ws *Workspace[T]) {
	m, k, n := len(a.Rows), len(a.Cols), len(b.Cols)
	if len(b.Rows) != k || len(c.Rows) != m || len(c.Cols) != n {
		panicOnSizes(c, a, b)
	}
	if m == 0 || n == 0 {
		return
	}
	p := &ws.product
	*p = product[T]{c: c, a: a, b: b, set: kernel.Active[T](), ws: ws}
	defer func() { *p = product[T]{} }() // or the workspace would keep the operands alive
	p.width = kernel.Vectors * p.set.Lanes
	blocks := max(1, (k+maxDepth[T]()-1)/maxDepth[T]())
	p.size = (k + blocks - 1) / blocks * p.width
	p.panelled = spacing(b.Rows) == p.width
	p.planStrips()
	p.ws.scratch = Grow(p.ws.scratch, p.group*m*p.width)
	if n := p.size / p.width; len(p.ws.links) < n || n > 1 && p.ws.links[1] != p.width {
		p.ws.links = Offsets(n, p.width)
	}
	for col := 0; col < n; {
		col = p.planPanels(col)
		if load {
			p.copyScratchTiles(true)
		}
		for i := range blocks {
			p.block(i*k/blocks, (i+1)*k/blocks, load || i > 0)
		}
		p.copyScratchTiles(false)
	}
}

// product is one call of Multiply.
type product[T kernel.Float] struct {
	c, a, b Matrix[T]
	set     *kernel.Set[T]
	ws      *Workspace[T]
	width   int // columns of a panel
	size    int // elements of a packed panel
	group   int // panels of a group, at most
	// panelled tells whether B lies in panels already, each link's columns of a panel after the other's.
	panelled bool
	strips   []strip[T]
	panels   []panel // of the current group
	vectors  vectors // of the panels
	runs     []run   // of the vectors
}

// block continues the chains by links p0..p1-1.
func (p *product[T]) block(p0, p1 int, load bool) {
	for i := range p.panels {
		if q := &p.panels[i]; q.packed {
			p.pack(p.ws.panels[i*p.size:], q, p0, p1)
		}
	}
	left, right := p.a.Cols[p0:p1], p.b.Rows[p0:p1]
	link := spacing(left)
	for i := range p.strips {
		s := &p.strips[i]
		dense, step := s.dense(link)
		for _, r := range p.runs {
			b, right := p.b.Data, right
			if r.packed {
				b, right = p.ws.panels, p.ws.links[:p1-p0]
			}
			c, out, ldc := p.c.Data[s.out:], p.vectors.out, s.ldc
			if r.scratch || !s.inPlace {
				c, out, ldc = p.ws.scratch[p.scratch(0, s.row):], p.vectors.scratch, p.width
			}
			in, out := p.vectors.in[r.first:r.last], out[r.first:r.last]
			if dense != nil && (r.packed || p.panelled) {
				dense(p1-p0, p.a.Data[s.groups[0]+left[0]:], step, b[right[0]:], in, c, out, ldc, load)
			} else {
				s.tile.Mul(p.a.Data, s.groups[:s.tile.Groups], s.step, left, b, in, right, c, out, ldc, load)
			}
		}
	}
}

// dense returns the tile without tables that reads the strip's links, so many elements apart, with its step, or nil: such a tile
// reads rows or columns that follow each other in memory.
func (s *strip[T]) dense(link int) (mul kernel.DenseMul[T], step int) {
	switch {
	case s.spacing >= 0 && link == 1:
		return s.tile.ByRows, s.spacing
	case s.spacing == 1 && link >= 0:
		return s.tile.ByColumns, link
	}
	return nil, 0
}

// pack copies links p0..p1-1 of a panel's columns to dst, link after link.
func (p *product[T]) pack(dst []T, q *panel, p0, p1 int) {
	rows, cols := p.b.Rows[p0:p1], p.b.Cols[q.col:q.col+q.cols]
	if len(rows) == 0 {
		return
	}
	if consecutive(rows) > consecutive(cols) {
		for i := 0; i < len(rows); {
			n := consecutive(rows[i:])
			p.set.Interleave(dst[i*p.width:], p.width, p.b.Data[rows[i]:], cols, n)
			i += n
		}
		return
	}
	for j := 0; j < len(cols); {
		n := consecutive(cols[j:])
		p.set.Gather(dst[j:], p.width, p.b.Data[cols[j]:], rows, n)
		j += n
	}
}

// scratch is where the scratch tile of panel i, for the strip that begins at row, begins.
func (p *product[T]) scratch(i, row int) int { return (i*len(p.a.Rows) + row) * p.width }

// copyScratchTiles copies the scratch tiles to C or, with load, C to them.
func (p *product[T]) copyScratchTiles(load bool) {
	for j := range p.panels {
		q := &p.panels[j]
		cols := p.c.Cols[q.col : q.col+q.cols]
		for i := range p.strips {
			s := &p.strips[i]
			if !q.scratch && s.inPlace {
				continue
			}
			for r := s.row; r < s.row+s.tile.Height(); r++ {
				tile, row := p.ws.scratch[p.scratch(j, r):], p.c.Data[p.c.Rows[r]:]
				if load {
					for l, at := range cols {
						tile[l] = row[at]
					}
				} else {
					for l, at := range cols {
						row[at] = tile[l]
					}
				}
			}
		}
	}
}

// consecutive is the number of offsets, from the first on, that follow each other without a gap.
func consecutive(offsets []int) int {
	n := 1
	for n < len(offsets) && offsets[n] == offsets[0]+n {
		n++
	}
	return n
}

// spacing is the step between neighbouring offsets, 1 if there is only one offset: negative if they descend, and -1 too if they
// are not evenly spaced.
func spacing(offsets []int) int {
	switch {
	case len(offsets) == 1:
		return 1
	case len(offsets) == 0 || !evenlySpaced(offsets):
		return -1
	}
	return offsets[1] - offsets[0]
}

// Offsets returns 0, stride, 2*stride, ...: the table of evenly spaced rows or columns.
func Offsets(n, stride int) []int {
	off := make([]int, n)
	for i := range off {
		off[i] = i * stride
	}
	return off
}

// Grow returns a slice of n elements, s itself where it is long enough; the contents are undefined.
func Grow[E any](s []E, n int) []E {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]E, n)
}
