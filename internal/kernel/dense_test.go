package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestDenseTile compares the tiles without tables with the definition of Tile.Mul.
func TestDenseTile(t *testing.T) { eachRow(t, testDenseTiles[float32], testDenseTiles[float64]) }

func testDenseTiles[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(31, 32))
	for _, tile := range row.Tiles {
		for _, layout := range []struct {
			name   string
			mul    DenseMul[T]
			byRows bool
		}{{"rows", tile.ByRows, true}, {"columns", tile.ByColumns, false}} {
			if layout.mul == nil {
				continue
			}
			for vectors := 1; vectors < 8; vectors++ {
				for _, k := range []int{0, 1, 2, 3, 4, 5, 7, 8, 64, 255} {
					for variant := range 4 {
						p, step := denseCall(r, tile, row.Lanes, vectors, k, layout.byRows)
						p.load = variant&1 == 1
						testDense(t, r, p, step, tile, row, layout.mul, variant&2 == 2, name("%s, %s, %d vectors, k=%d, variant %d",
							row.Name, layout.name, vectors, k, variant))
					}
				}
			}
		}
	}
}

// denseCall is the operands of a dense tile, as Mul takes them, with tables, and its step.
func denseCall[T Float](r *rand.Rand, tile Tile[T], lanes, vectors, k int, byRows bool) (p *tileCall[T], step int) {
	height, panel := tile.Height(), Vectors*lanes
	step = k + r.IntN(5)
	row, link := step, 1
	if !byRows {
		step = height + r.IntN(20)
		row, link = 1, step
	}
	p = &tileCall[T]{step: row, ldc: vectors*lanes + r.IntN(9)}
	for g := range tile.Groups {
		p.rows = append(p.rows, g*tile.Rows*row)
	}
	for q := range k {
		p.left, p.right = append(p.left, q*link), append(p.right, q*panel)
	}
	for v := range vectors {
		p.cols = append(p.cols, v/Vectors*k*panel+v%Vectors*lanes)
		p.out = append(p.out, v*lanes)
	}
	if k > 0 {
		p.a = make([]T, (height-1)*row+(k-1)*link+1)
		p.b = make([]T, p.cols[vectors-1]+(k-1)*panel+lanes)
	}
	p.c = make([]T, (height-1)*p.ldc+vectors*lanes)
	return p, step
}

// testDense runs the call on operands that end, or begin, where memory does.
func testDense[T Float](t *testing.T, r *rand.Rand, p *tileCall[T], step int, tile Tile[T], row *Set[T],
	mul DenseMul[T], tame bool, what string) {
	t.Helper()
	p.a, p.b = guarded[T](t, len(p.a), r.IntN(2) == 0), guarded[T](t, len(p.b), r.IntN(2) == 0)
	fill(r, p.a, tame)
	fill(r, p.b, tame)
	fill(r, p.c, tame)
	want, got := append([]T(nil), p.c...), guarded[T](t, len(p.c), r.IntN(2) == 0)
	copy(got, p.c)
	p.reference(tile, row.Lanes, linkOf(row), want)
	mul(len(p.left), p.a, step, p.b, p.cols, got, p.out, p.ldc, p.load)
	sameBits(t, what, got, want)
}

// TestDenseTileMisuse: operands that are one element too short panic rather than being read or written beyond.
func TestDenseTileMisuse(t *testing.T) {
	r := rand.New(rand.NewPCG(33, 34))
	for _, row := range All[float32]() {
		tile := row.Tiles[0]
		for i, mul := range []DenseMul[float32]{tile.ByRows, tile.ByColumns} {
			if mul == nil {
				continue
			}
			p, step := denseCall(r, tile, row.Lanes, 3, 5, i == 0)
			for name, run := range map[string]func(){
				"a":   func() { mul(5, p.a[1:], step, p.b, p.cols, p.c, p.out, p.ldc, false) },
				"b":   func() { mul(5, p.a, step, p.b[1:], p.cols, p.c, p.out, p.ldc, false) },
				"c":   func() { mul(5, p.a, step, p.b, p.cols, p.c[1:], p.out, p.ldc, false) },
				"out": func() { mul(5, p.a, step, p.b, p.cols, p.c, p.out[1:], p.ldc, false) },
				"k":   func() { mul(-1, p.a, step, p.b, p.cols, p.c, p.out, p.ldc, false) },
			} {
				func() {
					defer func() {
						if recover() == nil {
							t.Errorf("row %s, layout %d: %s: no panic", row.Name, i, name)
						}
					}()
					run()
				}()
			}
		}
	}
}
