package direct

import (
	"sync/atomic"

	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Filter sets w to the gradient of <y, Forward(x, w)> with respect to w: conv.DefineFilter, bit for bit. Its transposed matrix is
// the product of the transposed column matrix, read from the images, with y, as an N*Ho*Wo x M matrix. The chain runs over
// images and pixels and is never split: goroutines share out the elements of w, by channels of x or of y.
func Filter[T kernel.Float](f form.Form, w, x, y []T) {
	set, p := kernel.Active[T](), problem{f}
	if !newFilter(p, set, false).run(w, x, y) {
		newFilter(p, set, true).run(w, x, y)
	}
}

const (
	// filterChannels is the least number of channels of x that a goroutine is for.
	filterChannels = 8
	// filterBlock is about the number of taps of channels that are multiplied at a time, and copied to w while they are in the second-level
	// cache: a whole number of the tallest tiles, and of channels where the kernel is 3x3.
	filterBlock = 72
	// sparedChannels and sparedPanels are the channels of x and the panels of y's that are multiplied at a time if links are left out: so
	// few that both stay in the second-level cache for one tap after the other.
	sparedChannels, sparedPanels = 48, 6
	// chainPixels is about the number of pixels whose part of the chain is multiplied at a time: enough that loading and storing the
	// sums costs little, few enough that y's panels stay in the second-level cache.
	chainPixels = 512
	// sharedCodes is about the number of elements of y that are packed at a time, for all goroutines.
	sharedCodes = 1 << 18
)

// filter is one call of Filter. The images go through it in batches: the goroutines first pack y together, then each multiplies.
type filter[T kernel.Float] struct {
	problem
	set    *kernel.Set[T]
	width  int // of a panel of y's channels
	panels int
	chain  int // images whose part of the chain is multiplied at a time
	batch  int // images whose codes are packed at a time: a whole number of chains, unless they are all
	*tapTable
}

func newFilter[T kernel.Float](f problem, set *kernel.Set[T], whole bool) *filter[T] {
	p := &filter[T]{problem: f, set: set, width: kernel.Vectors * set.Lanes}
	p.panels = (f.M + p.width - 1) / p.width
	pixels := f.Ho * f.Wo
	p.chain = min(f.N, max(1, chainPixels/pixels))
	p.batch = min(f.N, max(1, sharedCodes/(p.chain*pixels*p.panels*p.width))*p.chain)
	p.tapTable = f.newTapTable(p.chain, sideBySide(f.Wo, p.chain, set.Lanes), whole)
	return p
}

// run tells whether the results are the definition's: if not, links must not be left out.
func (f *filter[T]) run(w, x, y []T) bool {
	workers := parallel.Workers(f.C * f.panels)
	parts, panelParts := min(f.C/filterChannels, workers), 1
	if parts < workers {
		parts, panelParts = max(1, parts), min(f.panels, workers/max(1, parts))
	}
	spaces := gemm.Take[T](parts*panelParts + 1)
	defer gemm.Give(spaces)
	shares := make([]*filterShare[T], parts*panelParts)
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
		parallel.Ranges(f.panels*count, 1, func(lo, hi int) { f.packCodes(shared.Floats, y[n*f.M*f.Ho*f.Wo:], lo, hi) })
		parallel.For(len(shares), func(_, i int) {
			if !shares[i].run(w, x, shared.Floats, n, count) {
				irregular.Store(true)
			}
		})
	}
	return !irregular.Load()
}

// chainSize is the number of elements of a chain's packed codes.
func (f *filter[T]) chainSize() int { return f.chain * f.Ho * f.Wo * f.panels * f.width }

// packCodes copies pieces lo..hi-1 of y to dst, chain after chain of images: a piece is one panel of one image.
func (f *filter[T]) packCodes(dst, y []T, lo, hi int) {
	pixels := f.Ho * f.Wo
	channels := gemm.Offsets(f.width, pixels)
	for i := lo; i < hi; i++ {
		n, panel := i/f.panels, i%f.panels
		at := n/f.chain*f.chainSize() + (panel*f.chain+n%f.chain)*pixels*f.width
		first := panel * f.width
		f.set.Interleave(dst[at:], f.width, y[(n*f.M+first)*pixels:], channels[:min(f.width, f.M-first)], pixels)
	}
}
