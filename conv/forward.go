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
	set := kernel.Active[T]()
	s, tap := f.window(f.c)
	shared := gemm.Take[T](1)
	defer gemm.Give(shared)
	left := &shared[0].Left
	left.Layout(set, f.m, f.taps())
	offsets := gemm.Offsets(set.Tiles[0].Rows, f.taps())
	left.Pack(packLinks, func(dst []T, stride, row, rows, p0, p1 int) {
		set.Interleave(dst, stride, w.Data[row*f.taps()+p0:], offsets[:rows], p1-p0)
	})
	pixels := f.ho * f.wo
	work := newWork[T](f.n, pixels, left.Strips())
	defer work.done()
	var pixel, out []int
	for n := range work.group {
		pixel = s.appendPixels(pixel, n*s.size(), f.ho, f.wo)
		for q := range pixels {
			out = append(out, n*f.m*pixels+q)
		}
	}
	work.run(func(ws *gemm.Workspace[T], n0, n1, s0, s1 int) {
		staged := stageBatch(s, set, ws, x.Data[n0*f.c*f.h*f.w:], n1-n0)
		right := &columns[T]{set, staged, tap, pixel}
		target := gemm.Target[T]{Data: y.Data[n0*f.m*pixels:], RowStride: pixels, Cols: out}
		left.Multiply(s0, s1, right, 0, (n1-n0)*pixels, target, false, ws)
	})
}

// packLinks is the number of links of the chain that one goroutine packs of the weights at a time: enough for long copies, few
// enough to share the work.
const packLinks = 64
