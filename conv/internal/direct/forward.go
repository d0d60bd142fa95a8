package direct

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// Forward sets y to the convolution of x with w, and calls then for its planes: conv.DefineForward, bit for
// bit. It is the product of w, as an M x C*KH*KW matrix, with the im2col matrix, which is read from the stage
// buffer.
func Forward[T kernel.Float](f form.Form, y, x, w []T, then form.Then) {
	set := kernel.Active[T]()
	contraction[T]{planFor(problem{f}, false, set), set, x, y, w, then}.run()
}

// forwardPlan is the plan of Forward, not finished. The chain goes over the taps, channel by channel.
func (k planKey) forwardPlan() *plan {
	f := k.problem
	row := f.Wo
	if f.KH*f.KW == 1 { // a buffer without a border: the next row follows without a gap
		row *= f.Ho
	}
	interleaved := interleaving(row, f.N, k.lanes, f.Workers)
	cutRows, cutCols := k.mayCut(interleaved, f.Ho, f.Wo)
	rows := newAxis(f.Ho, f.KH, cutRows, func(i, tap int) bool { return onAxis(i*f.S+tap*f.D-f.PH, f.H) })
	cols := newAxis(f.Wo, f.KW, cutCols, func(i, tap int) bool { return onAxis(i*f.S+tap*f.D-f.PW, f.W) })
	s, tapOffset := f.forwardBuffer(interleaved, rows.borderless, cols.borderless)
	p := &plan{
		buffer: s, images: f.N, channels: f.M, height: f.Ho, width: f.Wo, step: 1,
		skips: rows.skips || cols.skips,
	}
	weights, channels := gemm.Offsets(f.M, f.Taps()), gemm.Offsets(f.C, f.KH*f.KW)
	for _, r := range rows.spans {
		for _, q := range cols.spans {
			var taps []tap
			for u := r.tap0; u < r.tap1; u++ {
				for v := q.tap0; v < q.tap1; v++ {
					taps = append(taps, tap{u*f.KW + v, tapOffset(u, v)})
				}
			}
			p.products = append(p.products, s.newProduct(weights, channels, taps, grid{}.within(r, q)))
		}
	}
	return p
}

// onAxis tells whether i is an index along an axis of n elements.
func onAxis(i, n int) bool { return 0 <= i && i < n }
