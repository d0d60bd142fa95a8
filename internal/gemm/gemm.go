// Package gemm computes matrix products out of register tiles: which blocks, in which order.
//
//	C[i][j] = fma(A[i][k-1], B[k-1][j], ... fma(A[i][0], B[0][j], +0))
//
// Every element is one chain over p = 0..k-1 ascending, whatever the blocking, so the bits depend on the operands alone.
// A Matrix says by two tables where its elements lie, so that the weights of a convolution, and the columns that it reads of
// an image, are matrices as they are; only what the tiles cannot read as vectors is packed. It is for package tensor
// (plain matrices) and package conv, and knows nothing of images or goroutines.
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
	// depth32 is the most links of the chain in a block, for float32; half as many float64s take the same room. So many that loading and
	// storing the tiles of C between blocks costs little, so few that a strip of A and the panels it meets stay in the second-level cache.
	depth32 = 1280
	// group is the number of panels that a strip of A meets before the next strip comes, so that it is read once for them all
	// from wherever it lies: that many, or as many as have groupLinks links together if chains are short, but
	group      = 6
	groupLinks = 3072
	// groupMost at the most. So many where there is a single strip: there is nothing to share then, and tiles of few rows are several
	// panels wide.
	groupMost = 24
	// farLinks is the number of elements from link to link of B from which on a panel is packed although it could be read where it
	// lies: each link is on another page of memory then.
	farLinks = 512
)

// depth is the most links of the chain in a block.
func depth[T kernel.Float]() int {
	if _, double := any(T(0)).(float64); double {
		return depth32 / 2
	}
	return depth32
}

// Multiply sets c = a*b or, with load, continues the chains that c holds: c = c + a*b, one chain. It runs on the calling
// goroutine; different blocks of a product may run at the same time, each with its own workspace. c must not overlap the others.
func Multiply[T kernel.Float](c, a, b Matrix[T], load bool, ws *Workspace[T]) {
	m, k, n := len(a.Rows), len(a.Cols), len(b.Cols)
	if len(b.Rows) != k || len(c.Rows) != m || len(c.Cols) != n {
		panicSizes(c, a, b)
	}
	if m == 0 || n == 0 {
		return
	}
	p := &ws.product
	*p = product[T]{c: c, a: a, b: b, set: kernel.Active[T](), ws: ws}
	defer func() { *p = product[T]{} }() // it holds on to nothing
	p.width = kernel.Vectors * p.set.Lanes
	blocks := max(1, (k+depth[T]()-1)/depth[T]())
	p.size = (k + blocks - 1) / blocks * p.width
	p.planStrips()
	p.ws.scratch = Grow(p.ws.scratch, p.group*m*p.width)
	if n := p.size / p.width; len(p.ws.links) < n || n > 1 && p.ws.links[1] != p.width {
		p.ws.links = Offsets(n, p.width)
	}
	for col := 0; col < n; {
		col = p.planPanels(col)
		if load {
			p.exchange(true)
		}
		for i := range blocks {
			p.block(i*k/blocks, (i+1)*k/blocks, load || i > 0)
		}
		p.exchange(false)
	}
}

// product is one call of Multiply.
type product[T kernel.Float] struct {
	c, a, b Matrix[T]
	set     *kernel.Set[T]
	ws      *Workspace[T]
	width   int // of a panel
	size    int // elements of a packed panel
	group   int // the most panels at a time
	strips  []strip[T]
	panels  []panel
	vectors vectors // of the panels
	runs    []run   // of the vectors
}

// strip is the rows of A that a tile works on at a time.
type strip[T kernel.Float] struct {
	tile     *kernel.Tile[T]
	row      int    // the first
	groups   [4]int // where its groups of rows start in A's data
	step     int    // from row to row of a group
	out, ldc int    // where its rows lie in C's data, and
	inPlace  bool   // whether they lie evenly, so that tiles may write there
}

// panel is the columns that most tiles work on at a time: two vectors, the last panel's perhaps not full.
type panel struct {
	col, cols int
	packed    bool // B's columns are not vectors in memory, so they are copied
	scratch   bool // neither are C's, so tiles are exchanged with scratch memory
}

// vectors lists where vectors of columns lie: in B's data or in the packed panels; in a row of C's data; in that row's scratch memory.
type vectors struct{ in, out, scratch []int }

// run is the vectors first..last-1, of neighbouring panels that are treated alike.
type run struct {
	first, last     int
	packed, scratch bool
}

// planStrips cuts A into strips: for each, the tallest tile whose groups of rows lie evenly in memory.
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
			if s.fits(rest) && !(i == 0 && len(rest) == 2*tiles[1].Height()) { // two of one height, not a tall and a low one
				break
			}
		}
		h := s.tile.Height()
		s.out, s.inPlace = p.c.Rows[row], true
		if h > 1 {
			s.ldc = p.c.Rows[row+1] - s.out
			s.inPlace = s.ldc > 0 && even(p.c.Rows[row:row+h])
		}
		p.strips = append(p.strips, s)
		row += h
	}
	p.ws.strips = p.strips
	p.group = min(max(group, groupLinks/max(1, len(p.a.Cols))), groupMost)
	if len(p.strips) == 1 {
		p.group = groupMost
	}
}

// fits tells whether the tile can read its groups from the given rows, and finds out how.
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
		if n > 1 && group[1]-group[0] != s.step || !even(group) {
			return false
		}
	}
	return s.step >= 0
}

// even tells whether offsets go up by the same step everywhere.
func even(offsets []int) bool {
	for i := 2; i < len(offsets); i++ {
		if offsets[i]-offsets[i-1] != offsets[1]-offsets[0] {
			return false
		}
	}
	return true
}

// planPanels cuts columns from c0 on, a group of panels or up to the end, and returns where it stopped.
func (p *product[T]) planPanels(c0 int) int {
	lanes, n := p.set.Lanes, len(p.c.Cols)
	p.panels, p.runs = p.ws.plan[:0], p.ws.runs[:0]
	v := vectors{p.ws.vectors.in[:0], p.ws.vectors.out[:0], p.ws.vectors.scratch[:0]}
	far := len(p.strips) > 1 && len(p.b.Rows) > 1 && p.b.Rows[1]-p.b.Rows[0] >= farLinks
	col := c0
	for col < n && len(p.panels) < p.group {
		q := panel{col: col, cols: min(p.width, n-col), packed: far}
		first := len(v.in)
		for at := col; at < col+q.cols; at += lanes {
			end := min(at+lanes, n)
			q.packed = q.packed || end-at < lanes || inARow(p.b.Cols[at:end]) < lanes
			q.scratch = q.scratch || end-at < lanes || inARow(p.c.Cols[at:end]) < lanes
			v.in, v.out = append(v.in, p.b.Cols[at]), append(v.out, p.c.Cols[at])
			v.scratch = append(v.scratch, p.scratch(len(p.panels), 0)+at-col)
		}
		if q.packed {
			p.ws.panels = Grow(p.ws.panels, p.group*p.size)
			for i := range v.in[first:] {
				v.in[first+i] = len(p.panels)*p.size + i*lanes
			}
		}
		if last := len(p.runs) - 1; last < 0 || p.runs[last].packed != q.packed || p.runs[last].scratch != q.scratch {
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
			s.tile.Mul(p.a.Data, rows, s.step, left, b, p.vectors.in[r.first:r.last], right, c, out[r.first:r.last], ldc, load)
		}
	}
}

// pack copies links p0..p1-1 of a panel's columns to dst, link after link.
func (p *product[T]) pack(dst []T, q *panel, p0, p1 int) {
	rows, cols := p.b.Rows[p0:p1], p.b.Cols[q.col:q.col+q.cols]
	if len(rows) == 0 {
		return
	}
	if inARow(rows) > inARow(cols) {
		for i := 0; i < len(rows); {
			n := inARow(rows[i:])
			p.set.Interleave(dst[i*p.width:], p.width, p.b.Data[rows[i]:], cols, n)
			i += n
		}
		return
	}
	for j := 0; j < len(cols); {
		n := inARow(cols[j:])
		p.set.Gather(dst[j:], p.width, p.b.Data[cols[j]:], rows, n)
		j += n
	}
}

// scratch is where the scratch tile of panel i and of the strip with that first row begins.
func (p *product[T]) scratch(i, row int) int { return (i*len(p.a.Rows) + row) * p.width }

// exchange copies the scratch tiles to C or, if in, C to them.
func (p *product[T]) exchange(in bool) {
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
				if in {
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

// inARow is the number of leading offsets that follow each other without a gap.
func inARow(offsets []int) int {
	n := 1
	for n < len(offsets) && offsets[n] == offsets[0]+n {
		n++
	}
	return n
}

// Offsets returns 0, stride, 2*stride, ... : the places of a matrix's rows or columns.
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
