package winograd

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Filter is Filter by algorithm Winograd: conv.DefineWinogradFilter, bit for bit. The chain runs over images and tiles and
// is never split: groups of rows of tiles follow each other, and within one goroutines share out first its rows, to transform
// them, then the products.
func Filter[T kernel.Float](f form.Form, w, x, y []T) {
	set := kernel.Active[T]()
	r := &gradient[T]{Form: f, set: set, x: x, y: y, w: w, tiling: newTiling(f.Ho, f.Wo)}
	r.signal = newChannelStage(set, r.tiling, f.C, f.H, f.W, f.PW, 6)
	r.code = newChannelStage(set, r.tiling, f.M, f.Ho, f.Wo, 0, 4)
	r.blocks = channelBlocks(set, f.C)
	r.run()
}

// gradient is one evaluation of Filter. Its arrays, in the terms of convolution:
//
//	signals (6, 6, tile, c)          B' d B of a group of rows of tiles
//	codes (6, 6, tile, m)            the same of y's tiles
//	sums (6, 6, m, c)                their products, for each block of filterRows of m and Cols of c
type gradient[T kernel.Float] struct {
	form.Form
	set                  *kernel.Set[T]
	x, y, w              []T
	tiling               tiling
	signal, code         *channelStage[T]
	blocks               []channelBlock[T] // of c
	left                 operand           // the codes
	right                []int             // where the signals' tiles lie
	group                int               // rows of tiles that are transformed together
	tiles                int               // of a group
	count                int               // blocks of sums
	shares               int               // pieces that share the 36 products of a block
	kept                 int               // blocks of sums in memory: all, or one for each goroutine where no other group follows
	signals, codes, sums []T
	spaces               []*gemm.Workspace[T]
}

const (
	// filterRows is the number of m of a block.
	filterRows = 64
	// filterTiles is about the number of tiles of a group: enough that loading and storing the sums costs little, few enough
	// that a block's signals stay in the first-level cache while all rows of a block pass over them.
	filterTiles = 128
)

func (r *gradient[T]) run() {
	shared := gemm.Take[T](1)
	defer gemm.Give(shared)
	r.plan(shared[0])
	r.spaces = gemm.Take[T](max(parallel.Workers(2*r.group), parallel.Workers(r.count*r.shares)))
	defer gemm.Give(r.spaces)
	all := r.N * r.tiling.rows
	for r0 := 0; r0 < all; r0 += r.group {
		r1 := min(r0+r.group, all)
		r.transform(r0, r1)
		parallel.For(r.count*r.shares, func(worker, i int) {
			block, share := i/r.shares, i%r.shares
			r.multiply(worker, block, share, (r1-r0)*r.tiling.cols, r0 > 0)
			if r.shares == 1 && r1 == all {
				r.finish(worker, block)
			}
		})
	}
	if r.shares > 1 {
		parallel.For(r.count, r.finish)
	}
}

// plan decides how the work is cut and makes room for the arrays.
func (r *gradient[T]) plan(shared *gemm.Workspace[T]) {
	rows := r.N * r.tiling.rows
	r.group = min(rows, max(filterTiles/r.tiling.cols, parallel.Workers(rows)))
	r.tiles = r.group * r.tiling.cols
	r.left = newOperand(r.set, 1, r.step(r.code), r.tiles)
	r.right = gemm.Offsets(r.tiles, r.step(r.signal))
	r.count = (r.M + filterRows - 1) / filterRows * len(r.blocks)
	r.shares, r.kept = 1, r.count
	switch workers := parallel.Workers(r.count * 36); {
	case r.count < 2*workers:
		r.shares = 12
	case r.group == rows:
		r.kept = workers
	}
	sizes := []int{36 * r.plane(r.signal), 36 * r.plane(r.code), r.kept * 36 * r.sumPlane()}
	memory := newCutter(shared, sizes...)
	r.signals, r.codes, r.sums = memory.cut(sizes[0]), memory.cut(sizes[1]), memory.cut(sizes[2])
}

// step is the number of elements from tile to tile of the signals or codes.
func (r *gradient[T]) step(s *channelStage[T]) int { return s.pitch + skew }

// plane is the number of elements of one of the 36 squares' elements of all tiles.
func (r *gradient[T]) plane(s *channelStage[T]) int { return r.tiles*r.step(s) + skew }

func (r *gradient[T]) sumPlane() int { return filterRows*r.blocks[0].Cols + skew }

// sumsOf is the memory of a block's sums, on which that worker is at work.
func (r *gradient[T]) sumsOf(worker, block int) []T {
	if r.kept < r.count {
		block = worker
	}
	return r.sums[block*36*r.sumPlane() : (block+1)*36*r.sumPlane()]
}

// transform does the signals and codes of rows of tiles r0..r1-1. Goroutines share out bands of rows, at most an image tall.
func (r *gradient[T]) transform(r0, r1 int) {
	rows := min(r.tiling.rows, (r1-r0+parallel.Workers(r1-r0)-1)/parallel.Workers(r1-r0))
	parallel.For(2*((r1-r0+rows-1)/rows), func(worker, i int) {
		s, source, run, dst := r.code, r.y, r.set.Winograd.Code, r.codes
		if i%2 == 0 {
			s, source, run, dst = r.signal, r.x, r.set.Winograd.Signal, r.signals
		}
		band, plane := newCutter(r.spaces[worker], s.size()).rest, r.plane(s)
		first := i / 2 * rows
		s.eachTile(band, source, r0+first, min(r0+first+rows, r1), func(tile int, src []T) {
			run(dst[(first*r.tiling.cols+tile)*r.step(s):], 6*plane, plane, src, s.line(), s.pitch, s.pitch)
		})
	})
}

// multiply continues the chains of one share of a block's sums.
func (r *gradient[T]) multiply(worker, block, share, tiles int, load bool) {
	m0, b := block/len(r.blocks)*filterRows, &r.blocks[block%len(r.blocks)]
	m1 := min(m0+filterRows, r.M)
	for i := share * 36 / r.shares; i < (share+1)*36/r.shares; i++ {
		sums := r.sumsOf(worker, block)[i*r.sumPlane():]
		codes, signals := r.codes[i*r.plane(r.code):], r.signals[i*r.plane(r.signal)+b.first:]
		b.multiply(sums, m1-m0, tiles, codes[m0:], r.left, signals, r.right, load)
	}
}

// finish transforms a block's sums and copies the kernels to w.
func (r *gradient[T]) finish(worker, block int) {
	m0, b := block/len(r.blocks)*filterRows, &r.blocks[block%len(r.blocks)]
	taps := newCutter(r.spaces[worker], 9*b.Cols).rest
	offsets, plane := gemm.Offsets(9, b.Cols), r.sumPlane()
	sums := r.sumsOf(worker, block)
	for m := m0; m < min(m0+filterRows, r.M); m++ {
		r.set.Winograd.Gradient(taps, 3*b.Cols, b.Cols, sums[(m-m0)*b.Cols:], 6*plane, plane, b.Cols)
		r.set.Interleave(r.w[m*r.Taps()+b.first*9:], 9, taps, offsets, b.channels)
	}
}
