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
	r.signalBands = newBandBuffer(set, r.tiling, f.C, f.H, f.W, f.PW, 6)
	r.codeBands = newBandBuffer(set, r.tiling, f.M, f.Ho, f.Wo, 0, 4)
	r.c, r.m = channelBlocks(set, f.C), channelBlocks(set, f.M)
	r.run()
}

// weightGradient is one evaluation of WeightGradient. Its arrays, in the terms of convolution:
//
//	signals (6, 6, tile, c)          B' d B of a group of rows of tiles, cut into blocks of c
//	codes (6, 6, tile, m)            the transformed tiles of y, cut into blocks of m
//	sums (6, 6, m, c)                their products, for each block of m and block of c
type weightGradient[T kernel.Float] struct {
	form.Form
	set                        *kernel.Set[T]
	x, y, w                    []T
	tiling                     tiling
	signalBands, codeBands     *bandBuffer[T]
	signalSquares, codeSquares squares
	c, m                       []channelBlock[T]
	left                       leftOperand    // the codes of any block
	right                      []rightOperand // the signals of each block
	group                      int            // rows of tiles that are transformed together
	count                      int            // blocks of sums
	shares                     int            // pieces of work that share the 36 products of a block
	kept                       int            // blocks of sums in memory; see plan
	signals, codes, sums       []T
	workers                    int // goroutines
	spaces                     []*gemm.Workspace[T]
}

const (
	// gradientTiles is about the number of tiles of a group: enough that loading and storing the sums costs
	// little, few enough that one of the 36 operands stays in the second-level cache for all blocks.
	gradientTiles = 128
	// gradientLinks is the number of tiles whose codes and signals stay in the first-level cache while a
	// block's rows and columns pass over them.
	gradientLinks = 64
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
			share, block := i/r.count, i%r.count
			r.multiply(worker, block, share, (r1-r0)*r.tiling.cols, r0 > 0)
			if r.shares == 1 {
				r.finish(worker, block)
			}
		})
	}
	if r.shares > 1 {
		parallel.Spread(len(r.spaces), r.count, r.finish)
	}
}

// plan decides how the work is cut and makes room for the arrays. Where there are several groups, the sums of
// all blocks are kept from group to group, and the 36 products follow each other, so that their operands are
// read once. Where there is only one, a goroutine computes all products of a block and needs no more sums,
// unless there are too few blocks.
func (r *weightGradient[T]) plan(shared *gemm.Workspace[T]) {
	rows := r.N * r.tiling.rows
	r.group = min(rows, max(gradientTiles/r.tiling.cols, r.workers))
	tiles := r.group * r.tiling.cols
	width := panelWidth(r.set)
	r.signalSquares = squares{tiles, r.signalBands.pitch, width, width}
	r.codeSquares = squares{tiles, r.codeBands.pitch, blockWidth(r.set), r.m[0].Cols + skew}
	r.left = newLeftOperand(r.set, 1, r.codeSquares.pitch, tiles)
	for i := range r.c {
		r.right = append(r.right, newRightOperand(&r.c[i], tiles))
	}
	r.count = len(r.m) * len(r.c)
	r.shares, r.kept = 36, r.count
	if r.group == rows && r.count >= 2*r.workers {
		r.shares, r.kept = 1, r.workers
	}
	sizes := []int{36 * r.signalSquares.plane(), 36 * r.codeSquares.plane(), r.kept * 36 * r.sumPlane()}
	memory := newAllocator(shared, sizes...)
	r.signals, r.codes, r.sums = memory.cut(sizes[0]), memory.cut(sizes[1]), memory.cut(sizes[2])
}

func (r *weightGradient[T]) sumPlane() int {
	return r.m[0].channels*r.c[0].Cols + skew
}

// sumsOf is the memory of a block's sums, while the worker computes them.
func (r *weightGradient[T]) sumsOf(worker, block int) []T {
	if r.kept < r.count {
		block = worker
	}
	return r.sums[block*36*r.sumPlane() : (block+1)*36*r.sumPlane()]
}

// blocksOf returns the blocks of codes and of signals whose product a block of sums is.
func (r *weightGradient[T]) blocksOf(block int) (m, c *channelBlock[T]) {
	return &r.m[block/len(r.c)], &r.c[block%len(r.c)]
}

// transform computes the signals and codes of rows of tiles r0..r1-1. Goroutines share out bands of rows, at
// most an image tall.
func (r *weightGradient[T]) transform(r0, r1 int) {
	workers := min(r.workers, r1-r0)
	rows := min(r.tiling.rows, (r1-r0+workers-1)/workers)
	parallel.Spread(len(r.spaces), 2*((r1-r0+rows-1)/rows), func(worker, i int) {
		bands, squares, source, run, dst := r.codeBands, r.codeSquares, r.y, r.set.Winograd.Code, r.codes
		if i%2 == 0 {
			bands, squares, source, run, dst = r.signalBands, r.signalSquares, r.x, r.set.Winograd.Signal, r.signals
		}
		first := i / 2 * rows
		band := newAllocator(r.spaces[worker], bands.size()).rest
		bands.eachTile(band, source, r0+first, min(r0+first+rows, r1), func(tile int, src []T) {
			bands.transformTo(dst, squares, first*r.tiling.cols+tile, run, src)
		})
	})
}

// multiply continues the chains of one share of a block's sums.
func (r *weightGradient[T]) multiply(worker, block, share, tiles int, load bool) {
	m, c := r.blocksOf(block)
	for plane := share * 36 / r.shares; plane < (share+1)*36/r.shares; plane++ {
		sums := r.sumsOf(worker, block)[plane*r.sumPlane():]
		codes := r.codes[r.codeSquares.at(plane, m.first):]
		signals := r.signals[r.signalSquares.at(plane, c.first):]
		for t := 0; t < tiles; t += gradientLinks {
			c.multiply(sums, m.channels, min(gradientLinks, tiles-t), codes[t*r.left.link:], r.left,
				signals[t*panelWidth(r.set):], r.right[c.index], load || t > 0)
		}
	}
}

// finish transforms a block's sums to 3x3 gradients and copies these to w.
func (r *weightGradient[T]) finish(worker, block int) {
	m, c := r.blocksOf(block)
	taps := newAllocator(r.spaces[worker], 9*c.Cols).rest
	offsets, plane := gemm.Offsets(9, c.Cols), r.sumPlane()
	sums := r.sumsOf(worker, block)
	for i := range m.channels {
		r.set.Winograd.Gradient(taps, 3*c.Cols, c.Cols, sums[i*c.Cols:], 6*plane, plane, c.Cols)
		r.set.Interleave(r.w[(m.first+i)*r.Taps()+c.first*9:], 9, taps, offsets, c.channels)
	}
}
