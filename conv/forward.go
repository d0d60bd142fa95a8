package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Forward sets y to the convolution of x with w (the analysis A*x of a CSC layer): DefineForward, bit for bit. It is the
// product of w, as an M x C*KH*KW matrix, with the column matrix, whose panels are cut from a staged image.
func Forward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) {
	f := newForm("Forward", x.Shape, w.Shape, y.Shape, g)
	set := kernel.Active[T]()
	s, tap := f.window(f.c)
	shared := takeSpaces[T](1)
	defer giveSpaces(shared)
	left := &shared[0].left
	left.Layout(set, f.m, f.taps())
	offsets := gemm.Offsets(set.Tiles[0].Rows, f.taps())
	left.Pack(packLinks, func(dst []T, stride, row, rows, p0, p1 int) {
		set.Interleave(dst, stride, w.Data[row*f.taps()+p0:], offsets[:rows], p1-p0)
	})
	pixels := f.ho * f.wo
	share(f.n, pixels, left.Strips(), func(ws *workspace[T], n0, n1, s0, s1 int) {
		ws.stage(s, x.Data[n0*f.c*f.h*f.w:], n1-n0)
		ws.pixel, ws.out = ws.pixel[:0], ws.out[:0]
		for n := range n1 - n0 {
			ws.pixel = s.appendPixels(ws.pixel, n*s.size(), f.ho, f.wo)
			for q := range pixels {
				ws.out = append(ws.out, n*f.m*pixels+q)
			}
		}
		right := &columns[T]{set, ws.staged, tap, ws.pixel}
		out := gemm.Target[T]{Data: y.Data[n0*f.m*pixels:], RowStride: pixels, Cols: ws.out}
		left.Multiply(s0, s1, right, 0, len(ws.pixel), out, false, &ws.Workspace)
	})
}

// packLinks is the number of links of the chain that one goroutine packs of the weights at a time: enough for long copies, few
// enough to share the work.
const packLinks = 128

// stage copies images from src to ws.staged, one after the other.
func (ws *workspace[T]) stage(s *stage, src []T, images int) {
	ws.staged = gemm.Grow(ws.staged, images*s.size())
	image := s.channels * s.height * s.width
	for n := range images {
		stageImage(s, ws.staged[n*s.size():(n+1)*s.size()], src[n*image:(n+1)*image])
	}
}

// groupPixels is the number of output pixels that make a piece of work large enough: images are grouped up to it.
const groupPixels = 768

// share spreads a product over goroutines: by groups of images n0..n1-1 and, where there are fewer groups than goroutines, by
// ranges of strips s0..s1-1 as well.
func share[T tensor.Float](images, pixels, strips int, body func(ws *workspace[T], n0, n1, s0, s1 int)) {
	workers := parallel.Workers(images * strips)
	perGroup := max(1, min(groupPixels/max(1, pixels), images/workers))
	groups := (images + perGroup - 1) / perGroup
	parts := 1
	if groups < workers {
		parts = min(strips, (workers+groups-1)/groups)
	}
	list := takeSpaces[T](parallel.Workers(groups * parts))
	defer giveSpaces(list)
	parallel.For(groups*parts, func(worker, i int) {
		group, part := i/parts, i%parts
		body(list[worker], group*perGroup, min((group+1)*perGroup, images), part*strips/parts, (part+1)*strips/parts)
	})
}
