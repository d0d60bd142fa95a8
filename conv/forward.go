package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// Forward sets y to the convolution of x with w (the analysis A*x of a CSC layer): DefineForward, bit for bit. It is the
// product of w, as an M x C*KH*KW matrix, with the column matrix, which is read from staged images.
func Forward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) {
	f := newForm("Forward", x.Shape, w.Shape, y.Shape, g)
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradForward(f, y.Data, x.Data, w.Data)
		return
	}
	set := kernel.Active[T]()
	s, links := f.window(f.c, sideBySide(f.wo, f.n, set.Lanes))
	c := contraction[T]{set: set, stage: s, source: x.Data, target: y.Data, images: f.n, channels: f.m, height: f.ho, width: f.wo, step: 1}
	weights := gemm.Dense(w.Data, f.m, f.taps(), f.taps(), 1)
	c.products = []product[T]{{weights, links, grid{rows: f.ho, cols: f.wo}}}
	c.run()
}
