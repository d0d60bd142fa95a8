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
	// depth is the most links of the chain in a block: enough that loading and storing the tiles of C between blocks costs
	// little, few enough that a strip of A and what it meets of B stay in the first two levels of cache.
	depth = 640
	// group is the number of panels that a strip of A meets before the next strip comes, so that it is read once for them all
	// from wherever it lies.
	group = 8
	// farLinks is the number of elements from link to link of B from which on a panel is packed although it could be read where it
	// lies: each link is on another page of memory then.
	farLinks = 512
)

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
	blocks := max(1, (k+depth-1)/depth)
	p.size = (k + blocks - 1) / blocks * p.width
	p.planStrips()
	p.ws.scratch = Grow(p.ws.scratch, group*m*p.width)
	p.ws.links = p.ws.links[:0]
	for i := range p.size / p.width {
		p.ws.links = append(p.ws.links, i*p.width)
	}
	for col := 0; col < n; {
		col = p.planPanels(col)
		p.exchange(load, true)
		for i := range blocks {
			p.block(i*k/blocks, (i+1)*k/blocks, load || i > 0)
		}
		p.exchange(true, false)
	}
}

// product is one call of Multiply.
type product[T kernel.Float] struct {
	c, a, b Matrix[T]
	set     *kernel.Set[T]
	ws      *Workspace[T]
	width   int // of an ordinary panel
	wide    int // vectors of a wide one, if the strips' tiles take such and C's rows lie evenly; else 0
	size    int // elements of a packed panel
	strips  []strip[T]
	panels  []panel
	out     [kernel.MaxVectors]int // where a tile's vectors go: here, since what is passed to a tile would be allocated
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

// panel is the vectors of columns that a tile works on at a time.
type panel struct {
	col, cols int
	vectors   int
	packed    bool                   // B's columns are not vectors in memory, so they are copied
	scratch   bool                   // neither are C's, so tiles are exchanged with scratch memory
	in, out   [kernel.MaxVectors]int // where its vectors lie in B's and in C's data
}

// planStrips cuts A into strips: for each, the tallest tile whose groups of rows lie evenly in memory.
func (p *product[T]) planStrips() {
	p.strips = p.ws.strips[:0]
	for row := 0; row < len(p.a.Rows); {
		s := strip[T]{row: row}
		rest := p.a.Rows[row:]
		for i := range p.set.Tiles {
			s.tile = &p.set.Tiles[i]
			if s.fits(rest) && !(i == 0 && len(rest) == 2*p.set.Tiles[1].Height()) { // two of one height, not a tall and a low one
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
	if s := p.strips[0]; len(p.strips) == 1 && s.inPlace {
		p.wide = s.tile.Wide
	}
	p.ws.strips = p.strips
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
	p.panels = p.ws.plan[:0]
	far := len(p.strips) > 1 && len(p.b.Rows) > 1 && p.b.Rows[1]-p.b.Rows[0] >= farLinks
	col := c0
	for col < n && len(p.panels) < group {
		q := panel{col: col, cols: min(p.width, n-col), packed: far}
		if !far && p.wide > 0 && p.whole(col, p.wide) {
			q.cols = p.wide * lanes
		}
		q.vectors = (q.cols + lanes - 1) / lanes
		for v := range q.vectors {
			first := col + v*lanes
			last := min(first+lanes, n)
			q.packed = q.packed || last-first < lanes || run(p.b.Cols[first:last]) < lanes
			q.scratch = q.scratch || last-first < lanes || run(p.c.Cols[first:last]) < lanes
			q.in[v], q.out[v] = p.b.Cols[first], p.c.Cols[first]
		}
		if q.packed {
			p.ws.panels = Grow(p.ws.panels, group*p.size)
			for v := range q.vectors {
				q.in[v] = len(p.panels)*p.size + v*lanes
			}
		}
		p.panels = append(p.panels, q)
		col += q.cols
	}
	p.ws.plan = p.panels
	return col
}

// whole tells whether so many vectors from column col on lie as vectors in B and in C.
func (p *product[T]) whole(col, vectors int) bool {
	lanes := p.set.Lanes
	if col+vectors*lanes > len(p.c.Cols) {
		return false
	}
	for ; vectors > 0; vectors-- {
		if run(p.b.Cols[col:col+lanes]) < lanes || run(p.c.Cols[col:col+lanes]) < lanes {
			return false
		}
		col += lanes
	}
	return true
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
		for j := range p.panels {
			q := &p.panels[j]
			b, right := p.b.Data, p.b.Rows[p0:p1]
			if q.packed {
				b, right = p.ws.panels, p.ws.links[:p1-p0]
			}
			c, ldc := p.c.Data, s.ldc
			if q.scratch || !s.inPlace {
				c, ldc = p.ws.scratch, p.width
				for v := range p.out {
					p.out[v] = p.scratch(j, s.row) + v*p.set.Lanes
				}
			} else {
				for v := range p.out {
					p.out[v] = s.out + q.out[v]
				}
			}
			s.tile.Mul(p.a.Data, rows, s.step, left, b, q.in[:q.vectors], right, c, p.out[:q.vectors], ldc, load)
		}
	}
}

// pack copies links p0..p1-1 of a panel's columns to dst, link after link.
func (p *product[T]) pack(dst []T, q *panel, p0, p1 int) {
	rows, cols := p.b.Rows[p0:p1], p.b.Cols[q.col:q.col+q.cols]
	if len(rows) == 0 {
		return
	}
	if run(rows) > run(cols) {
		for i := 0; i < len(rows); {
			n := run(rows[i:])
			p.set.Interleave(dst[i*p.width:], p.width, p.b.Data[rows[i]:], cols, n)
			i += n
		}
		return
	}
	for j := 0; j < len(cols); {
		n := run(cols[j:])
		p.set.Gather(dst[j:], p.width, p.b.Data[cols[j]:], rows, n)
		j += n
	}
}

// scratch is where the scratch tile of panel i and of the strip with that first row begins.
func (p *product[T]) scratch(i, row int) int { return (i*len(p.a.Rows) + row) * p.width }

// exchange copies the scratch tiles to C or, if in, C to them; with load false there is nothing to copy in.
func (p *product[T]) exchange(load, in bool) {
	for j := range p.panels {
		q := &p.panels[j]
		cols := p.c.Cols[q.col : q.col+q.cols]
		for i := range p.strips {
			s := &p.strips[i]
			if !q.scratch && s.inPlace {
				continue
			}
			for r := s.row; load && r < s.row+s.tile.Height(); r++ {
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

// run is the number of leading offsets that follow each other without a gap.
func run(offsets []int) int {
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
