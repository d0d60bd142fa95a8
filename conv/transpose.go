package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Transpose sets x to the transposed convolution of y with w (the synthesis A y of a CSC layer): DefineTranspose, bit for
// bit. With stride s the pixels of x fall into s*s phases, each a plain product over the taps that reach it.
func Transpose[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry) {
	f := newForm("Transpose", x.Shape, w.Shape, y.Shape, g)
	set := kernel.Active[T]()
	s := f.codeWindow()
	phases := f.phases(s)
	lefts := gemm.Take[T](len(phases))
	defer gemm.Give(lefts)
	for i := range phases {
		packPhase(&lefts[i].Left, set, f, &phases[i], w.Data)
	}
	work := newWork[T](f.n, f.h*f.w, lefts[0].Left.Strips())
	defer work.done()
	for i := range phases {
		ph := &phases[i]
		for n := range work.group {
			ph.pixel = s.appendPixels(ph.pixel, n*s.size()+ph.base, ph.rows, ph.cols)
			ph.out = f.appendPhase(ph.out, ph, n)
		}
	}
	work.run(func(ws *gemm.Workspace[T], n0, n1, s0, s1 int) {
		staged := stageBatch(s, set, ws, y.Data[n0*f.m*f.ho*f.wo:], n1-n0)
		for i := range phases {
			ph := &phases[i]
			right := &columns[T]{set, staged, ph.tap, ph.pixel}
			target := gemm.Target[T]{Data: x.Data[n0*f.c*f.h*f.w:], RowStride: f.h * f.w, Cols: ph.out}
			lefts[i].Left.Multiply(s0, s1, right, 0, (n1-n0)*ph.rows*ph.cols, target, false, ws)
		}
	})
}

// codeWindow is the stage of y for Transpose: y with as many zeros around it as the taps reach.
func (f form) codeWindow() *stage {
	s := &stage{channels: f.m, height: f.ho, width: f.wo, step: 1, phases: [][2]int{{0, 0}}}
	s.origin = [2]int{f.p/f.s - (f.kh-1)*f.d/f.s, f.p/f.s - (f.kw-1)*f.d/f.s}
	s.rows = (f.h-1+f.p)/f.s - s.origin[0] + 1
	s.cols = (f.w-1+f.p)/f.s - s.origin[1] + 1
	return s
}

// phase is the part of x whose rows a share (a+p) mod s and whose columns b share (b+p) mod s.
type phase struct {
	row, col   int      // its first pixel in x
	rows, cols int      // its size
	base       int      // stage offset where its first pixel's taps start
	taps       [][2]int // the taps (u, v) that reach it, ascending
	tap        []int    // their stage offsets, for every m: the chain's order
	pixel, out []int    // for a group of images: stage offsets where each pixel's taps start, and its place in x
}

// phases lists the s*s phases of x. Pixel a = s*alpha + r - p of phase r meets tap u at y's row alpha - floor(u*d/s), if
// u*d = r (mod s).
func (f form) phases(s *stage) []phase {
	var list []phase
	for r := range f.s {
		for q := range f.s {
			ph := phase{row: (r + f.p*(f.s-1)) % f.s, col: (q + f.p*(f.s-1)) % f.s}
			ph.rows = max(0, (f.h-ph.row+f.s-1)/f.s)
			ph.cols = max(0, (f.w-ph.col+f.s-1)/f.s)
			reachU, reachV := (f.kh-1)*f.d/f.s, (f.kw-1)*f.d/f.s
			ph.base = ((ph.row+f.p)/f.s-s.origin[0]-reachU)*s.cols + (ph.col+f.p)/f.s - s.origin[1] - reachV
			var one []int
			for u := range f.kh {
				for v := range f.kw {
					if u*f.d%f.s == r && v*f.d%f.s == q {
						ph.taps = append(ph.taps, [2]int{u, v})
						one = append(one, (reachU-u*f.d/f.s)*s.cols+reachV-v*f.d/f.s)
					}
				}
			}
			for m := range f.m {
				for _, t := range one {
					ph.tap = append(ph.tap, m*s.planeSize()+t)
				}
			}
			list = append(list, ph)
		}
	}
	return list
}

// appendPhase appends the offsets in x of the phase's pixels, for image n of a group.
func (f form) appendPhase(out []int, ph *phase, n int) []int {
	for a := range ph.rows {
		for b := range ph.cols {
			out = append(out, n*f.c*f.h*f.w+(ph.row+a*f.s)*f.w+ph.col+b*f.s)
		}
	}
	return out
}

// packPhase packs the C x M*taps matrix of the phase's kernel elements.
func packPhase[T tensor.Float](left *gemm.Left[T], set *kernel.Set[T], f form, ph *phase, w []T) {
	area, n := f.kh*f.kw, len(ph.taps)
	left.Layout(set, f.c, len(ph.tap))
	offsets := gemm.Offsets(set.Tiles[0].Rows, area)
	fill := func(dst []T, stride, row, rows, p0, p1 int) { // of one m, or a part of it
		src := w[(p0/n*f.c+row)*area:]
		if n == area {
			set.Interleave(dst, stride, src[p0%n:], offsets[:rows], p1-p0)
			return
		}
		for k, t := range ph.taps[p0%n:][:p1-p0] {
			for i := range rows {
				dst[k*stride+i] = src[i*area+t[0]*f.kw+t[1]]
			}
		}
	}
	parallel.For((f.m+packRows-1)/packRows, func(_, block int) {
		for m := block * packRows; m < min((block+1)*packRows, f.m) && n > 0; m++ {
			left.PackRange(m*n, (m+1)*n, fill)
		}
	})
}

// packRows is the number of the kernel's rows m that one goroutine packs, one after the other so that they are read as they
// lie: what they fill of the packed operand, some cache lines for each strip, stays in the second-level cache.
const packRows = 16
