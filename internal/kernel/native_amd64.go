//go:build !purego

package kernel

import "unsafe"

// native is the assembly of one instruction set for one element type, together with the Go that checks the
// slices and does what is left over after the last whole vector.
type native[T Float] struct {
	name       string
	lanes      int // elements of a vector
	tiles      []nativeTile[T]
	narrow     nativeTile[T]
	byRows     []denseFunc[T] // of the first tile, by vectors as its mul; nil if there are none
	byColumns  []denseFunc[T]
	peak       func(iterations int, a, b T)
	gather     gatherFunc[T]
	mark       func(mask, x *T, n int) (marked int)
	pack       func(dst, mask, x *T, n int) // nil, like unpack, where the instruction set has none
	unpack     func(dst, mask, packed *T, n int)
	regular    func(x *T, n int) bool
	alternate  [2]gatherFunc[T]      // in blocks of 32 and of 16 bytes
	weave      rowsFunc[T]           // in blocks of 32 bytes
	zeros      [2]rowsFunc[T]        // in blocks of 32 and of 16 bytes
	interleave []nativeInterleave[T] // by rows, descending
	pools      []nativeMaxPool[T]    // by blocks, descending
	nativeElementwise[T]
	nativeWinograd[T]
}

type nativeTile[T Float] struct {
	groups, rows int
	mul          []tileFunc[T] // mul[i] computes i+1 vectors at a time; nil where there is no such tile
}

type gatherFunc[T Float] func(dst *T, stride int, src *T, off *int, count, width int)

type rowsFunc[T Float] func(dst, src *T, n, rows int)

type tileFunc[T Float] func(
	k int, a *T, rows *int, step int, left *int,
	b *T, cols, right *int,
	c *T, out *int, vectors, ldc int, load bool,
)

type denseFunc[T Float] func(
	k int, a *T, step int,
	b *T, cols *int,
	c *T, out *int, vectors, ldc int, load bool,
)

// nativeInterleave transposes groups of rows, whose runs must have at least minRun elements.
type nativeInterleave[T Float] struct {
	rows, minRun int
	groups       func(dst *T, stride int, src *T, off *int, groups, n int)
}

const peakChains = 12 // independent chains of peak, each a vector

// set returns the row of the table.
func (k *native[T]) set() *Set[T] {
	var tiles []Tile[T]
	for _, t := range k.tiles {
		tiles = append(tiles, Tile[T]{Groups: t.groups, Rows: t.rows, Mul: tileMul(t, k.lanes)})
	}
	height := tiles[0].Height()
	tiles[0].ByRows = denseMul(k.byRows, height, k.lanes,
		func(step, links int) int { return (height-1)*step + links })
	tiles[0].ByColumns = denseMul(k.byColumns, height, k.lanes,
		func(step, links int) int { return (links-1)*step + height })
	narrow := Tile[T]{Groups: k.narrow.groups, Rows: k.narrow.rows, Mul: tileMul(k.narrow, k.lanes)}
	return &Set[T]{
		Name:              k.name,
		Lanes:             k.lanes,
		Tiles:             tiles,
		Narrow:            append([]Tile[T]{narrow}, tiles...),
		Peak:              k.runPeak,
		Gather:            k.runGather,
		Mark:              k.runMark,
		Pack:              k.runPack,
		Unpack:            k.runUnpack,
		Regular:           k.runRegular,
		GatherAlternate:   k.runGatherAlternate,
		Weave:             k.runWeave,
		InsertZeros:       k.runInsertZeros,
		Interleave:        k.runInterleave,
		AddScaled:         k.runAddScaled,
		Scale:             k.runScale,
		ReLU:              k.runReLU,
		ReLUGrad:          k.runReLUGrad,
		GELU:              k.runGELU,
		GELUGrad:          k.runGELUGrad,
		Shrink:            k.runShrink,
		ShrinkNonnegative: k.runShrinkNonnegative,
		ShrinkGrad:        k.runShrinkGrad,
		Normalize:         k.runNormalize,
		NormalizeGrad:     k.runNormalizeGrad,
		MaxPool2:          k.runMaxPool2,
		MaxPool2Grad:      k.runMaxPool2Grad,
		Momentum:          k.runMomentum,
		Sum:               k.runSum,
		SumSquares:        k.runSumSquares,
		Dot:               k.runDot,
		Winograd:          k.winograd(),
	}
}

// tileMul is Tile.Mul by the assembly of t.
func tileMul[T Float](t nativeTile[T], lanes int) func(
	a []T, rows []int, step int, left []int,
	b []T, cols, right []int,
	c []T, out []int, ldc int, load bool,
) {
	return func(
		a []T, rows []int, step int, left []int,
		b []T, cols, right []int,
		c []T, out []int, ldc int, load bool,
	) {
		checkTile(t.groups, t.groups*t.rows, lanes, len(a), rows, step, left, len(b), cols, right, len(c),
			out, ldc)
		for width := len(t.mul); len(cols) > 0; width-- {
			if n := len(cols) / width * width; n > 0 && t.mul[width-1] != nil {
				t.mul[width-1](len(left), unsafe.SliceData(a), &rows[0], step, unsafe.SliceData(left),
					unsafe.SliceData(b), &cols[0], unsafe.SliceData(right), &c[0], &out[0], n, ldc, load)
				cols, out = cols[n:], out[n:]
			}
		}
	}
}

// denseMul is Tile.ByRows or ByColumns by the assembly, of which size says how many elements it reads of a.
func denseMul[T Float](asm []denseFunc[T], height, lanes int, size func(step, links int) int) DenseMul[T] {
	if asm == nil {
		return nil
	}
	return func(k int, a []T, step int, b []T, cols []int, c []T, out []int, ldc int, load bool) {
		checkDense(size(step, k), height, lanes, k, len(a), step, len(b), cols, len(c), out, ldc)
		for width := len(asm); len(cols) > 0; width-- {
			if n := len(cols) / width * width; n > 0 {
				asm[width-1](k, unsafe.SliceData(a), step, unsafe.SliceData(b), &cols[0], &c[0], &out[0], n, ldc, load)
				cols, out = cols[n:], out[n:]
			}
		}
	}
}

func (k *native[T]) runPeak(iterations int) (flops float64) {
	if iterations <= 0 {
		return 0
	}
	k.peak(iterations, 0.5, 1)
	return float64(iterations) * float64(peakChains*k.lanes*2)
}

func (k *native[T]) runGather(dst []T, stride int, src []T, off []int, width int) {
	if checkRuns("Gather", len(dst), stride, len(off), width, len(src), off, width) {
		k.gather(&dst[0], stride, &src[0], &off[0], len(off), width)
	}
}

func (k *native[T]) runRegular(x []T) bool {
	n := k.whole(len(x))
	return k.regular(unsafe.SliceData(x), n) && genericRegular(x[n:])
}

// copyBlock is the number of bytes of a run that gatherAlternate32, weave and insertZeros32 move at a time;
// runs must not be shorter.
const copyBlock = 32

func (k *native[T]) runGatherAlternate(dst []T, stride int, src []T, off []int, width int) {
	switch {
	case !checkAlternate(len(dst), stride, len(src), off, width):
	case width*int(unsafe.Sizeof(src[0])) >= copyBlock:
		k.alternate[0](&dst[0], stride, &src[0], &off[0], len(off), width)
	case width*int(unsafe.Sizeof(src[0])) >= copyBlock/2:
		k.alternate[1](&dst[0], stride, &src[0], &off[0], len(off), width)
	default:
		gatherAlternate(dst, stride, src, off, width)
	}
}

func (k *native[T]) runWeave(dst, src []T, n int) {
	switch {
	case !checkWeave(len(dst), len(src), n):
	case n*int(unsafe.Sizeof(src[0])) >= copyBlock:
		k.weave(&dst[0], &src[0], n, len(dst)/(2*n))
	default:
		weave(dst, src, n)
	}
}

func (k *native[T]) runInsertZeros(dst, src []T, n int) {
	switch {
	case !checkInsertZeros(len(dst), len(src), n):
	case n*int(unsafe.Sizeof(src[0])) >= copyBlock:
		k.zeros[0](&dst[0], &src[0], n, len(src)/n)
	case n*int(unsafe.Sizeof(src[0])) >= copyBlock/2:
		k.zeros[1](&dst[0], &src[0], n, len(src)/n)
	default:
		insertZeros(dst, src, n)
	}
}

func (k *native[T]) runInterleave(dst []T, stride int, src []T, off []int, n int) {
	if !checkRuns("Interleave", len(dst), stride, n, len(off), len(src), off, n) {
		return
	}
	for _, asm := range k.interleave {
		if groups := len(off) / asm.rows; groups > 0 && n >= asm.minRun {
			asm.groups(&dst[0], stride, &src[0], &off[0], groups, n)
			if off = off[groups*asm.rows:]; len(off) == 0 {
				return
			}
			dst = dst[groups*asm.rows:]
		}
	}
	interleave(dst, stride, src, off, n)
}
