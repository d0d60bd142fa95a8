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
	contraction[T]{f.plan(false, set.Lanes), set, x.Data, y.Data, w.Data}.run()
}

// forwardPlan is the plan of Forward, not finished. The chain goes over the taps, channel by channel.
func (f form) forwardPlan(lanes int) *plan {
	s, links := f.window(f.c, sideBySide(f.wo, f.n, lanes))
	weights := product{gemm.Offsets(f.m, f.taps()), gemm.Offsets(f.taps(), 1), links, grid{rows: f.ho, cols: f.wo}}
	return &plan{stage: s, images: f.n, channels: f.m, height: f.ho, width: f.wo, step: 1, products: []product{weights}}
}
