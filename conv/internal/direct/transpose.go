package direct

import (
	"slices"

	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// Transpose sets x to the transposed convolution of y with w, and calls then for its planes:
// conv.DefineTranspose, bit for bit. With stride s the pixels of x fall into s*s phases, each a product with
// the taps that reach it.
func Transpose[T kernel.Float](f form.Form, x, y, w []T, then form.Then) {
	set, p := kernel.Active[T](), problem{f}
	if p.isPointwiseStride2() {
		transposePointwiseStride2(p, set, x, y, w, then)
		return
	}
	contraction[T]{planFor(p, true, set), set, y, x, w, then}.run()
}

// isPointwiseStride2 tells whether the kernel's only tap reaches the pixels of x in even rows and columns, a
// quarter of all, and the other pixels are zeros.
func (f problem) isPointwiseStride2() bool {
	return f.KH*f.KW == 1 && f.S == 2 && f.H%2 == 0 && f.W%2 == 0 && f.PH == 0 && f.PW == 0
}

// transposePointwiseStride2 is Transpose for that case: computed without the stride, and then zeros inserted
// between the pixels of every plane.
func transposePointwiseStride2[T kernel.Float](f problem, set *kernel.Set[T], x, y, w []T, then form.Then) {
	f.H, f.W, f.S = f.Ho, f.Wo, 1
	spaces := gemm.Take[T](1)
	defer gemm.Give(spaces)
	spaces[0].Result = gemm.Grow(spaces[0].Result, len(x)/4)
	pixels := spaces[0].Result
	contraction[T]{planFor(f, true, set), set, y, pixels, w, func(c, lo, hi int) {
		set.InsertZeros(x[4*lo:4*hi], pixels[lo:hi], f.W)
		if then != nil {
			then(c, 4*lo, 4*hi)
		}
	}}.run()
}

// transposePlan is the plan of Transpose, not finished.
func (k planKey) transposePlan() *plan {
	f := k.problem
	row := (f.W + f.S - 1) / f.S
	if f.S == 1 && f.KH*f.KW == 1 { // a buffer without a border: the next row follows without a gap
		row *= f.H
	}
	interleaved := interleaving(row, f.N, k.lanes, f.Workers)
	cutRows, cutCols := k.mayCut(interleaved, f.H, (f.W+f.S-1)/f.S)
	var rows, cols []phase
	for r := range f.S {
		rows = append(rows, f.phase(r, f.H, f.Ho, f.KH, f.PH, cutRows))
		cols = append(cols, f.phase(r, f.W, f.Wo, f.KW, f.PW, cutCols))
	}
	readsBorder := func(h phase) bool { return !h.borderless }
	s := f.transposeBuffer(interleaved, !slices.ContainsFunc(rows, readsBorder),
		!slices.ContainsFunc(cols, readsBorder))
	p := &plan{
		buffer: s, images: f.N, channels: f.C, height: f.H, width: f.W, step: f.S,
		weightLayout: k.transposedLayout(),
	}
	for _, r := range rows {
		for _, q := range cols {
			p.skips = p.skips || r.skips || q.skips
			p.products = append(p.products, f.phaseProducts(s, p.weightLayout, r, q)...)
		}
	}
	return p
}

// weightLayout is how weights (m, c, tap) lie in memory, m being y's channels and c those of x.
type weightLayout int

const (
	asTheyLie  weightLayout = iota
	byTaps                  // (c, tap, m)
	byChannels              // (c, m, tap)
)

// transposedLayout is the layout in which Transpose wants the weights. As they lie each phase of the stride reads a few
// elements of every cache line, and more lines than the second-level cache can bring; without a stride the links of a chain
// are runs of taps, each on another page: with 512 channels, whose distance is a multiple of 2 kB, they compete for two sets of
// the first-level cache, and dense tiles want links side by side. A copy is only worth it for many pixels.
func (k planKey) transposedLayout() weightLayout {
	switch {
	case k.KH*k.KW == 1 || k.N*k.Ho*k.Wo < 512:
		return asTheyLie
	case k.S > 1:
		return byTaps
	}
	return byChannels
}

// transposeBuffer is the stage buffer of y for Transpose: y with as many zeros around it as the taps reach,
// or along an axis with none.
func (f problem) transposeBuffer(interleaved int, noRows, noCols bool) *stageBuffer {
	s := &stageBuffer{
		channels: f.M, height: f.Ho, width: f.Wo, imageStep: f.M * f.Ho * f.Wo, rows: f.Ho, cols: f.Wo,
		step: [2]int{1, 1}, pixelStep: [2]int{1, 1}, phases: [][2]int{{0, 0}}, interleaved: interleaved,
	}
	if !noRows {
		s.origin[0] = f.PH/f.S - (f.KH-1)*f.D/f.S
		s.rows = (f.H-1+f.PH)/f.S - s.origin[0] + 1
	}
	if !noCols {
		s.origin[1] = f.PW/f.S - (f.KW-1)*f.D/f.S
		s.cols = (f.W-1+f.PW)/f.S - s.origin[1] + 1
	}
	return s
}

// phase is one phase of the stride along an axis of x: pixels first, first+s, ... of which there are count.
// Tap u of pixel first + s*alpha reads y at alpha + code - floor(u*d/s).
type phase struct {
	first, count, code int
	taps               []int
	axis               // of the pixels and these taps
}

// phase is phase r of an axis with size elements of x, codes of y, a kernel's side and padding p. It has the
// pixels a of x with (a+p) mod s = r, which are reached by the taps u with u*d mod s = r.
func (f problem) phase(r, size, codes, side, p int, mayCut bool) phase {
	h := phase{first: (r + p*(f.S-1)) % f.S}
	h.count = max(0, (size-h.first+f.S-1)/f.S)
	h.code = (h.first + p) / f.S
	for u := range side {
		if u*f.D%f.S == r {
			h.taps = append(h.taps, u)
		}
	}
	h.axis = newAxis(h.count, len(h.taps), mayCut, func(i, k int) bool {
		return onAxis(i+h.code-h.taps[k]*f.D/f.S, codes)
	})
	return h
}

// phaseProducts are the products for the pixels of x that are in both phases. The chain goes over m, then
// over the taps.
func (f problem) phaseProducts(s *stageBuffer, layout weightLayout, rows, cols phase) (list []product) {
	taps, step := f.KH*f.KW, 1
	weights, channels := gemm.Offsets(f.C, taps), gemm.Offsets(f.M, f.Taps())
	switch layout {
	case byTaps:
		step = paddedPitch(f.M)
		weights, channels = gemm.Offsets(f.C, taps*step), gemm.Offsets(f.M, 1)
	case byChannels:
		weights, channels = gemm.Offsets(f.C, paddedPitch(f.M*taps)), gemm.Offsets(f.M, taps)
	}
	g := grid{row: rows.first, col: cols.first}
	g.first = (rows.code-s.origin[0])*s.cols + cols.code - s.origin[1]
	for _, r := range rows.spans {
		for _, q := range cols.spans {
			var taps []tap
			for _, u := range rows.taps[r.tap0:r.tap1] {
				for _, v := range cols.taps[q.tap0:q.tap1] {
					taps = append(taps, tap{(u*f.KW + v) * step, -(u*f.D/f.S)*s.cols - v*f.D/f.S})
				}
			}
			list = append(list, s.newProduct(weights, channels, taps, g.within(r, q)))
		}
	}
	return list
}
