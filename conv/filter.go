package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Filter sets w to the gradient of <y, Forward(x, w)> with respect to w: DefineFilter, bit for bit. It is the product of y,
// as an M x N*Ho*Wo matrix, with the transposed column matrix. The chain runs over images and pixels and is never split:
// goroutines share out the elements of w, by columns (c, u, v) first.
func Filter[T tensor.Float](w, x, y *tensor.Tensor[T], g Geometry) {
	f := newForm("Filter", x.Shape, w.Shape, y.Shape, g)
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradFilter(f, w.Data, x.Data, y.Data)
		return
	}
	set := kernel.Active[T]()
	panels := (f.taps() + set.Cols - 1) / set.Cols
	colParts, rowParts := gemm.Split(panels, (f.m+set.Tiles[0].Rows-1)/set.Tiles[0].Rows)
	list := gemm.Take[T](parallel.Workers(colParts * rowParts))
	defer gemm.Give(list)
	parallel.For(colParts*rowParts, func(worker, i int) {
		col, row := i/rowParts, i%rowParts
		part := filterPart[T]{form: f, set: set, ws: list[worker], offsets: gemm.Offsets(set.Tiles[0].Rows, f.ho*f.wo)}
		part.c0, part.c1 = col*panels/colParts*set.Cols, min((col+1)*panels/colParts*set.Cols, f.taps())
		part.m0, part.m1 = row*f.m/rowParts, (row+1)*f.m/rowParts
		part.run(w.Data, x.Data, y.Data)
	})
}

// filterPart is one goroutine's share of Filter: rows m0..m1-1, columns c0..c1-1 of w as an M x C*KH*KW matrix.
type filterPart[T tensor.Float] struct {
	form
	set            *kernel.Set[T]
	ws             *gemm.Workspace[T]
	offsets        []int // of y's channels
	c0, c1, m0, m1 int
}

// chainPixels is the number of pixels whose part of the chain is packed at a time: enough that loading and storing w's tiles
// costs little, few enough that y's packed strips stay in the second-level cache.
const chainPixels = 512

func (f *filterPart[T]) run(w, x, y []T) {
	if f.c0 >= f.c1 || f.m0 >= f.m1 {
		return
	}
	area, pixels := f.kh*f.kw, f.ho*f.wo
	first, last := f.c0/area, (f.c1-1)/area // the channels of x that these columns read
	s, tap := f.window(last-first+1, 1)
	tap = tap[f.c0-first*area:]
	images := max(1, chainPixels/pixels)
	out := gemm.Target[T]{Data: w[f.m0*f.taps()+f.c0:], RowStride: f.taps()}
	for n0 := 0; n0 < f.n; n0 += images {
		n1 := min(n0+images, f.n)
		f.stageChannels(s, x, first, n0, n1)
		for q0 := 0; q0 < (n1-n0)*pixels; q0 += chainPixels {
			q1 := min(q0+chainPixels, (n1-n0)*pixels)
			f.packCodes(y, n0, q0, q1)
			right := &rows[T]{f.set, f.ws.Floats, tap, f.ws.Offsets[q0:]}
			f.ws.Left.Multiply(0, f.ws.Left.Strips(), right, 0, f.c1-f.c0, out, n0 > 0 || q0 > 0, f.ws)
		}
	}
}

// stageChannels stages channels first.. of images n0..n1-1 and lists their pixels.
func (f *filterPart[T]) stageChannels(s *stage, x []T, first, n0, n1 int) {
	f.ws.Floats = gemm.Grow(f.ws.Floats, (n1-n0)*s.size())
	f.ws.Offsets = f.ws.Offsets[:0]
	for n := n0; n < n1; n++ {
		at := (n - n0) * s.size()
		stageImage(s, f.set, f.ws.Floats[at:at+s.size()], x[(n*f.c+first)*f.h*f.w:])
		for i := range f.ho {
			for j := range f.wo {
				f.ws.Offsets = append(f.ws.Offsets, at+i*s.cols+j)
			}
		}
	}
}

// packCodes packs rows m0..m1-1 of y for pixels q0..q1-1 of the images from n0 on.
func (f *filterPart[T]) packCodes(y []T, n0, q0, q1 int) {
	pixels := f.ho * f.wo
	left := &f.ws.Left
	left.Layout(f.set, f.m1-f.m0, q1-q0)
	left.PackRange(0, q1-q0, func(dst []T, stride, row, rows, p0, p1 int) {
		for q := q0 + p0; q < q0+p1; {
			n, at := n0+q/pixels, q%pixels
			count := min(pixels-at, q0+p1-q)
			src := y[(n*f.m+f.m0+row)*pixels+at:]
			f.set.Interleave(dst[(q-q0-p0)*stride:], stride, src, f.offsets[:rows], count)
			q += count
		}
	})
}
