package kernel

import (
	"math/rand/v2"
	"testing"
)

// tileCall is the operands of one Tile.Mul.
type tileCall[T Float] struct {
	a           []T
	rows        []int
	step        int
	left        []int
	b           []T
	cols, right []int
	c           []T
	out         []int
	ldc         int
	load        bool
}

func (p *tileCall[T]) mul(tile Tile[T], c []T) {
	tile.Mul(p.a, p.rows, p.step, p.left, p.b, p.cols, p.right, c, p.out, p.ldc, p.load)
}

// reference is the definition of Tile.Mul with the row's multiply-add.
func (p *tileCall[T]) reference(tile Tile[T], lanes int, link func(a, b, c T) T, c []T) {
	for i := range tile.Height() {
		for v := range p.cols {
			for j := range lanes {
				sum := &c[p.out[v]+i*p.ldc+j]
				if !p.load {
					*sum = 0
				}
				for q := range p.left {
					a := p.a[p.rows[i/tile.Rows]+i%tile.Rows*p.step+p.left[q]]
					*sum = link(a, p.b[p.cols[v]+p.right[q]+j], *sum)
				}
			}
		}
	}
}

// packed is a call on operands that lie densely, in panels.
func packed[T Float](tile Tile[T], lanes, vectors, k int) *tileCall[T] {
	height, width := tile.Height(), vectors*lanes
	p := &tileCall[T]{a: make([]T, k*height), step: 1, b: make([]T, k*width), c: make([]T, height*width),
		ldc: width}
	for g := range tile.Groups {
		p.rows = append(p.rows, g*tile.Rows)
	}
	for v := range vectors {
		p.cols, p.out = append(p.cols, v*lanes), append(p.out, v*lanes)
	}
	for q := range k {
		p.left, p.right = append(p.left, q*height), append(p.right, q*width)
	}
	return p
}

func TestTile(t *testing.T) { eachRow(t, testTiles[float32], testTiles[float64]) }

func testTiles[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(1, 2))
	if last := row.Tiles[len(row.Tiles)-1]; last.Height() != 1 {
		t.Errorf("the last tile has %d rows, want 1", last.Height())
	}
	for _, tile := range append(row.Narrow[:1:1], row.Tiles...) {
		for vectors := 1; vectors < 10; vectors++ {
			for _, k := range []int{0, 1, 2, 3, 7, 64, 255} {
				for variant := range 8 {
					load, tame, scattered := variant&1 == 1, variant&2 == 2, variant&4 == 4
					testTile(t, r, tile, row, vectors, k, load, tame, scattered)
				}
			}
		}
	}
}

func TestTileOfNoColumns(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 3))
	for _, row := range All[float64]() {
		for _, tile := range append(row.Narrow[:1:1], row.Tiles...) {
			p := packed(tile, row.Lanes, 1, 3)
			fill(r, p.a, true)
			fill(r, p.b, true)
			p.cols, p.out = nil, nil
			p.mul(tile, p.c)
			sameBits(t, name("row %s, tile of %d rows", row.Name, tile.Height()), p.c,
				make([]float64, len(p.c)))
		}
	}
}

// testTile runs a tile on dense or on scattered operands, with fences at one of their ends.
func testTile[T Float](t *testing.T, r *rand.Rand, tile Tile[T], row *Set[T], vectors, k int,
	load, tame, scattered bool) {
	lanes := row.Lanes
	p := packed(tile, lanes, vectors, k)
	if scattered {
		p.scatter(r, tile, lanes)
	}
	p.load = load
	p.a, p.b = guarded[T](t, len(p.a), r.IntN(2) == 0), guarded[T](t, len(p.b), r.IntN(2) == 0)
	shift := r.IntN(16)
	whole, c := framed[T](len(p.c), shift)
	wholeWant, want := framed[T](len(c), shift)
	fill(r, p.a, tame)
	fill(r, p.b, tame)
	if load {
		fill(r, c, tame)
		copy(want, c)
	}
	fenced := guarded[T](t, len(c), r.IntN(2) == 0)
	copy(fenced, c)
	p.reference(tile, lanes, linkOf(row), want)
	p.mul(tile, c)
	p.mul(tile, fenced)
	what := name("tile %dx%dx%d k=%d load=%v tame=%v scattered=%v", tile.Groups, tile.Rows, vectors, k, load,
		tame, scattered)
	sameBits(t, what, whole, wholeWant)
	written(t, p, tile, lanes, what+", between fences", fenced, want)
}

// written compares what a call writes.
func written[T Float](t *testing.T, p *tileCall[T], tile Tile[T], lanes int, what string, got, want []T) {
	t.Helper()
	for i := range tile.Height() {
		for _, at := range p.out {
			at += i * p.ldc
			sameBits(t, what, got[at:at+lanes], want[at:at+lanes])
		}
	}
}

// scatter places the operands anew: groups of rows, links and vectors anywhere, in no order but for the last
// links, which the checks see; the operands just long enough.
func (p *tileCall[T]) scatter(r *rand.Rand, tile Tile[T], lanes int) {
	k := len(p.left)
	p.step = 1 + r.IntN(9)
	for q := range k {
		p.left[q], p.right[q] = r.IntN(3*k), r.IntN(5*k)
	}
	if k > 0 {
		p.left[k-1], p.right[k-1] = 3*k-1, 5*k-1
	}
	top := 0
	for g, at := range r.Perm(tile.Groups) {
		p.rows[g] = 50 * at
		top = max(top, p.rows[g])
	}
	p.a = make([]T, top+(tile.Rows-1)*p.step+3*k)
	p.ldc = len(p.cols)*(lanes+3) + r.IntN(20)
	end := 0
	for v, at := range r.Perm(len(p.cols)) {
		p.cols[v], p.out[v] = 7*v, at*(lanes+3)
		end = max(end, p.out[v])
	}
	p.b = make([]T, 7*(len(p.cols)-1)+5*k+lanes-1)
	p.c = make([]T, end+(tile.Height()-1)*p.ldc+lanes)
}

// TestTileHalfway: in every step every sum is next to the middle between two float32s, as in
// TestFMA32Halfway.
func TestTileHalfway(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for _, row := range All[float32]() {
		for _, tile := range append(row.Narrow[:1:1], row.Tiles...) {
			p := packed(tile, row.Lanes, Vectors, 9)
			p.load = true
			for i := range p.a {
				p.a[i] = 1 + 0x1p-20
			}
			for i := range p.b {
				p.b[i] = (1 - 0x1p-20) * (float32(r.IntN(2)) - 0.5)
			}
			for i := range p.c {
				// odd, or the middle itself would go the same way
				p.c[i] = float32(1<<23+101+2*r.IntN(1<<21)) *
					(2*float32(r.IntN(2)) - 1)
			}
			want := append([]float32(nil), p.c...)
			p.reference(tile, row.Lanes, linkOf(row), want)
			p.mul(tile, p.c)
			sameBits(t, name("row %s, tile of %d rows", row.Name, tile.Height()), p.c, want)
		}
	}
}
