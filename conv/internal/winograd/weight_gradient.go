package winograd

import (
	"math"

	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// WeightGradient is conv.DefineWinogradWeightGradient, bit for bit. The chain runs over images and tiles and
// is never split: groups of rows of tiles follow each other, and within a group the goroutines share out
// first its rows, to transform them, then the products.
func WeightGradient[T kernel.Float](f form.Form, w, x, y []T) {
	set := kernel.Active[T]()
	r := &weightGradient[T]{Form: f, set: set, x: x, y: y, w: w, tiling: newTiling(f.Ho, f.Wo)}
	r.signal = newBandBuffer(set, r.tiling, f.C, f.H, f.W, f.PW, 6)
	r.code = newBandBuffer(set, r.tiling, f.M, f.Ho, f.Wo, 0, 4)
	r.blocks = channelBlocks(set, f.C)
	r.run()
}

// weightGradient is one evaluation of WeightGradient. Its arrays, in the terms of convolution:
//
//	signals (6, 6, tile, c)          B' d B of a group of rows of tiles
//	codes (6, 6, tile, m)            the transformed tiles of y
//	sums (6, 6, m, c)                their products, for each block of blockCodes of m and Cols of c
type weightGradient[T kernel.Float] struct {
	form.Form
	set                  *kernel.Set[T]
	x, y, w              []T
	tiling               tiling
	signal, code         *bandBuffer[T]
	blocks               []channelBlock[T] // of c
	left                 leftOperand       // the codes
	right                []int             // where the signals' tiles lie
	group                int               // rows of tiles that are transformed together
	tiles                int               // of a group
	count                int               // blocks of sums
	shares               int               // pieces of work that share the 36 products of a block
	kept                 int               // blocks of sums in memory; see plan
	signals, codes, sums []T
	workers              int // goroutines
	spaces               []*gemm.Workspace[T]
}

const (
	// blockCodes is the number of channels m of a block.
	blockCodes = 64
	// gradientTiles is about the number of tiles of a group: enough that loading and storing the sums costs
	// little, few enough that a block's signals stay in the first-level cache while all rows of a block pass
	// over them.
	gradientTiles = 128
)

func (r *weightGradient[T]) run() {
	shared := gemm.Take[T](1)
	defer gemm.Give(shared)
	r.workers = r.Workers.Workers(math.MaxInt)
	r.plan(shared[0])
	r.spaces = gemm.Take[T](min(r.workers, max(2*r.group, r.count*r.shares)))
	defer gemm.Give(r.spaces)
	all := r.N * r.tiling.rows
	for r0 := 0; r0 < all; r0 += r.group {
		r1 := min(r0+r.group, all)
		r.transform(r0, r1)
		parallel.Spread(len(r.spaces), r.count*r.shares, func(worker, i int) {
			block, share := i/r.shares, i%r.shares
			r.multiply(worker, block, share, (r1-r0)*r.tiling.cols, r0 > 0)
			if r.shares == 1 && r1 == all {
				r.finish(worker, block)
			}
		})
	}
	if r.shares > 1 {
		parallel.Spread(len(r.spaces), r.count, r.finish)
	}
}

// plan decides how the work is cut and makes room for the arrays. The sums of all blocks are kept from group
// to group; if there is only one group, each goroutine needs the sums of one block at a time.
func (r *weightGradient[T]) plan(shared *gemm.Workspace[T]) {
	rows := r.N * r.tiling.rows
	r.group = min(rows, max(gradientTiles/r.tiling.cols, r.workers))
	r.tiles = r.group * r.tiling.cols
	r.left = newLeftOperand(r.set, 1, r.step(r.code), r.tiles)
	r.right = gemm.Offsets(r.tiles, r.step(r.signal))
	r.count = (r.M + blockCodes - 1) / blockCodes * len(r.blocks)
	r.shares, r.kept = 1, r.count
	switch {
	case r.count < 2*min(r.workers, r.count*36):
		r.shares = 12
	case r.group == rows:
		r.kept = r.workers
	}
	sizes := []int{36 * r.plane(r.signal), 36 * r.plane(r.code), r.kept * 36 * r.sumPlane()}
	memory := newAllocator(shared, sizes...)
	r.signals, r.codes, r.sums = memory.cut(sizes[0]), memory.cut(sizes[1]), memory.cut(sizes[2])
}

// step is the number of elements from tile to tile of the signals or codes.
func (r *weightGradient[T]) step(s *bandBuffer[T]) int { return s.pitch + skew }

// plane is the number of elements of a left or right operand of one of the 36 products: element (i, j) of all
// tiles' squares.
func (r *weightGradient[T]) plane(s *bandBuffer[T]) int { return r.tiles*r.step(s) + skew }

func (r *weightGradient[T]) sumPlane() int { return blockCodes*r.blocks[0].Cols + skew }

// sumsOf is the memory of a block's sums, while the worker computes them.
func (r *weightGradient[T]) sumsOf(worker, block int) []T {
	if r.kept < r.count {
		block = worker
	}
	return r.sums[block*36*r.sumPlane() : (block+1)*36*r.sumPlane()]
}

// transform computes the signals and codes of rows of tiles r0..r1-1. Goroutines share out bands of rows, at
// most an image tall.
func (r *weightGradient[T]) transform(r0, r1 int) {
	workers := min(r.workers, r1-r0)
	rows := min(r.tiling.rows, (r1-r0+workers-1)/workers)
	parallel.Spread(len(r.spaces), 2*((r1-r0+rows-1)/rows), func(worker, i int) {
		s, source, run, dst := r.code, r.y, r.set.Winograd.Code, r.codes
		if i%2 == 0 {
			s, source, run, dst = r.signal, r.x, r.set.Winograd.Signal, r.signals
		}
		band, plane := newAllocator(r.spaces[worker], s.size()).rest, r.plane(s)
		first := i / 2 * rows
		s.eachTile(band, source, r0+first, min(r0+first+rows, r1), func(tile int, src []T) {
			run(dst[(first*r.tiling.cols+tile)*r.step(s):], 6*plane, plane, src, s.line(), s.pitch, s.pitch)
		})
	})
}

// multiply continues the chains of one share of a block's sums.
func (r *weightGradient[T]) multiply(worker, block, share, tiles int, load bool) {
	m0, b := block/len(r.blocks)*blockCodes, &r.blocks[block%len(r.blocks)]
	m1 := min(m0+blockCodes, r.M)
	for i := share * 36 / r.shares; i < (share+1)*36/r.shares; i++ {
		sums := r.sumsOf(worker, block)[i*r.sumPlane():]
		codes, signals := r.codes[i*r.plane(r.code):], r.signals[i*r.plane(r.signal)+b.first:]
		b.multiply(sums, m1-m0, tiles, codes[m0:], r.left, signals, r.right, load)
	}
}

// finish transforms a block's sums to 3x3 gradients and copies these to w.
func (r *weightGradient[T]) finish(worker, block int) {
	m0, b := block/len(r.blocks)*blockCodes, &r.blocks[block%len(r.blocks)]
	taps := newAllocator(r.spaces[worker], 9*b.Cols).rest
	offsets, plane := gemm.Offsets(9, b.Cols), r.sumPlane()
	sums := r.sumsOf(worker, block)
	for m := m0; m < min(m0+blockCodes, r.M); m++ {
		r.set.Winograd.Gradient(taps, 3*b.Cols, b.Cols, sums[(m-m0)*b.Cols:], 6*plane, plane, b.Cols)
		r.set.Interleave(r.w[m*r.Taps()+b.first*9:], 9, taps, offsets, b.channels)
	}
}
