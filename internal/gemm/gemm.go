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
	// could be read where it lies: each link is then on another page of memory.
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
	strips  []strip[T]
	panels  []panel // of the current group
	vectors vectors // of the panels
	runs    []run   // of the vectors
}

// strip is the rows of A that a tile works on at a time.
type strip[T kernel.Float] struct {
	tile     *kernel.Tile[T]
	row      int    // the first row
	groups   [4]int // where the tile's groups of rows begin in A's data
	step     int    // elements from row to row of a group
	out, ldc int    // the first row's place in C's data, and the elements from row to row there
	inPlace  bool   // whether C's rows are evenly spaced, so that tiles can write there
}

// panel is the columns that most tiles work on at a time: two vectors, the last panel's perhaps not full.
type panel struct {
	col, cols int
	packed    bool // whether B's columns are copied to a packed panel, because they are not vectors in memory
	scratch   bool // whether tiles go by way of scratch memory, because C's columns are not vectors in memory
}

// vectors lists where the vectors of columns lie.
type vectors struct {
	in      []int // in B's data or in the packed panels
	out     []int // in a row of C's data
	scratch []int // in that row's scratch memory
}

// run is the vectors first..last-1, of neighbouring panels that are packed alike and written alike.
type run struct {
	first, last     int
	packed, scratch bool
}

// planStrips cuts A into strips. Each takes the tallest tile whose groups of rows are evenly spaced in
// memory.
func (p *product[T]) planStrips() {
	p.strips = p.ws.strips[:0]
	tiles := p.set.Tiles
	if len(p.c.Cols) <= p.set.Lanes {
		tiles = p.set.Narrow
	}
	for row := 0; row < len(p.a.Rows); {
		s := strip[T]{row: row}
		rest := p.a.Rows[row:]
		for i := range tiles {
			s.tile = &tiles[i]
			secondTwice := i == 0 && len(rest) == 2*tiles[1].Height() // better than a tall tile and a low one
			if s.fits(rest) && !secondTwice {
				break
			}
		}
		h := s.tile.Height()
		s.out, s.inPlace = p.c.Rows[row], true
		if h > 1 {
			s.ldc = p.c.Rows[row+1] - s.out
			s.inPlace = s.ldc > 0 && evenlySpaced(p.c.Rows[row:row+h])
		}
		p.strips = append(p.strips, s)
		row += h
	}
	p.ws.strips = p.strips
	p.group = min(max(minGroup, groupLinks/max(1, len(p.a.Cols))), maxGroup)
	if len(p.strips) == 1 {
		p.group = maxGroup
	}
}

// fits tells whether the tile can read its groups from the given rows, and sets groups and step.
func (s *strip[T]) fits(rows []int) bool {
	if s.tile.Height() > len(rows) {
		return false
	}
	n := s.tile.Rows
	s.step = 0
	if n > 1 {
		s.step = rows[1] - rows[0]
	}
	for g := range s.tile.Groups {
		group := rows[g*n : (g+1)*n]
		s.groups[g] = group[0]
		if n > 1 && group[1]-group[0] != s.step || !evenlySpaced(group) {
			return false
		}
	}
	return s.step >= 0
}

// evenlySpaced tells whether all neighbouring offsets differ by the same step.
func evenlySpaced(offsets []int) bool {
	for i := 2; i < len(offsets); i++ {
		if offsets[i]-offsets[i-1] != offsets[1]-offsets[0] {
			return false
		}
	}
	return true
}

// planPanels cuts the columns from c0 on into panels, a group of them or fewer at the end, and returns the
// first column after them.
func (p *product[T]) planPanels(c0 int) int {
	lanes, n := p.set.Lanes, len(p.c.Cols)
	p.panels, p.runs = p.ws.plan[:0], p.ws.runs[:0]
	v := vectors{p.ws.vectors.in[:0], p.ws.vectors.out[:0], p.ws.vectors.scratch[:0]}
	far := len(p.strips) > 1 && len(p.b.Rows) > 1 && p.b.Rows[1]-p.b.Rows[0] >= minFarStride
	col := c0
	for col < n && len(p.panels) < p.group {
		q := panel{col: col, cols: min(p.width, n-col), packed: far}
		first := len(v.in)
		for at := col; at < col+q.cols; at += lanes {
			end := min(at+lanes, n)
			q.packed = q.packed || end-at < lanes || consecutive(p.b.Cols[at:end]) < lanes
			q.scratch = q.scratch || end-at < lanes || consecutive(p.c.Cols[at:end]) < lanes
			v.in, v.out = append(v.in, p.b.Cols[at]), append(v.out, p.c.Cols[at])
			v.scratch = append(v.scratch, p.scratch(len(p.panels), 0)+at-col)
		}
		if q.packed {
			p.ws.panels = Grow(p.ws.panels, p.group*p.size)
			for i := range v.in[first:] {
				v.in[first+i] = len(p.panels)*p.size + i*lanes
			}
		}
		if last := len(p.runs) - 1; last < 0 || p.runs[last].packed != q.packed ||
			p.runs[last].scratch != q.scratch {
			p.runs = append(p.runs, run{first, first, q.packed, q.scratch})
		}
		p.runs[len(p.runs)-1].last = len(v.in)
		p.panels = append(p.panels, q)
		col += q.cols
	}
	p.vectors = v
	p.ws.plan, p.ws.runs, p.ws.vectors = p.panels, p.runs, v
	return col
}

// block continues the chains by links p0..p1-1.
func (p *product[T]) block(p0, p1 int, load bool) {
	for i := range p.panels {
		if q := &p.panels[i]; q.packed {
			p.pack(p.ws.panels[i*p.size:], q, p0, p1)
		}
	}
	left := p.a.Cols[p0:p1]
	for i := range p.strips {
		s := &p.strips[i]
		rows := s.groups[:s.tile.Groups]
		for _, r := range p.runs {
			b, right := p.b.Data, p.b.Rows[p0:p1]
			if r.packed {
				b, right = p.ws.panels, p.ws.links[:p1-p0]
			}
			c, out, ldc := p.c.Data[s.out:], p.vectors.out, s.ldc
			if r.scratch || !s.inPlace {
				c, out, ldc = p.ws.scratch[p.scratch(0, s.row):], p.vectors.scratch, p.width
			}
			s.tile.Mul(p.a.Data, rows, s.step, left, b, p.vectors.in[r.first:r.last], right, c,
				out[r.first:r.last], ldc, load)
		}
	}
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
