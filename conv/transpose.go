package conv

import (
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
		then.all(x.Shape)
		return
	}
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradTranspose(f, x.Data, y.Data, w.Data)
		then.all(x.Shape)
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
func (f form) transposePlan(lanes int) *plan {
	row := (f.w + f.s - 1) / f.s
	if f.s == 1 && f.kh*f.kw == 1 { // a stage without a border: the next row follows without a gap
		row *= f.h
	}
	s := f.codeWindow(sideBySide(row, f.n, lanes))
	p := &plan{stage: s, images: f.n, channels: f.c, height: f.h, width: f.w, step: f.s, turned: f.turns()}
	for r := range f.s {
		for q := range f.s {
			p.products = append(p.products, f.phase(s, p.turned, r, q))
		}
	}
	return p
}

// turns tells whether Transpose turns the weights first, so that the channels of y are neighbours. As they lie each phase of the
// stride reads a few elements of every cache line, and more lines than the second-level cache can bring. Turning is only worth it for many pixels.
func (f form) turns() bool { return f.s > 1 && f.kh*f.kw > 1 && f.n*f.ho*f.wo >= 1024 }

// codeWindow is the stage of y for Transpose: y with as many zeros around it as the taps reach.
func (f form) codeWindow(side int) *stage {
	rows, cols := f.reach()
	s := &stage{channels: f.m, height: f.ho, width: f.wo, imageStep: f.m * f.ho * f.wo,
		step: [2]int{1, 1}, every: [2]int{1, 1}, phases: [][2]int{{0, 0}}, side: side}
	s.origin = [2]int{f.ph/f.s - rows, f.pw/f.s - cols}
	s.rows = (f.h-1+f.ph)/f.s - s.origin[0] + 1
	s.cols = (f.w-1+f.pw)/f.s - s.origin[1] + 1
	return s
}

// reach is how many rows and columns of y the taps span beyond the first.
func (f form) reach() (rows, cols int) { return (f.kh - 1) * f.d / f.s, (f.kw - 1) * f.d / f.s }

// phase is the product for the pixels of x whose rows a share r = (a+p) mod s and whose columns b share q = (b+p) mod s: pixel
// a = s*alpha + r - p meets tap u at y's row alpha - floor(u*d/s), if u*d = r (mod s). The chain goes over m, then over the taps.
func (f form) phase(s *stage, turned bool, r, q int) product {
	g := grid{row: (r + f.ph*(f.s-1)) % f.s, col: (q + f.pw*(f.s-1)) % f.s}
	g.rows, g.cols = max(0, (f.h-g.row+f.s-1)/f.s), max(0, (f.w-g.col+f.s-1)/f.s)
	rows, cols := f.reach()
	g.first = ((g.row+f.ph)/f.s-s.origin[0]-rows)*s.cols + (g.col+f.pw)/f.s - s.origin[1] - cols
	var places, links []int
	for m := range f.m {
		for u := range f.kh {
			for v := range f.kw {
				if u*f.d%f.s == r && v*f.d%f.s == q {
					place := m*f.taps() + u*f.kw + v
					if turned {
						place = (u*f.kw+v)*pitch(f.m) + m
					}
					places = append(places, place)
					links = append(links, s.side*(m*s.planeSize()+(rows-u*f.d/f.s)*s.cols+cols-v*f.d/f.s))
				}
			}
		}
	}
	row := f.kh * f.kw
	if turned {
		row *= pitch(f.m)
	}
	return product{gemm.Offsets(f.c, row), places, links, g}
}
