package kernel

import (
	"math/rand/v2"
	"testing"
)

// refMul is the definition of Tile.Mul.
func refMul[T Float](rows, cols, k int, a, b, c []T, ldc int, load bool) {
	for i := range rows {
		for j := range cols {
			var s T
			if load {
				s = c[i*ldc+j]
			}
			for p := range k {
				s = FMA(a[p*rows+i], b[p*cols+j], s)
			}
			c[i*ldc+j] = s
		}
	}
}

func TestTile(t *testing.T) {
	for _, row := range Rows[float32]() {
		t.Run(row.Name+"/float32", func(t *testing.T) { testTiles(t, row) })
	}
	for _, row := range Rows[float64]() {
		t.Run(row.Name+"/float64", func(t *testing.T) { testTiles(t, row) })
	}
}

func testTiles[T Float](t *testing.T, row *Set[T]) {
	r := rand.New(rand.NewPCG(1, 2))
	if last := row.Tiles[len(row.Tiles)-1]; last.Rows != 1 {
		t.Errorf("the last tile has %d rows, want 1", last.Rows)
	}
	for _, tile := range row.Tiles {
		for _, k := range []int{0, 1, 2, 3, 4, 7, 8, 9, 64, 255} {
			for _, extra := range []int{0, 1, 13} {
				for variant := range 4 {
					load, tame := variant&1 == 1, variant&2 == 2
					testTile(t, r, tile, row.Cols, k, row.Cols+extra, load, tame)
				}
			}
		}
	}
}

func testTile[T Float](t *testing.T, r *rand.Rand, tile Tile[T], cols, k, ldc int, load, tame bool) {
	_, a := framed[T](k*tile.Rows, r.IntN(16))
	_, b := framed[T](k*cols, r.IntN(16))
	shift := r.IntN(16)
	whole, c := framed[T]((tile.Rows-1)*ldc+cols, shift)
	wholeWant, want := framed[T](len(c), shift)
	fill(r, a, tame)
	fill(r, b, tame)
	if load {
		fill(r, c, tame)
		copy(want, c)
	}
	refMul(tile.Rows, cols, k, a, b, want, ldc, load)
	tile.Mul(k, a, b, c, ldc, load)
	sameBits(t, name("tile %dx%d k=%d ldc=%d load=%v tame=%v", tile.Rows, cols, k, ldc, load, tame), whole, wholeWant)
}
