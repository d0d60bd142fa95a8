package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// stage describes an image copied to scratch memory so that every element that a contraction reads for output pixel q and
// tap k lies at pixel[q] + tap[k]: with its border of zeros, and cut into the phases of the stride, so that neighbouring
// pixels are neighbours in memory. A panel of the column matrix is then a set of short copies. Small images are interleaved
// instead, element by element, so that the copies run over images rather than over a few pixels.
type stage struct {
	channels, height, width int      // of the image
	origin                  [2]int   // image row and column of element (0, 0) of phase (0, 0)
	step                    int      // image rows per row of the stage
	phases                  [][2]int // row and column offsets, 0 <= offset < step, in the order in which they lie
	rows, cols              int      // of one phase of one channel
	side                    int      // images that lie side by side, element by element; 1: each image by itself
}

// size is the number of elements per image.
func (s *stage) size() int { return s.channels * s.planeSize() }

// narrowRow is the number of pixels in a row below which images are interleaved, if at least manyImages are in a group.
const narrowRow, manyImages = 8, 8

// sideBySide is the number of images to interleave where rows of pixels have the given length.
func sideBySide(cols, group int) int {
	if cols < narrowRow && group >= manyImages {
		return group
	}
	return 1
}

// planeSize is the number of elements per channel.
func (s *stage) planeSize() int { return len(s.phases) * s.rows * s.cols }

// stageBatch returns images staged one after the other or side by side, in memory of ws.
func stageBatch[T tensor.Float](s *stage, set *kernel.Set[T], ws *gemm.Workspace[T], src []T, images int) []T {
	ws.Floats = gemm.Grow(ws.Floats, max(images, s.side)*s.size())
	if s.side > 1 {
		stageSideBySide(s, set, ws.Floats, src, images)
		return ws.Floats
	}
	image := s.channels * s.height * s.width
	for n := range images {
		stageImage(s, set, ws.Floats[n*s.size():(n+1)*s.size()], src[n*image:(n+1)*image])
	}
	return ws.Floats
}

// view is what a phase shows of an image: stage rows r0..r1-1 and columns q0..q1-1, from image row top and column first on.
type view struct{ r0, r1, q0, q1, top, first int }

func (s *stage) view(phase [2]int) view {
	v := view{top: s.origin[0] + phase[0], first: s.origin[1] + phase[1]}
	v.r0, v.r1 = inRange(s.rows, s.height, v.top, s.step)
	v.q0, v.q1 = inRange(s.cols, s.width, v.first, s.step)
	v.top, v.first = v.top+v.r0*s.step, v.first+v.q0*s.step
	return v
}

// stageImage copies an image (channels, height, width) to dst. Row after row, a row is one copy from all channels.
func stageImage[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T) {
	clear(dst)
	channels := gemm.Offsets(s.channels, s.height*s.width)
	for i, phase := range s.phases {
		v := s.view(phase)
		for r := v.r0; r < v.r1 && v.q0 < v.q1; r++ {
			out := dst[(i*s.rows+r)*s.cols+v.q0:]
			in := src[(v.top+(r-v.r0)*s.step)*s.width+v.first:]
			if s.step == 1 {
				set.Gather(out, s.planeSize(), in, channels, v.q1-v.q0)
				continue
			}
			for c, at := range channels {
				pick(out[c*s.planeSize():][:v.q1-v.q0], in[at:], s.step)
			}
		}
	}
}

// stageSideBySide copies images to dst so that element e of image n lies at e*side + n.
func stageSideBySide[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T, images int) {
	clear(dst)
	batch := gemm.Offsets(images, s.channels*s.height*s.width)
	for i, phase := range s.phases {
		v := s.view(phase)
		for c := range s.channels {
			for r := v.r0; r < v.r1 && v.q0 < v.q1; r++ {
				out := dst[((c*len(s.phases)+i)*s.rows+r)*s.cols*s.side+v.q0*s.side:]
				in := src[(c*s.height+v.top+(r-v.r0)*s.step)*s.width+v.first:]
				if s.step == 1 {
					set.Interleave(out, s.side, in, batch, v.q1-v.q0)
					continue
				}
				for n, at := range batch {
					for q := range v.q1 - v.q0 {
						out[q*s.side+n] = in[at+q*s.step]
					}
				}
			}
		}
	}
}

// inRange returns the range of r in [0, n) for which 0 <= first + r*step < size.
func inRange(n, size, first, step int) (lo, hi int) {
	lo = min(n, max(0, (-first+step-1)/step))
	return lo, max(lo, min(n, (size-first+step-1)/step))
}

// pick sets dst[q] = src[q*step].
func pick[T tensor.Float](dst, src []T, step int) {
	for len(dst) >= 4 {
		d, s := dst[:4:4], src[:3*step+1]
		d[0], d[1], d[2], d[3] = s[0], s[step], s[2*step], s[3*step]
		dst, src = dst[4:], src[min(4*step, len(src)):]
	}
	for q := range dst {
		dst[q] = src[q*step]
	}
}

// window is the stage of x for Forward and Filter: phases of the stride, only those that some tap reads.
func (f form) window(channels, side int) (s *stage, tap []int) {
	s = &stage{channels: channels, height: f.h, width: f.w, origin: [2]int{-f.p, -f.p}, step: f.s, side: side}
	s.rows = f.ho + (f.kh-1)*f.d/f.s
	s.cols = f.wo + (f.kw-1)*f.d/f.s
	place := map[[2]int]int{}
	for u := range f.kh {
		for v := range f.kw {
			phase := [2]int{u * f.d % f.s, v * f.d % f.s}
			if _, known := place[phase]; !known {
				place[phase] = len(s.phases)
				s.phases = append(s.phases, phase)
			}
		}
	}
	for c := range channels {
		for u := range f.kh {
			for v := range f.kw {
				phase := place[[2]int{u * f.d % f.s, v * f.d % f.s}]
				tap = append(tap, s.side*(c*s.planeSize()+(phase*s.rows+u*f.d/f.s)*s.cols+v*f.d/f.s))
			}
		}
	}
	return s, tap
}

// lattice is the columns of a product: where each pixel's taps start in the stage, and where its result goes. Interleaved
// images follow each other at every pixel, others one after the other.
type lattice struct {
	pixel, out []int
	images     int
}

// lattice lists the pixels of images with rows x cols of them each, the first of which lies at base of an image's stage;
// image n's pixel (i, j) goes to out(n, i, j).
func (s *stage) lattice(images, base, rows, cols int, out func(n, i, j int) int) (l lattice) {
	l.images = images
	l.pixel, l.out = make([]int, 0, images*rows*cols), make([]int, 0, images*rows*cols)
	outer, inner := images, 1
	if s.side > 1 {
		outer, inner = 1, images
	}
	for m := range outer {
		for i := range rows {
			for j := range cols {
				for n := range inner {
					l.pixel = append(l.pixel, m*s.size()+(base+i*s.cols+j)*s.side+n)
					l.out = append(l.out, out(m+n, i, j))
				}
			}
		}
	}
	return l
}

// columns is the column matrix (taps, pixels) as a right operand.
type columns[T tensor.Float] struct {
	set        *kernel.Set[T]
	staged     []T
	tap, pixel []int
}

func (o *columns[T]) Panel(dst []T, stride, col, cols, p0, p1 int) {
	for j := 0; j < cols; {
		n := run(o.pixel[col+j : col+cols])
		o.set.Gather(dst[j:], stride, o.staged[o.pixel[col+j]:], o.tap[p0:p1], n)
		j += n
	}
}

// rows is the transposed column matrix (pixels, taps) as a right operand.
type rows[T tensor.Float] struct {
	set        *kernel.Set[T]
	staged     []T
	tap, pixel []int
}

func (o *rows[T]) Panel(dst []T, stride, col, cols, p0, p1 int) {
	for p := p0; p < p1; {
		n := run(o.pixel[p:p1])
		o.set.Interleave(dst[(p-p0)*stride:], stride, o.staged[o.pixel[p]:], o.tap[col:col+cols], n)
		p += n
	}
}

// run is the number of leading offsets that follow each other without a gap.
func run(offsets []int) int {
	n := 1
	for n < len(offsets) && offsets[n] == offsets[0]+n {
		n++
	}
	return n
}
