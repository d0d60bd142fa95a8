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
	r.transformKernels = func(dst []T, plane int, scratch []T, b *channelBlock[T], c0, c1 int) {
		r.set.Interleave(scratch, b.Cols, w[b.first*f.Taps()+c0*9:], offsets[:b.channels], (c1-c0)*9)
		for c := range c1 - c0 {
			r.set.Winograd.Kernel(dst[c*b.Cols:], 6*plane, plane, scratch[c*9*b.Cols:], 3*b.Cols, b.Cols,
				b.Cols)
		}
	}
	r.run()
}

// Transpose is Transpose by algorithm Winograd: conv.DefineWinogradTranspose, bit for bit.
func Transpose[T kernel.Float](f form.Form, x, y, w []T) {
	r := newConvolution(f.Workers, f.N, f.M, f.Ho, f.Wo, f.C, f.H, f.W, 2-f.PW, y, x)
	offsets := gemm.Offsets(r.blocks[0].Cols, 9)
	r.transformKernels = func(dst []T, plane int, scratch []T, b *channelBlock[T], m0, m1 int) {
		for m := range m1 - m0 {
			r.set.Interleave(scratch[m*9*b.Cols:], b.Cols, w[(m0+m)*f.Taps()+b.first*9:],
				offsets[:b.channels], 9)
		}
		for m := range m1 - m0 {
			r.set.Winograd.KernelReversed(dst[m*b.Cols:], 6*plane, plane, scratch[m*9*b.Cols:], 3*b.Cols,
				b.Cols, b.Cols)
		}
	}
	r.run()
}

// convolution is a convolution of the source with 3x3 kernels, for outputs that are the target's channels.
// Between the transforms an image is a set of tiles, and all arrays have the channels as their last axis, so
// that vectors go along them:
//
//	band (row, column, channel)        what a row of tiles reads of an image, with the border of zeros
//	signals (6, 6, tile, channel)      B' d B of a group of rows of tiles
//	kernels (6, 6, channel, output)    G g G' of a block of outputs and a part of the chain
//	sums (6, 6, tile, output)          their products
//	results (row, column, output)      A' m A of a row of tiles
type convolution[T kernel.Float] struct {
	set            *kernel.Set[T]
	limit          parallel.Limit // of the goroutines
	images         int
	in, out        int // channels of the source and of the target
	rows, cols     int // of the target
	tiling         tiling
	bands          *bandBuffer[T]
	step           int         // elements from tile to tile of the signals
	left           leftOperand // the signals
	blocks         []channelBlock[T]
	source, target []T

	// transformKernels sets dst to G g G' of the kernels of a block's outputs and of channels c0..c1-1, at
	// most kernelChannels of them.
	transformKernels func(dst []T, plane int, scratch []T, b *channelBlock[T], c0, c1 int)
	// allKernels is all transformed kernels, or nil where each is used only once.
	allKernels []T
}

const (
	// groupTiles is about the number of tiles of a group: enough for the kernels' way through the caches, few
	// enough that the signals stay in the second-level cache where there are 64 channels.
	groupTiles = 64
	// chainLinks is the number of links of a part of the chain: so much of a block's kernels stays in the
	// first-level cache.
	chainLinks = 64
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
	r.step = r.bands.pitch + skew
	r.left = newLeftOperand(set, r.step, 1, chainLinks)
	r.blocks = channelBlocks(set, out)
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

// chainParts is the number of parts of the chain.
func (r *convolution[T]) chainParts() int { return (r.in + chainLinks - 1) / chainLinks }

// kernelPlane is the number of elements of the kernels of one of the 36 products.
func (r *convolution[T]) kernelPlane(b *channelBlock[T]) int {
	return min(chainLinks, r.in)*b.Cols + skew
}

// kernelsSize is the number of elements of the kernels of any block and part of the chain.
func (r *convolution[T]) kernelsSize() int { return 36 * r.kernelPlane(&r.blocks[0]) }

// transformAllKernels transforms all kernels.
func (r *convolution[T]) transformAllKernels(shared *gemm.Workspace[T]) {
	parts, size := r.chainParts(), r.kernelsSize()
	r.allKernels = newAllocator(shared, len(r.blocks)*parts*size).rest
	spaces := gemm.Take[T](r.limit.Workers(len(r.blocks) * parts))
	defer gemm.Give(spaces)
	parallel.Spread(len(spaces), len(r.blocks)*parts, func(worker, i int) {
		scratch := newAllocator(spaces[worker], r.kernelScratch()).rest
		r.transformPart(r.allKernels[i*size:(i+1)*size], scratch, &r.blocks[i/parts], i%parts*chainLinks)
	})
}

// kernelScratch is the number of elements of scratch that transformKernels needs, for kernels with the
// outputs as their last axis.
func (r *convolution[T]) kernelScratch() int { return kernelChannels * 9 * r.blocks[0].Cols }

// transformPart transforms the kernels of block b and of the part of the chain that starts at channel c0. In
// the columns beyond the block's channels it leaves values whose sums are never read.
func (r *convolution[T]) transformPart(dst, scratch []T, b *channelBlock[T], c0 int) {
	for c := c0; c < min(c0+chainLinks, r.in); c += kernelChannels {
		r.transformKernels(dst[(c-c0)*b.Cols:], r.kernelPlane(b), scratch, b, c,
			min(c+kernelChannels, c0+chainLinks, r.in))
	}
}

// piece computes rows of tiles r0..r1-1 of the results in some blocks.
func (r *convolution[T]) piece(ws *gemm.Workspace[T], r0, r1 int, blocks []channelBlock[T]) {
	p := piece[T]{convolution: r, ws: ws, r0: r0, r1: r1, tiles: (r1 - r0) * r.tiling.cols}
	sizes := []int{r.bands.size(), 36 * p.signalPlane(), 36 * p.sumPlane(&r.blocks[0]),
		16 * r.tiling.cols * r.blocks[0].Cols, r.kernelScratch(), 0}
	if r.allKernels == nil {
		sizes[5] = r.kernelsSize()
	}
	memory := newAllocator(ws, sizes...)
	for i, s := range []*[]T{&p.band, &p.signals, &p.sums, &p.results, &p.scratch, &p.kernels} {
		*s = memory.cut(sizes[i])
	}
	plane := p.signalPlane()
	r.bands.eachTile(p.band, r.source, r0, r1, func(tile int, src []T) {
		r.set.Winograd.Signal(p.signals[tile*r.step:], 6*plane, plane, src, r.bands.line(), r.bands.pitch,
			r.bands.pitch)
	})
	for i := range blocks {
		p.multiply(&blocks[i])
		p.finish(&blocks[i])
	}
}

// piece is a group of rows of tiles and the memory of a goroutine that works on it.
type piece[T kernel.Float] struct {
	*convolution[T]
	ws                                             *gemm.Workspace[T]
	r0, r1, tiles                                  int
	band, signals, sums, results, scratch, kernels []T
}

func (p *piece[T]) signalPlane() int { return p.tiles*p.step + skew }

func (p *piece[T]) sumPlane(b *channelBlock[T]) int { return p.tiles*b.Cols + skew }

// multiply computes the sums of a block.
func (p *piece[T]) multiply(b *channelBlock[T]) {
	for part := range p.chainParts() {
		c0 := part * chainLinks
		kernels := p.kernels
		if p.allKernels != nil {
			kernels = p.allKernels[(b.index*p.chainParts()+part)*p.kernelsSize():]
		} else {
			p.transformPart(kernels, p.scratch, b, c0)
		}
		k := min(chainLinks, p.in-c0)
		links := gemm.Offsets(k, b.Cols)
		for i := range 36 {
			signals, kernels := p.signals[i*p.signalPlane()+c0:], kernels[i*p.kernelPlane(b):]
			sums := p.sums[i*p.sumPlane(b):]
			b.multiply(sums, p.tiles, k, signals, p.left, kernels, links, part > 0)
		}
	}
}

// finish transforms the sums of a block and copies the results to the target.
func (p *piece[T]) finish(b *channelBlock[T]) {
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
			sums := p.sums[((r-p.r0)*p.tiling.cols+j)*b.Cols:]
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
