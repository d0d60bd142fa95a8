// Package gemm computes matrix products C = A*B out of register tiles: which blocks, in which order.
//
//	C[i][j] = fma(A[i][k-1], B[k-1][j], ... fma(A[i][0], B[0][j], +0))
//
// Every element is one chain over p = 0..k-1 ascending, whatever the blocking, so the bits depend on the operands alone.
// The left operand is packed once, in strips of rows; the right one comes in panels of columns from an interface, so that a
// convolution can cut its panels straight from the image. It is for package tensor (plain matrices) and package conv, and
// knows nothing of images or goroutines.
package gemm

import (
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// depth is the length of a block of the chain: long enough that loading and storing the tiles of C between blocks costs little,
// short enough that a strip of the left operand stays in the first-level cache.
const depth = 384

// group is the number of panels packed together, which stay in the second-level cache: each strip, read from there or from
// beyond, serves that many panels.
const group = 8

// Left is a packed left operand: blocks of depth links of the chain, each holding all strips one after the other, so that a
// pass over the strips reads memory as it lies; element (i, p) of a strip at [(p-p0)*tile.Rows + i] of its part of the block
// that starts at link p0.
type Left[T kernel.Float] struct {
	set    *kernel.Set[T]
	k      int
	rows   int // of all strips, those of zeros included
	strips []strip[T]
	data   []T
}

type strip[T kernel.Float] struct {
	tile kernel.Tile[T]
	row  int // first row
	rows int // rows that exist; the tile's others are zeros
}

// part is where strip s of the block of links p0..p1-1 lies.
func (l *Left[T]) part(s *strip[T], p0, p1 int) []T {
	at := p0*l.rows + s.row*(p1-p0)
	return l.data[at : at+s.tile.Rows*(p1-p0)]
}

// Layout plans the strips of a rows x k operand and makes room for them, reusing l's memory. The contents are undefined
// until Pack has filled them.
func (l *Left[T]) Layout(set *kernel.Set[T], rows, k int) {
	l.set, l.k, l.rows, l.strips = set, k, 0, l.strips[:0]
	for l.rows < rows {
		tile := set.Tiles[0]
		for _, t := range set.Tiles[1:] {
			if t.Rows >= rows-l.rows { // the smallest tile that holds all remaining rows
				tile = t
			}
		}
		l.strips = append(l.strips, strip[T]{tile, l.rows, min(tile.Rows, rows-l.rows)})
		l.rows += tile.Rows
	}
	l.data = Grow(l.data, l.rows*k)
}

// Strips is the number of strips.
func (l *Left[T]) Strips() int { return len(l.strips) }

// Rows is the range of rows of strips s0..s1-1.
func (l *Left[T]) Rows(s0, s1 int) (r0, r1 int) {
	if s0 >= s1 {
		return 0, 0
	}
	return l.strips[s0].row, l.strips[s1-1].row + l.strips[s1-1].rows
}

// Pack fills the operand: fill writes links p0..p1-1 of the chain of rows row..row+rows-1, element (i, p) to
// dst[(p-p0)*stride+i]. The work is spread over goroutines by blocks of the given number of links, each block passing over all
// rows while its part of the source is in the cache.
func (l *Left[T]) Pack(block int, fill Filler[T]) {
	parallel.For((l.k+block-1)/block, func(_, i int) { l.PackRange(i*block, min((i+1)*block, l.k), fill) })
}

// A Filler packs a part of a left operand, as Pack says.
type Filler[T kernel.Float] func(dst []T, stride, row, rows, p0, p1 int)

// PackRange does Pack's work for links p0..p1-1 on the calling goroutine.
func (l *Left[T]) PackRange(p0, p1 int, fill Filler[T]) {
	for p0 < p1 {
		first := p0 / depth * depth // of the block
		end := min(first+depth, l.k)
		stop := min(end, p1)
		for i := range l.strips {
			s := &l.strips[i]
			dst := l.part(s, first, end)[(p0-first)*s.tile.Rows : (stop-first)*s.tile.Rows]
			if s.rows < s.tile.Rows {
				clear(dst)
			}
			fill(dst, s.tile.Rows, s.row, s.rows, p0, stop)
		}
		p0 = stop
	}
}

// Right is a right operand: Panel writes element (p, col+j), p0 <= p < p1, j < cols, to dst[(p-p0)*stride + j].
type Right[T kernel.Float] interface {
	Panel(dst []T, stride, col, cols, p0, p1 int)
}

// Target says where C lives: element (i, j) at Data[i*RowStride + Cols[j]], or at Data[i*RowStride + j] if Cols is nil.
type Target[T kernel.Float] struct {
	Data      []T
	RowStride int
	Cols      []int
}

func (t *Target[T]) col(j int) int {
	if t.Cols == nil {
		return j
	}
	return t.Cols[j]
}

// contiguous tells whether columns j..j+n-1 lie side by side.
func (t *Target[T]) contiguous(j, n int) bool {
	if t.Cols == nil {
		return true
	}
	for i := 1; i < n; i++ {
		if t.Cols[j+i] != t.Cols[j]+i {
			return false
		}
	}
	return true
}

// Multiply computes rows of strips s0..s1-1 and columns c0..c1-1 of C = A*B, or, with load, continues the chains that C holds
// (C = C + A*B, one chain). It runs on the calling goroutine; different strips or columns may run at the same time, each
// with its own workspace.
func (l *Left[T]) Multiply(s0, s1 int, right Right[T], c0, c1 int, out Target[T], load bool, ws *Workspace[T]) {
	if s0 >= s1 || c0 >= c1 {
		return
	}
	strips := l.strips[s0:s1]
	nr := l.set.Cols
	first := strips[0].row
	last := strips[len(strips)-1]
	rows := last.row + last.tile.Rows - first
	ws.panels = Grow(ws.panels, group*depth*nr)
	ws.scratch = Grow(ws.scratch, group*rows*nr)
	b := block[T]{l, strips, right, out, ws, first, rows}
	for col := c0; col < c1; col += group * nr {
		b.columns(col, min(col+group*nr, c1), load)
	}
}

// block is one call of Multiply.
type block[T kernel.Float] struct {
	*Left[T]
	strips []strip[T]
	right  Right[T]
	out    Target[T]
	ws     *Workspace[T]
	first  int // first row of the strips
	height int // rows of the strips, those of zeros included
}

// columns computes columns c0..c1-1, at most group panels.
func (b *block[T]) columns(c0, c1 int, load bool) {
	nr := b.set.Cols
	panels := (c1 - c0 + nr - 1) / nr
	var direct [group]bool
	for i := range panels {
		col := c0 + i*nr
		direct[i] = col+nr <= c1 && b.out.contiguous(col, nr)
		if load {
			b.exchange(i, col, min(nr, c1-col), direct[i], true)
		}
	}
	for p0 := 0; p0 == 0 || p0 < b.k; p0 += depth {
		p1 := min(p0+depth, b.k)
		for i := range panels {
			col := c0 + i*nr
			b.right.Panel(b.ws.panels[i*depth*nr:], nr, col, min(nr, c1-col), p0, p1)
		}
		for i := range b.strips {
			b.strip(&b.strips[i], c0, panels, p0, p1, direct[:panels], load || p0 > 0)
		}
	}
	for i := range panels {
		col := c0 + i*nr
		b.exchange(i, col, min(nr, c1-col), direct[i], false)
	}
}

// strip multiplies a strip with the packed panels, of columns c0 and on, for links p0..p1-1 of the chain. The strip stays in the
// first-level cache meanwhile; the panels come from the second level, as fast as the tiles need them.
func (b *block[T]) strip(s *strip[T], c0, panels, p0, p1 int, direct []bool, load bool) {
	nr := b.set.Cols
	left := b.part(s, p0, p1)
	ldc := max(b.out.RowStride, nr) // less only where there is a single row
	for i := range panels {
		right := b.ws.panels[i*depth*nr : i*depth*nr+(p1-p0)*nr]
		if direct[i] && s.rows == s.tile.Rows {
			s.tile.Mul(p1-p0, left, right, b.out.Data[s.row*b.out.RowStride+b.out.col(c0+i*nr):], ldc, load)
		} else {
			s.tile.Mul(p1-p0, left, right, b.tile(i, s.row), nr, load)
		}
	}
}

// tile is the scratch tile of panel i whose first row is row.
func (b *block[T]) tile(i, row int) []T {
	return b.ws.scratch[(i*b.height+row-b.first)*b.set.Cols:]
}

// exchange copies panel i's scratch tiles to the target, or from it if load.
func (b *block[T]) exchange(i, col, cols int, direct, load bool) {
	for _, s := range b.strips {
		if direct && s.rows == s.tile.Rows {
			continue
		}
		for r := range s.rows {
			tile := b.tile(i, s.row+r)[:cols]
			row := b.out.Data[(s.row+r)*b.out.RowStride:]
			switch {
			case b.out.Cols == nil && load:
				copy(tile, row[col:])
			case b.out.Cols == nil:
				copy(row[col:], tile)
			case load:
				for j, c := range b.out.Cols[col : col+cols] {
					tile[j] = row[c]
				}
			default:
				for j, c := range b.out.Cols[col : col+cols] {
					row[c] = tile[j]
				}
			}
		}
	}
}

// Grow returns a slice of n elements, s itself where it is long enough; the contents are undefined.
func Grow[E any](s []E, n int) []E {
	if cap(s) >= n {
		return s[:n]
	}
	return make([]E, n)
}
