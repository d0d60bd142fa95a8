package gemm

import "sdref/internal/kernel"

// strip is the rows of A that a tile works on at a time.
type strip[T kernel.Float] struct {
	tile     *kernel.Tile[T]
	row      int    // the first row
	groups   [4]int // where the tile's groups of rows begin in A's data
	step     int    // elements from row to row of a group
	spacing  int    // elements from row to row of the strip, or negative if that differs
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
			if s.fits(rest) && !(i == 0 && p.set.Twice(len(rest))) {
				break
			}
		}
		h := s.tile.Height()
		s.spacing = spacing(p.a.Rows[row : row+h])
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

// linksFarApart tells whether B's links lie so far apart that panels are packed. With dense tiles a panel stays as it is only
// where it is nearly one already: of y packed for WeightGradient, perhaps without the border's pixels.
func (p *product[T]) linksFarApart() bool {
	rows := p.b.Rows
	if len(rows) < 2 {
		return false
	}
	step, length := rows[1]-rows[0], rows[len(rows)-1]-rows[0]
	nearlyPacked := step%p.width == 0 && length <= 2*p.width*(len(rows)-1)
	return step >= minFarStride || p.set.HasDenseTiles() && !nearlyPacked
}

// planPanels cuts the columns from c0 on into panels, a group of them or fewer at the end, and returns the
// first column after them.
func (p *product[T]) planPanels(c0 int) int {
	lanes, n := p.set.Lanes, len(p.c.Cols)
	p.panels, p.runs = p.ws.plan[:0], p.ws.runs[:0]
	v := vectors{p.ws.vectors.in[:0], p.ws.vectors.out[:0], p.ws.vectors.scratch[:0]}
	far := len(p.strips) > 1 && p.linksFarApart()
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
