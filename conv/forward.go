package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Forward sets y to the convolution of x with w (the analysis A*x of a CSC layer): DefineForward, bit for bit. It is the
// product of w, as an M x C*KH*KW matrix, with the column matrix, which is read from staged images.
func Forward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) { ForwardThen(y, x, w, g, nil) }

// Then is what else is to be done with a result: it is called once for every plane, with a few planes at a time, those of channels c,
// c+1, ... of an image, which are elements lo..hi-1 of the result. That is soon after they have been computed, by several goroutines at once.
type Then func(c, lo, hi int)

// thenElements is about the number of elements that a Then sees at a time: more than a call costs, few enough to stay in the
// first-level cache from one operation to the next.
const thenElements = 2048

// planes calls t for planes p0..p1-1 of a batch of images with so many channels.
func (t Then) planes(p0, p1, channels, size int) {
	most := max(1, thenElements/max(1, size))
	for p := p0; p < p1; {
		next := min(p1, p+most, p-p%channels+channels)
		t(p%channels, p*size, next*size)
		p = next
	}
}

// All calls t, if there is one, for all planes of a result of the given shape.
func (t Then) All(shape []int) {
	if t == nil {
		return
	}
	size := tensor.Size(shape[2:])
	parallel.Ranges(shape[0]*shape[1], max(1, tensor.Grain/max(1, size)), func(lo, hi int) { t.planes(lo, hi, shape[1], size) })
}

// ForwardThen is Forward, and then what then does, while the result is in the caches.
func ForwardThen[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry, then Then) {
	f := newForm("Forward", x.Shape, w.Shape, y.Shape, g)
	if len(x.Shape) == 2 {
		tensor.MatMul(y, x, w, false, true)
		then.All(y.Shape)
		return
	}
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradForward(f, y.Data, x.Data, w.Data)
		then.All(y.Shape)
		return
	}
	set := kernel.Active[T]()
	contraction[T]{f.plan(false, set.Lanes), set, x.Data, y.Data, w.Data, then}.run()
}

// forwardPlan is the plan of Forward, not finished. The chain goes over the taps, channel by channel.
func (k planKey) forwardPlan() *plan {
	f := k.form
	row := f.wo
	if f.kh*f.kw == 1 { // a stage without a border: the next row follows without a gap
		row *= f.ho
	}
	side := sideBySide(row, f.n, k.lanes)
	cutRows, cutCols := k.cuts(side, f.ho, f.wo)
	rows := newAxis(f.ho, f.kh, cutRows, func(i, tap int) bool { return onAxis(i*f.s+tap*f.d-f.ph, f.h) })
	cols := newAxis(f.wo, f.kw, cutCols, func(i, tap int) bool { return onAxis(i*f.s+tap*f.d-f.pw, f.w) })
	s, place := f.window(side, rows.bare, cols.bare)
	p := &plan{stage: s, images: f.n, channels: f.m, height: f.ho, width: f.wo, step: 1, spares: rows.spares || cols.spares}
	weights, channels := gemm.Offsets(f.m, f.taps()), gemm.Offsets(f.c, f.kh*f.kw)
	for _, r := range rows.spans {
		for _, q := range cols.spans {
			var taps []tap
			for u := r.tap0; u < r.tap1; u++ {
				for v := q.tap0; v < q.tap1; v++ {
					taps = append(taps, tap{u*f.kw + v, place(u, v)})
				}
			}
			p.products = append(p.products, s.newProduct(weights, channels, taps, grid{}.part(r, q)))
		}
	}
	return p
}

// onAxis tells whether i is a place along an axis of n elements.
func onAxis(i, n int) bool { return 0 <= i && i < n }
