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
	a, b := guarded[T](t, k*tile.Rows, r.IntN(2) == 0), guarded[T](t, k*cols, r.IntN(2) == 0)
	shift := r.IntN(16)
	whole, c := framed[T]((tile.Rows-1)*ldc+cols, shift)
	wholeWant, want := framed[T](len(c), shift)
	fill(r, a, tame)
	fill(r, b, tame)
	if load {
		fill(r, c, tame)
		copy(want, c)
	}
	fenced := guarded[T](t, len(c), r.IntN(2) == 0)
	copy(fenced, c)
	refMul(tile.Rows, cols, k, a, b, want, ldc, load)
	tile.Mul(k, a, b, c, ldc, load)
	tile.Mul(k, a, b, fenced, ldc, load)
	sameBits(t, name("tile %dx%d k=%d ldc=%d load=%v tame=%v", tile.Rows, cols, k, ldc, load, tame), whole, wholeWant)
	sameBits(t, "the same between fences", fenced, want)
}

// TestTileHalfway: in every step every sum is next to the middle between two float32s, as in TestFMA32Halfway.
func TestTileHalfway(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for _, row := range Rows[float32]() {
		for _, tile := range row.Tiles {
			const k = 9
			a, b, c := make([]float32, k*tile.Rows), make([]float32, k*row.Cols), make([]float32, tile.Rows*row.Cols)
			for i := range a {
				a[i] = 1 + 0x1p-20
			}
			for i := range b {
				b[i] = (1 - 0x1p-20) * (float32(r.IntN(2)) - 0.5)
			}
			for i := range c {
				c[i] = float32(1<<23+101+2*r.IntN(1<<21)) * // odd, or the middle itself would go the same way
					(2*float32(r.IntN(2)) - 1)
			}
			want := append([]float32(nil), c...)
			refMul(tile.Rows, row.Cols, k, a, b, want, row.Cols, true)
			tile.Mul(k, a, b, c, row.Cols, true)
			sameBits(t, name("row %s, tile %dx%d", row.Name, tile.Rows, row.Cols), c, want)
		}
	}
}
