// Package winograd computes the three functions of conv's trilinear form by Winograd's algorithm for 3x3
// kernels on tiles of 4x4 outputs, with the bits of its definition, conv/winograd_definition.go.
//
// Between the transforms, which work on vectors of channels, each algorithm is 36 independent matrix
// products, one for each element (i, j) of the 6x6 squares:
//
//	convolution.go: Forward, Transpose                    weight_gradient.go: WeightGradient
//
//	         K: channels       outputs      outputs             K: tiles           C           C
//	        +-----------+     +-------+    +-------+         +-----------+     +--------+    +-----+
//	 tiles  | signal_ij |  K  | ker-  |  = | sum_ij|      M  |  code_ij  |  K  | signal |  = | sum |
//	        +-----------+     | nel_ij|    +-------+         +-----------+     |    _ij |    | _ij |
//	                          +-------+                                        +--------+    +-----+
//
// For Transpose the signal is y, and the kernels are turned by 180 degrees, with their channels exchanged.
//
// It is for package conv, which checks the sizes and chooses the algorithm: stride and dilation must be 1. It
// does not know tensors, nor what the results are for.
package winograd

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Forward is Forward by algorithm Winograd: conv.DefineWinogradForward, bit for bit.
func Forward[T kernel.Float](f form.Form, y, x, w []T) {
	r := newConvolution(f.Workers, f.N, f.C, f.H, f.W, f.M, f.Ho, f.Wo, f.PW, x, y)
	offsets := gemm.Offsets(r.blocks[0].Cols, f.Taps())
	r.transform = r.set.Winograd.Kernel
	r.gather = func(scratch []T, b *channelBlock[T], c0, c1 int) {
		r.set.Interleave(scratch, b.Cols, w[b.first*f.Taps()+c0*9:], offsets[:b.channels], (c1-c0)*9)
	}
	r.run()
}

// Transpose is Transpose by algorithm Winograd: conv.DefineWinogradTranspose, bit for bit.
func Transpose[T kernel.Float](f form.Form, x, y, w []T) {
	r := newConvolution(f.Workers, f.N, f.M, f.Ho, f.Wo, f.C, f.H, f.W, 2-f.PW, y, x)
	offsets := gemm.Offsets(r.blocks[0].Cols, 9)
	r.transform = r.set.Winograd.KernelReversed
	r.gather = func(scratch []T, b *channelBlock[T], m0, m1 int) {
		for m := range m1 - m0 {
			r.set.Interleave(scratch[m*9*b.Cols:], b.Cols, w[(m0+m)*f.Taps()+b.first*9:],
				offsets[:b.channels], 9)
		}
	}
	r.run()
}

// convolution is a convolution of the source with 3x3 kernels, for outputs that are the target's channels.
// Between the transforms an image is a set of tiles, and all arrays have the channels as their last axis, so
// that vectors go along them:
//
//	band (row, column, channel)        what a row of tiles reads of an image, with the border of zeros
//	signals (6, 6, tile, channel)      B' d B of a group of rows of tiles, cut into blocks of channels
//	kernels (6, 6, channel, output)    G g G' of a block of outputs and a block of channels
//	sums (6, 6, tile, output)          their products, for a block of outputs
//	results (row, column, output)      A' m A of a row of tiles
type convolution[T kernel.Float] struct {
	set            *kernel.Set[T]
	limit          parallel.Limit // of the goroutines
	images         int
	in, out        int // channels of the source and of the target
	rows, cols     int // of the target
	tiling         tiling
	bands          *bandBuffer[T]
	chain          []channelBlock[T] // of the source: the links
	left           leftOperand       // the signals of any of them
	blocks         []channelBlock[T] // of the target
	right          []rightOperand    // the kernels of each of them
	source, target []T

	// gather sets scratch (channel, 9, output) to the kernels of a block's outputs and of channels c0..c1-1, at most
	// kernelChannels of them, and transform turns them into G g G'.
	gather    func(scratch []T, b *channelBlock[T], c0, c1 int)
	transform kernel.Transform[T]
	// allKernels is all transformed kernels, or nil where each is used only once.
	allKernels []T
}

const (
	// groupTiles is about the number of tiles of a group: enough for the kernels' way through the caches, few
	// enough that one of the 36 operands of the products stays in the second-level cache.
	groupTiles = 64
	// kernelChannels is the number of channels whose kernels are transformed at a time.
	kernelChannels = 8
	// finishChannels is the number of channels that are copied to the target at a time, each to another page
	// of memory.
	finishChannels = 8
)

func newConvolution[T kernel.Float](limit parallel.Limit, images, in, height, width, out, rows, cols, padding int,
	source, target []T) *convolution[T] {
	set := kernel.Active[T]()
	r := &convolution[T]{set: set, limit: limit, images: images, in: in, out: out, rows: rows, cols: cols, source: source,
		target: target}
	r.tiling = newTiling(rows, cols)
	r.bands = newBandBuffer(set, r.tiling, in, height, width, padding, 6)
	r.chain, r.blocks = channelBlocks(set, in), channelBlocks(set, out)
	r.left = newLeftOperand(set, r.chain[0].Cols, 1, r.chain[0].channels)
	for i := range r.blocks {
		r.right = append(r.right, newRightOperand(&r.blocks[i], r.chain[0].channels))
	}
	return r
}

// run shares out groups of rows of tiles over goroutines and, where there are fewer groups than goroutines,
// ranges of blocks as well.
func (r *convolution[T]) run() {
	rows := r.images * r.tiling.rows
	workers := r.limit.Workers(rows * len(r.blocks))
	groups := max(1, min(rows, rows*r.tiling.cols/groupTiles))
	if groups > workers {
		groups = groups / workers * workers // as many for each goroutine
	}
	parts := min(len(r.blocks), (workers+groups-1)/groups)
	groups = min(rows, max(groups, workers/parts))
	if groups > 1 {
		shared := gemm.Take[T](1)
		defer gemm.Give(shared)
		r.transformAllKernels(shared[0])
	}
	spaces := gemm.Take[T](r.limit.Workers(groups * parts))
	defer gemm.Give(spaces)
	parallel.Spread(len(spaces), groups*parts, func(worker, i int) {
		group, part := i/parts, i%parts
		blocks := r.blocks[part*len(r.blocks)/parts : (part+1)*len(r.blocks)/parts]
		r.piece(spaces[worker], group*rows/groups, (group+1)*rows/groups, blocks)
	})
}

// kernelPlane is the number of elements of the kernels of one of the 36 products.
func (r *convolution[T]) kernelPlane(b *channelBlock[T]) int {
	return r.chain[0].channels*b.panels() + skew
}

// kernelsSize is the number of elements of the kernels of any block of outputs and of channels.
func (r *convolution[T]) kernelsSize() int { return 36 * r.kernelPlane(&r.blocks[0]) }

// transformAllKernels transforms all kernels.
func (r *convolution[T]) transformAllKernels(shared *gemm.Workspace[T]) {
	parts, size := len(r.chain), r.kernelsSize()
	r.allKernels = newAllocator(shared, len(r.blocks)*parts*size).rest
	spaces := gemm.Take[T](r.limit.Workers(len(r.blocks) * parts))
	defer gemm.Give(spaces)
	parallel.Spread(len(spaces), len(r.blocks)*parts, func(worker, i int) {
		scratch := newAllocator(spaces[worker], r.kernelScratch()).rest
		r.transformPart(r.allKernels[i*size:(i+1)*size], scratch, &r.blocks[i/parts], &r.chain[i%parts])
	})
}

// kernelScratch is the number of elements of scratch that transformKernels needs, for kernels with the
// outputs as their last axis.
func (r *convolution[T]) kernelScratch() int { return kernelChannels * 9 * r.blocks[0].Cols }

// transformPart transforms the kernels of block b of the outputs and l of the channels. In the columns beyond
// the block's channels it leaves values whose sums are never read.
func (r *convolution[T]) transformPart(dst, scratch []T, b, l *channelBlock[T]) {
	width, plane := panelWidth(r.set), r.kernelPlane(b)
	for c := 0; c < l.channels; c += kernelChannels {
		end := min(c+kernelChannels, l.channels)
		r.gather(scratch, b, l.first+c, l.first+end)
		for at := 0; at < b.Cols; at += width {
			for i := c; i < end; i++ {
				r.transform(dst[at*r.chain[0].channels+i*width:], 6*plane, plane, scratch[(i-c)*9*b.Cols+at:],
					3*b.Cols, b.Cols, min(width, b.Cols-at))
			}
		}
	}
}

// piece computes rows of tiles r0..r1-1 of the results in some blocks.
func (r *convolution[T]) piece(ws *gemm.Workspace[T], r0, r1 int, blocks []channelBlock[T]) {
	p := piece[T]{convolution: r, ws: ws, r0: r0, r1: r1, tiles: (r1 - r0) * r.tiling.cols}
	p.squares = squares{p.tiles, r.bands.pitch, blockWidth(r.set), r.chain[0].Cols}
	sizes := []int{r.bands.size(), 36 * p.squares.plane(), p.blocksAtOnce(len(blocks)) * p.sumsSize(),
		16 * r.tiling.cols * r.blocks[0].Cols, r.kernelScratch(), 0}
	if r.allKernels == nil {
		sizes[5] = r.kernelsSize()
	}
	memory := newAllocator(ws, sizes...)
	for i, s := range []*[]T{&p.band, &p.signals, &p.sums, &p.results, &p.scratch, &p.kernels} {
		*s = memory.cut(sizes[i])
	}
	r.bands.eachTile(p.band, r.source, r0, r1, func(tile int, src []T) {
		r.bands.transformTo(p.signals, p.squares, tile, r.set.Winograd.Signal, src)
	})
	p.multiply(blocks)
}

// piece is a group of rows of tiles and the memory of a goroutine that works on it.
type piece[T kernel.Float] struct {
	*convolution[T]
	ws                                             *gemm.Workspace[T]
	r0, r1, tiles                                  int
	squares                                        squares // the signals
	band, signals, sums, results, scratch, kernels []T
}

func (p *piece[T]) sumPlane(b *channelBlock[T]) int { return p.tiles*b.Cols + skew }

// sumsSize is the number of elements of the sums of any block.
func (p *piece[T]) sumsSize() int { return 36 * p.sumPlane(&p.convolution.blocks[0]) }

// blocksAtOnce is the number of blocks, of so many, whose sums are in memory at once.
func (p *piece[T]) blocksAtOnce(blocks int) int {
	if p.allKernels == nil || len(p.chain) == 1 {
		return 1
	}
	return blocks
}

// multiply computes the results of the blocks. With long chains the 36 products of all blocks follow each other, so
// that the signals of one stay in the second-level cache for all of them. With short ones there would be more sums
// than signals, so each block is finished before the next.
func (p *piece[T]) multiply(blocks []channelBlock[T]) {
	for n := p.blocksAtOnce(len(blocks)); len(blocks) > 0; blocks = blocks[n:] {
		if p.allKernels == nil {
			for j := range p.chain {
				p.transformPart(p.kernels, p.scratch, &blocks[0], &p.chain[j])
				for plane := range 36 {
					p.product(plane, &blocks[0], j, p.sums, p.kernels)
				}
			}
		} else {
			for plane := range 36 {
				for j := range p.chain {
					for i := range n {
						kernels := p.allKernels[(blocks[i].index*len(p.chain)+j)*p.kernelsSize():]
						p.product(plane, &blocks[i], j, p.sums[i*p.sumsSize():], kernels)
					}
				}
			}
		}
		for i := range n {
			p.finish(&blocks[i], p.sums[i*p.sumsSize():])
		}
	}
}

// product continues the chains of one of the 36 products of block b by the channels of block j of the chain.
func (p *piece[T]) product(plane int, b *channelBlock[T], j int, sums, kernels []T) {
	l := &p.chain[j]
	b.multiply(sums[plane*p.sumPlane(b):], p.tiles, l.channels, p.signals[p.squares.at(plane, l.first):], p.left,
		kernels[plane*p.kernelPlane(b):], p.right[b.index], j > 0)
}

// finish transforms the sums of a block and copies the results to the target.
func (p *piece[T]) finish(b *channelBlock[T], blockSums []T) {
	plane, line, pixels := p.sumPlane(b), 4*p.tiling.cols*b.Cols, p.rows*p.cols
	offsets := p.ws.Offsets[:0] // of the pixels of a row of tiles
	for i := range 4 {
		for j := range p.cols {
			offsets = append(offsets, i*line+j*b.Cols)
		}
	}
	p.ws.Offsets = offsets
	for r := p.r0; r < p.r1; r++ {
		for j := range p.tiling.cols {
			sums := blockSums[((r-p.r0)*p.tiling.cols+j)*b.Cols:]
			p.set.Winograd.Output(p.results[4*j*b.Cols:], line, b.Cols, sums, 6*plane, plane, b.Cols)
		}
		n, row := r/p.tiling.rows, r%p.tiling.rows*4
		dst := p.target[(n*p.out+b.first)*pixels+row*p.cols:]
		count := min(4, p.rows-row) * p.cols
		for c := 0; c < b.channels; c += finishChannels {
			p.set.Interleave(dst[c*pixels:], pixels, p.results[c:], offsets[:count],
				min(finishChannels, b.channels-c))
		}
	}
}
