package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Filter sets w to the gradient of <y, Forward(x, w)> with respect to w: DefineFilter, bit for bit. Its transposed matrix is
// the product of the transposed column matrix, read from staged images, with y, as an N*Ho*Wo x M matrix. The chain runs over
// images and pixels and is never split: goroutines share out the elements of w, by channels of x or of y.
func Filter[T tensor.Float](w, x, y *tensor.Tensor[T], g Geometry) {
	f := newForm("Filter", x.Shape, w.Shape, y.Shape, g)
	if len(x.Shape) == 2 {
		tensor.MatMul(w, y, x, true, false)
		return
	}
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradFilter(f, w.Data, x.Data, y.Data)
		return
	}
	newFilter[T](f).run(w.Data, x.Data, y.Data)
}

const (
	// filterChannels is the least number of channels of x that a goroutine is for.
	filterChannels = 8
	// filterTaps is about the number of taps that are multiplied at a time, and copied to w while they are in the second-level cache: a whole
	// number of the tallest tiles, and of channels where the kernel is 3x3.
	filterTaps = 72
	// chainPixels is about the number of pixels whose part of the chain is staged at a time: enough that loading and storing the
	// sums costs little, few enough that y's panels stay in the second-level cache.
	chainPixels = 512
	// sharedCodes is about the number of elements of y that are packed at a time, for all goroutines.
	sharedCodes = 1 << 20
)

// filter is one call of Filter. The images go through it in batches: the goroutines first pack y together, then each multiplies.
type filter[T tensor.Float] struct {
	form
	set    *kernel.Set[T]
	width  int // of a panel of y's channels
	panels int
	chain  int // images whose part of the chain is staged at a time
	batch  int // images whose codes are packed at a time: a whole number of chains, unless they are all
}

func newFilter[T tensor.Float](f form) *filter[T] {
	set := kernel.Active[T]()
	p := &filter[T]{form: f, set: set, width: kernel.Vectors * set.Lanes}
	p.panels = (f.m + p.width - 1) / p.width
	pixels := f.ho * f.wo
	p.chain = min(f.n, max(1, chainPixels/pixels))
	p.batch = min(f.n, max(1, sharedCodes/(p.chain*pixels*p.panels*p.width))*p.chain)
	return p
}

func (f *filter[T]) run(w, x, y []T) {
	workers := parallel.Workers(f.c * f.panels)
	parts, panelParts := min(f.c/filterChannels, workers), 1
	if parts < workers {
		parts, panelParts = max(1, parts), min(f.panels, workers/max(1, parts))
	}
	spaces := gemm.Take[T](parts*panelParts + 1)
	defer gemm.Give(spaces)
	shares := make([]*filterShare[T], parts*panelParts)
	for i := range shares {
		part, panel := i/panelParts, i%panelParts
		shares[i] = f.share(spaces[i], part*f.c/parts, (part+1)*f.c/parts,
			panel*f.panels/panelParts*f.width, min((panel+1)*f.panels/panelParts*f.width, f.m))
	}
	shared := spaces[len(shares)]
	shared.Floats = gemm.Grow(shared.Floats, (f.batch+f.chain-1)/f.chain*f.chainSize())
	for n := 0; n < f.n; n += f.batch {
		count := min(f.batch, f.n-n)
		parallel.Ranges(f.panels*count, 1, func(lo, hi int) { f.packCodes(shared.Floats, y[n*f.m*f.ho*f.wo:], lo, hi) })
		parallel.For(len(shares), func(_, i int) { shares[i].run(w, x, shared.Floats, n, count) })
	}
}

// chainSize is the number of elements of a chain's packed codes.
func (f *filter[T]) chainSize() int { return f.chain * f.ho * f.wo * f.panels * f.width }

// codes is the matrix of y, packed, for the images of a chain: in panels whose rows are pixels.
func (f *filter[T]) codes() gemm.Matrix[T] {
	rows := f.chain * f.ho * f.wo
	m := gemm.Matrix[T]{Rows: gemm.Offsets(rows, f.width), Cols: make([]int, f.m)}
	for i := range m.Cols {
		m.Cols[i] = i/f.width*rows*f.width + i%f.width
	}
	return m
}

// packCodes copies pieces lo..hi-1 of y to dst, chain after chain of images: a piece is one panel of one image.
func (f *filter[T]) packCodes(dst, y []T, lo, hi int) {
	pixels := f.ho * f.wo
	channels := gemm.Offsets(f.width, pixels)
	for i := lo; i < hi; i++ {
		n, panel := i/f.panels, i%f.panels
		at := n/f.chain*f.chainSize() + (panel*f.chain+n%f.chain)*pixels*f.width
		first := panel * f.width
		f.set.Interleave(dst[at:], f.width, y[(n*f.m+first)*pixels:], channels[:min(f.width, f.m-first)], pixels)
	}
}

// filterShare is one goroutine's share of Filter: channels c0..c1-1 of x and m0..m1-1 of y.
type filterShare[T tensor.Float] struct {
	*filter[T]
	c0, c1, m0, m1 int
	ws             *gemm.Workspace[T]
	stage          *stage
	rows, links    []int // where the taps of its channels and the pixels of a chain lie in the stage
	channels       int   // that are multiplied at a time
	codes, results gemm.Matrix[T]
}

func (f *filter[T]) share(ws *gemm.Workspace[T], c0, c1, m0, m1 int) *filterShare[T] {
	p := &filterShare[T]{filter: f, c0: c0, c1: c1, m0: m0, m1: m1, ws: ws, channels: max(1, filterTaps/(f.kh*f.kw))}
	p.stage, p.rows = f.padded(c1-c0, sideBySide(f.wo, f.chain, f.set.Lanes))
	p.links = f.pixels(p.stage, f.chain)
	codes := (m1 - m0 + f.width - 1) / f.width * f.width // with the columns that fill the last panel
	sums := len(p.rows)
	if f.chain == f.n {
		sums = min(p.channels, c1-c0) * f.kh * f.kw // no other images will continue the sums
	}
	side := p.stage.side
	ws.Floats = gemm.Grow(ws.Floats, (f.chain+side-1)/side*side*p.stage.size())
	ws.Result = gemm.Grow(ws.Result, sums*codes)
	p.codes = f.codes().Block(0, len(p.links), m0, m1)
	p.results = gemm.Dense(ws.Result, sums, m1-m0, codes, 1)
	return p
}

// run continues the chains by images n..n+count-1, whose codes are packed.
func (f *filterShare[T]) run(w, x, codes []T, n, count int) {
	pixels, s := f.ho*f.wo, f.stage
	for first := 0; first < count; first += f.chain {
		at, images := n+first, min(f.chain, count-first)
		for i := 0; i < images; i += s.side {
			stageImages(s, f.set, f.ws.Floats[i*s.size():], x[((at+i)*f.c+f.c0)*f.h*f.w:], min(s.side, images-i), 0, s.channels, at > 0)
		}
		a := gemm.Matrix[T]{Data: f.ws.Floats, Rows: f.rows, Cols: f.links[:images*pixels]}
		b := gemm.Matrix[T]{Data: codes[first/f.chain*f.chainSize():], Rows: f.codes.Rows[:images*pixels], Cols: f.codes.Cols}
		for c := 0; c < s.channels; c += f.channels {
			t0, t1 := c*f.kh*f.kw, min(c+f.channels, s.channels)*f.kh*f.kw
			t := t0 % len(f.results.Rows)
			part := f.results.Block(t, t+t1-t0, 0, f.m1-f.m0)
			gemm.Multiply(part, a.Block(t0, t1, 0, len(a.Cols)), b, at > 0, f.ws)
			if at+images == f.n {
				f.finish(w[f.m0*f.taps()+f.c0*f.kh*f.kw+t0:], part.Data, part.Rows)
			}
		}
	}
}

// finish copies the results of some taps to w, for a few channels of y at a time, each of which lies on another page.
func (f *filterShare[T]) finish(w, results []T, taps []int) {
	for m := 0; m < f.m1-f.m0; m += f.width {
		f.set.Interleave(w[m*f.taps():], f.taps(), results[m:], taps, min(f.width, f.m1-f.m0-m))
	}
}

// padded is the stage of x for Filter, which reads single elements: the image with its border, uncut, or where there is a single
// tap the pixels that it reads. It lists the places of the taps of every channel.
func (f form) padded(channels, side int) (s *stage, taps []int) {
	step := [2]int{1, 1}
	if f.kh*f.kw == 1 {
		step = f.strides(side)
	}
	s = f.newStage(channels, side, step)
	s.phases = [][2]int{{0, 0}}
	s.rows, s.cols = (f.ho-1)*s.every[0]+(f.kh-1)*f.d+1, (f.wo-1)*s.every[1]+(f.kw-1)*f.d+1
	taps = make([]int, 0, channels*f.kh*f.kw)
	for c := range channels {
		for u := range f.kh {
			for v := range f.kw {
				taps = append(taps, side*(c*s.planeSize()+u*f.d*s.cols+v*f.d))
			}
		}
	}
	return s, taps
}

// pixels lists where in the stage the first tap of every pixel of images lies.
func (f form) pixels(s *stage, images int) []int {
	places := make([]int, 0, images*f.ho*f.wo)
	for n := range images {
		for i := range f.ho {
			for j := range f.wo {
				places = append(places, n/s.side*s.side*s.size()+s.place(n%s.side, s.pixel(i, j)))
			}
		}
	}
	return places
}
