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
	set := kernel.Active[T]()
	width := kernel.Vectors * set.Lanes
	panels := (f.m + width - 1) / width
	workers := parallel.Workers(f.c * panels)
	parts, panelParts := min(f.c/filterChannels, workers), 1
	if parts < workers {
		parts, panelParts = max(1, parts), min(panels, workers/max(1, parts))
	}
	list := gemm.Take[T](parallel.Workers(parts * panelParts))
	defer gemm.Give(list)
	parallel.For(parts*panelParts, func(worker, i int) {
		part, panel := i/panelParts, i%panelParts
		p := filterPart[T]{form: f, set: set, ws: list[worker], width: width}
		p.c0, p.c1 = part*f.c/parts, (part+1)*f.c/parts
		p.m0, p.m1 = panel*panels/panelParts*width, min((panel+1)*panels/panelParts*width, f.m)
		p.run(w.Data, x.Data, y.Data)
	})
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
)

// filterPart is one goroutine's share of Filter: channels c0..c1-1 of x and m0..m1-1 of y.
type filterPart[T tensor.Float] struct {
	form
	set            *kernel.Set[T]
	ws             *gemm.Workspace[T]
	width          int // of a panel of y's channels
	c0, c1, m0, m1 int
}

func (f *filterPart[T]) run(w, x, y []T) {
	pixels := f.ho * f.wo
	images := min(f.n, max(1, chainPixels/pixels))
	s, taps := f.padded(f.c1-f.c0, sideBySide(f.wo, images, f.set.Lanes))
	codes := (f.m1 - f.m0 + f.width - 1) / f.width * f.width // with the columns that fill the last panel
	channels := max(1, filterTaps/(f.kh*f.kw))               // at a time
	sums := len(taps)
	if images == f.n {
		sums = min(channels, s.channels) * f.kh * f.kw // no other images will continue the sums
	}
	room := (images + s.side - 1) / s.side * s.side * s.size()
	f.ws.Floats = gemm.Grow(f.ws.Floats, room+images*pixels*codes)
	f.ws.Result = gemm.Grow(f.ws.Result, sums*codes)
	staged, panels := f.ws.Floats[:room], f.panels(f.ws.Floats[room:], images)
	results := gemm.Dense(f.ws.Result, sums, f.m1-f.m0, codes, 1)
	places := f.pixels(s, images)
	for n := 0; n < f.n; n += images {
		count := min(images, f.n-n)
		for i := 0; i < count; i += s.side {
			stageImages(s, f.set, staged[i*s.size():], x[((n+i)*f.c+f.c0)*f.h*f.w:], min(s.side, count-i), 0, s.channels, n > 0)
		}
		f.packCodes(panels, y[(n*f.m+f.m0)*pixels:], count)
		b := panels.Block(0, count*pixels, 0, f.m1-f.m0)
		a := gemm.Matrix[T]{Data: staged, Rows: taps, Cols: places[:count*pixels]}
		for c := 0; c < s.channels; c += channels {
			t0, t1 := c*f.kh*f.kw, min(c+channels, s.channels)*f.kh*f.kw
			part := results.Block(t0%sums, t0%sums+t1-t0, 0, f.m1-f.m0)
			gemm.Multiply(part, a.Block(t0, t1, 0, len(a.Cols)), b, n > 0, f.ws)
			if n+count == f.n {
				f.finish(w[f.m0*f.taps()+f.c0*f.kh*f.kw+t0:], part.Data, part.Rows)
			}
		}
	}
}

// finish copies the results of some taps to w, for a few channels of y at a time, each of which lies on another page.
func (f *filterPart[T]) finish(w, results []T, taps []int) {
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

// panels is the matrix of channels m0..m1-1 of y, for some images, in panels whose rows are pixels.
func (f *filterPart[T]) panels(data []T, images int) gemm.Matrix[T] {
	rows := images * f.ho * f.wo
	m := gemm.Matrix[T]{Data: data, Rows: gemm.Offsets(rows, f.width), Cols: make([]int, f.m1-f.m0)}
	for i := range m.Cols {
		m.Cols[i] = i/f.width*rows*f.width + i%f.width
	}
	return m
}

// packCodes copies channels m0..m1-1 of y, for some images, to panels.
func (f *filterPart[T]) packCodes(panels gemm.Matrix[T], y []T, images int) {
	pixels := f.ho * f.wo
	channels := gemm.Offsets(f.width, pixels)
	for first := 0; first < len(panels.Cols); first += f.width {
		count, panel := min(f.width, len(panels.Cols)-first), panels.Data[panels.Cols[first]:]
		for n := range images {
			f.set.Interleave(panel[n*pixels*f.width:], f.width, y[(n*f.m+first)*pixels:], channels[:count], pixels)
		}
	}
}
