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
	if g.Algorithm == Winograd && f.suitsWinograd() {
		winogradTranspose(f, x.Data, y.Data, w.Data)
		return
	}
	set := kernel.Active[T]()
	phases := f.phases()
	lefts := gemm.Take[T](len(phases))
	defer gemm.Give(lefts)
	for i := range phases {
		packPhase(&lefts[i].Left, set, f, &phases[i], w.Data)
	}
	work := newWork[T](f.n, f.h*f.w, lefts[0].Left.Strips(), set.Cols)
	defer work.done()
	s := f.codeWindow(sideBySide((f.w+f.s-1)/f.s, work.group))
	for i := range phases {
		f.stagePhase(s, &phases[i], work.group)
	}
	work.run(func(ws *gemm.Workspace[T], n0, n1, s0, s1 int) {
		staged := stageBatch(s, set, ws, y.Data[n0*f.m*f.ho*f.wo:], n1-n0)
		for i := range phases {
			ph := &phases[i]
			l := ph.full
			if n1-n0 < work.group {
				l = f.phaseLattice(s, ph, n1-n0)
			}
			multiply(&lefts[i].Left, s0, s1, &columns[T]{set, staged, ph.tap, l.pixel}, l, s.side, x.Data[n0*f.c*f.h*f.w:], f.h*f.w, ws)
		}
	})
}

// codeWindow is the stage of y for Transpose: y with as many zeros around it as the taps reach.
func (f form) codeWindow(side int) *stage {
	s := &stage{channels: f.m, height: f.ho, width: f.wo, step: 1, phases: [][2]int{{0, 0}}, side: side}
	rows, cols := f.reach()
	s.origin = [2]int{f.p/f.s - rows, f.p/f.s - cols}
	s.rows = (f.h-1+f.p)/f.s - s.origin[0] + 1
	s.cols = (f.w-1+f.p)/f.s - s.origin[1] + 1
	return s
}

// phase is the part of x whose rows a share (a+p) mod s and whose columns b share (b+p) mod s.
type phase struct {
	row, col   int      // its first pixel in x
	rows, cols int      // its size
	taps       [][2]int // the taps (u, v) that reach it, ascending
	tap        []int    // their stage offsets, for every m: the chain's order
	full       lattice  // its pixels in a full group of images
}

// phases lists the s*s phases of x and the taps that reach each: pixel a = s*alpha + r - p of phase r meets tap u at y's row
// alpha - floor(u*d/s), if u*d = r (mod s).
func (f form) phases() []phase {
	var list []phase
	for r := range f.s {
		for q := range f.s {
			ph := phase{row: (r + f.p*(f.s-1)) % f.s, col: (q + f.p*(f.s-1)) % f.s}
			ph.rows = max(0, (f.h-ph.row+f.s-1)/f.s)
			ph.cols = max(0, (f.w-ph.col+f.s-1)/f.s)
			for u := range f.kh {
				for v := range f.kw {
					if u*f.d%f.s == r && v*f.d%f.s == q {
						ph.taps = append(ph.taps, [2]int{u, v})
					}
				}
			}
			list = append(list, ph)
		}
	}
	return list
}

// reach is how many rows and columns of y the taps span beyond the first.
func (f form) reach() (rows, cols int) { return (f.kh - 1) * f.d / f.s, (f.kw - 1) * f.d / f.s }

// stagePhase sets the phase's stage offsets.
func (f form) stagePhase(s *stage, ph *phase, group int) {
	rows, cols := f.reach()
	for m := range f.m {
		for _, t := range ph.taps {
			ph.tap = append(ph.tap, s.side*(m*s.planeSize()+(rows-t[0]*f.d/f.s)*s.cols+cols-t[1]*f.d/f.s))
		}
	}
	ph.full = f.phaseLattice(s, ph, group)
}

// phaseLattice lists the phase's pixels in a group of images.
func (f form) phaseLattice(s *stage, ph *phase, images int) lattice {
	rows, cols := f.reach()
	base := ((ph.row+f.p)/f.s-s.origin[0]-rows)*s.cols + (ph.col+f.p)/f.s - s.origin[1] - cols
	return s.lattice(images, base, ph.rows, ph.cols, func(n, a, b int) int {
		return n*f.c*f.h*f.w + (ph.row+a*f.s)*f.w + ph.col + b*f.s
	})
}

// packPhase packs the C x M*taps matrix of the phase's kernel elements.
func packPhase[T tensor.Float](left *gemm.Left[T], set *kernel.Set[T], f form, ph *phase, w []T) {
	area, n := f.kh*f.kw, len(ph.taps)
	left.Layout(set, f.c, f.m*n)
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
