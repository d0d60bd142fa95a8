package direct

import (
	"sync/atomic"

	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// WeightGradient sets w to the gradient of <y, Forward(x, w)> with respect to w: conv.DefineWeightGradient,
// bit for bit. Its transposed matrix is the product of the transposed im2col matrix, read from the images,
// with y, as an N*Ho*Wo x M matrix. The chain runs over images and pixels and is never split: goroutines
// share out the elements of w, by channels of x or of y.
func WeightGradient[T kernel.Float](f form.Form, w, x, y []T) {
	set, p := kernel.Active[T](), problem{f}
	if !newWeightGradient(p, set, false).run(w, x, y) {
		newWeightGradient(p, set, true).run(w, x, y)
	}
}

const (
	// minShareChannels is the least number of channels of x in a goroutine's share.
	minShareChannels = 8
	// blockTaps is about the number of taps, counted through the channels, that are multiplied at a time and
	// copied to w while they are in the second-level cache: a whole number of the tallest tiles, and of
	// channels where the kernel is 3x3.
	blockTaps = 72
	// tapChannels and tapPanels are the channels of x and the panels of y's that are multiplied at a time if
	// links are skipped: so few that both stay in the second-level cache for one tap after the other.
	tapChannels, tapPanels = 48, 6
	// chainPixels is about the number of pixels whose part of the chain is multiplied at a time: enough that
	// loading and storing the sums costs little, few enough that y's panels stay in the second-level cache.
	chainPixels = 512
	// packedElements is about the number of elements of y that are packed at a time, for all goroutines.
	packedElements = 1 << 18
)

// weightGradient is one call of WeightGradient. The images go through it in batches: the goroutines first
// pack y together, then each multiplies its share.
type weightGradient[T kernel.Float] struct {
	problem
	set    *kernel.Set[T]
	width  int // of a panel of y's channels
	panels int
	chain  int // images whose part of the chain is multiplied at a time
	batch  int // images whose codes are packed at a time: a whole number of chains, unless they are all
	*tapTable
}

func newWeightGradient[T kernel.Float](f problem, set *kernel.Set[T], allLinks bool) *weightGradient[T] {
	p := &weightGradient[T]{problem: f, set: set, width: kernel.Vectors * set.Lanes}
	p.panels = (f.M + p.width - 1) / p.width
	pixels := f.Ho * f.Wo
	p.chain = min(f.N, max(1, chainPixels/pixels))
	p.batch = min(f.N, max(1, packedElements/(p.chain*pixels*p.panels*p.width))*p.chain)
	p.tapTable = f.newTapTable(p.chain, interleaving(f.Wo, p.chain, set.Lanes, f.Workers), allLinks)
	return p
}

// run tells whether the results have the definition's bits: if not, no link may be skipped.
func (f *weightGradient[T]) run(w, x, y []T) bool {
	workers := f.Workers.Workers(f.C * f.panels)
	parts, panelParts := min(f.C/minShareChannels, workers), 1
	if parts < workers {
		parts, panelParts = max(1, parts), min(f.panels, workers/max(1, parts))
	}
	spaces := gemm.Take[T](parts*panelParts + 1)
	defer gemm.Give(spaces)
	shares := make([]*gradientShare[T], parts*panelParts)
	for i := range shares {
		part, panel := i/panelParts, i%panelParts
		shares[i] = f.share(spaces[i], part*f.C/parts, (part+1)*f.C/parts,
			panel*f.panels/panelParts*f.width, min((panel+1)*f.panels/panelParts*f.width, f.M))
	}
	shared := spaces[len(shares)]
	shared.Floats = gemm.Grow(shared.Floats, (f.batch+f.chain-1)/f.chain*f.chainSize())
	var irregular atomic.Bool
	for n := 0; n < f.N; n += f.batch {
		count := min(f.batch, f.N-n)
		codes := y[n*f.M*f.Ho*f.Wo:]
		f.Workers.Ranges(f.panels*count, 1, func(lo, hi int) { f.packCodes(shared.Floats, codes, lo, hi) })
		parallel.Spread(len(shares), len(shares), func(_, i int) {
			if !shares[i].run(w, x, shared.Floats, n, count) {
				irregular.Store(true)
			}
		})
	}
	return !irregular.Load()
}

// chainSize is the number of elements of a chain's packed codes.
func (f *weightGradient[T]) chainSize() int { return f.chain * f.Ho * f.Wo * f.panels * f.width }

// packCodes copies pieces lo..hi-1 of y to dst, chain after chain of images: a piece is one panel of one
// image.
func (f *weightGradient[T]) packCodes(dst, y []T, lo, hi int) {
	pixels := f.Ho * f.Wo
	channels := gemm.Offsets(f.width, pixels)
	for i := lo; i < hi; i++ {
		n, panel := i/f.panels, i%f.panels
		at := n/f.chain*f.chainSize() + (panel*f.chain+n%f.chain)*pixels*f.width
		first := panel * f.width
		count := min(f.width, f.M-first)
		f.set.Interleave(dst[at:], f.width, y[(n*f.M+first)*pixels:], channels[:count], pixels)
	}
}
