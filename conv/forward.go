package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// Forward sets y to the convolution of x with w (the analysis A*x of a CSC layer): DefineForward, bit for bit. It is the
// product of w, as an M x C*KH*KW matrix, with the column matrix, whose panels are cut from a staged image.
func Forward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) {
	f := newForm("Forward", x.Shape, w.Shape, y.Shape, g)
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradForward(f, y.Data, x.Data, w.Data)
		return
	}
	set := kernel.Active[T]()
	shared := gemm.Take[T](1)
	defer gemm.Give(shared)
	left := &shared[0].Left
	left.Layout(set, f.m, f.taps())
	offsets := gemm.Offsets(set.Tiles[0].Rows, f.taps())
	left.Pack(packLinks, func(dst []T, stride, row, rows, p0, p1 int) {
		set.Interleave(dst, stride, w.Data[row*f.taps()+p0:], offsets[:rows], p1-p0)
	})
	pixels := f.ho * f.wo
	work := newWork[T](f.n, pixels, left.Strips(), set.Cols)
	defer work.done()
	s, tap := f.window(f.c, sideBySide(f.wo, work.group))
	columnsOf := func(images int) lattice {
		return s.lattice(images, 0, f.ho, f.wo, func(n, i, j int) int { return n*f.m*pixels + i*f.wo + j })
	}
	full := columnsOf(work.group)
	work.run(func(ws *gemm.Workspace[T], n0, n1, s0, s1 int) {
		staged := stageBatch(s, set, ws, x.Data[n0*f.c*f.h*f.w:], n1-n0)
		l := full
		if n1-n0 < work.group {
			l = columnsOf(n1 - n0)
		}
		multiply(left, s0, s1, &columns[T]{set, staged, tap, l.pixel}, l, s.side, y.Data[n0*f.m*pixels:], pixels, ws)
	})
}

// packLinks is the number of links of the chain that one goroutine packs of the weights at a time: enough for long copies, few
// enough to share the work.
const packLinks = 256
