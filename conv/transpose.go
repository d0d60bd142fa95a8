package conv

import (
	"slices"

	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// Transpose sets x to the transposed convolution of y with w (the synthesis A y of a CSC layer): DefineTranspose, bit for
// bit. With stride s the pixels of x fall into s*s phases, each a product with the taps that reach it.
func Transpose[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry) { TransposeThen(x, y, w, g, nil) }

// TransposeThen is Transpose, and then what then does, while the result is in the caches.
func TransposeThen[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry, then Then) {
	f := newForm("Transpose", x.Shape, w.Shape, y.Shape, g)
	if len(x.Shape) == 2 {
		tensor.MatMul(x, y, w, false, false)
		then.All(x.Shape)
		return
	}
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradTranspose(f, x.Data, y.Data, w.Data)
		then.All(x.Shape)
		return
	}
	set := kernel.Active[T]()
	if f.spreads() {
		transposeSpread(f, set, x.Data, y.Data, w.Data, then)
		return
	}
	contraction[T]{f.plan(true, set.Lanes), set, y.Data, x.Data, w.Data, then}.run()
}

// spreads tells whether a quarter of x's pixels meets the only tap, those in even rows and columns, and the others are zeros.
func (f form) spreads() bool {
	return f.kh*f.kw == 1 && f.s == 2 && f.h%2 == 0 && f.w%2 == 0 && f.ph == 0 && f.pw == 0
}

// transposeSpread is Transpose if f spreads: without the stride, and then zeros between the pixels of every plane.
func transposeSpread[T tensor.Float](f form, set *kernel.Set[T], x, y, w []T, then Then) {
	f.h, f.w, f.s = f.ho, f.wo, 1
	spaces := gemm.Take[T](1)
	defer gemm.Give(spaces)
	spaces[0].Result = gemm.Grow(spaces[0].Result, len(x)/4)
	pixels := spaces[0].Result
	contraction[T]{f.plan(true, set.Lanes), set, y, pixels, w, func(c, lo, hi int) {
		set.InsertZeros(x[4*lo:4*hi], pixels[lo:hi], f.w)
		if then != nil {
			then(c, 4*lo, 4*hi)
		}
	}}.run()
}

// transposePlan is the plan of Transpose, not finished.
func (k planKey) transposePlan() *plan {
	f := k.form
	row := (f.w + f.s - 1) / f.s
	if f.s == 1 && f.kh*f.kw == 1 { // a stage without a border: the next row follows without a gap
		row *= f.h
	}
	side := sideBySide(row, f.n, k.lanes)
	cutRows, cutCols := k.cuts(side, f.h, (f.w+f.s-1)/f.s)
	var rows, cols []phase
	for r := range f.s {
		rows = append(rows, f.phase(r, f.h, f.ho, f.kh, f.ph, cutRows))
		cols = append(cols, f.phase(r, f.w, f.wo, f.kw, f.pw, cutCols))
	}
	bordered := func(h phase) bool { return !h.bare }
	s := f.codeWindow(side, !slices.ContainsFunc(rows, bordered), !slices.ContainsFunc(cols, bordered))
	p := &plan{stage: s, images: f.n, channels: f.c, height: f.h, width: f.w, step: f.s, turned: f.turns()}
	for _, r := range rows {
		for _, q := range cols {
			p.spares = p.spares || r.spares || q.spares
			p.products = append(p.products, f.phaseProducts(s, p.turned, r, q)...)
		}
	}
	return p
}

// turns tells whether Transpose turns the weights first, so that the channels of y are neighbours. As they lie each phase of the
// stride reads a few elements of every cache line, and more lines than the second-level cache can bring. Turning is only worth it for many pixels.
func (f form) turns() bool { return f.s > 1 && f.kh*f.kw > 1 && f.n*f.ho*f.wo >= 512 }

// codeWindow is the stage of y for Transpose: y with as many zeros around it as the taps reach, or along an axis with none.
func (f form) codeWindow(side int, noRows, noCols bool) *stage {
	s := &stage{channels: f.m, height: f.ho, width: f.wo, imageStep: f.m * f.ho * f.wo, rows: f.ho, cols: f.wo,
		step: [2]int{1, 1}, every: [2]int{1, 1}, phases: [][2]int{{0, 0}}, side: side}
	if !noRows {
		s.origin[0] = f.ph/f.s - (f.kh-1)*f.d/f.s
		s.rows = (f.h-1+f.ph)/f.s - s.origin[0] + 1
	}
	if !noCols {
		s.origin[1] = f.pw/f.s - (f.kw-1)*f.d/f.s
		s.cols = (f.w-1+f.pw)/f.s - s.origin[1] + 1
	}
	return s
}

// phase is one phase of the stride along an axis of x: pixels first, first+s, ... of which there are count. Pixel first + s*alpha
// meets each of its taps at y's row alpha + code - floor(tap*d/s).
type phase struct {
	first, count, code int
	taps               []int
	axis               // of the pixels and these taps
}

// phase is phase r of an axis with size elements of x, codes of y, a kernel's side and padding p. Pixels a of x with (a+p) mod s
// = r meet the taps u with u*d mod s = r.
func (f form) phase(r, size, codes, side, p int, cut bool) phase {
	h := phase{first: (r + p*(f.s-1)) % f.s}
	h.count = max(0, (size-h.first+f.s-1)/f.s)
	h.code = (h.first + p) / f.s
	for u := range side {
		if u*f.d%f.s == r {
			h.taps = append(h.taps, u)
		}
	}
	h.axis = newAxis(h.count, len(h.taps), cut, func(i, k int) bool { return onAxis(i+h.code-h.taps[k]*f.d/f.s, codes) })
	return h
}

// phaseProducts are the products for the pixels of x that are in both phases. The chain goes over m, then over the taps.
func (f form) phaseProducts(s *stage, turned bool, rows, cols phase) (list []product) {
	weights, channels, step := gemm.Offsets(f.c, f.kh*f.kw), gemm.Offsets(f.m, f.taps()), 1
	if turned {
		step = pitch(f.m)
		weights, channels = gemm.Offsets(f.c, f.kh*f.kw*step), gemm.Offsets(f.m, 1)
	}
	g := grid{row: rows.first, col: cols.first, first: (rows.code-s.origin[0])*s.cols + cols.code - s.origin[1]}
	for _, r := range rows.spans {
		for _, q := range cols.spans {
			var taps []tap
			for _, u := range rows.taps[r.tap0:r.tap1] {
				for _, v := range cols.taps[q.tap0:q.tap1] {
					taps = append(taps, tap{(u*f.kw + v) * step, -(u*f.d/f.s)*s.cols - v*f.d/f.s})
				}
			}
			list = append(list, s.newProduct(weights, channels, taps, g.part(r, q)))
		}
	}
	return list
}
