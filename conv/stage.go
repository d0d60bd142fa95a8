package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// stage describes an image copied to scratch memory so that every element that a contraction reads for output pixel q and
// tap k lies at pixel[q] + tap[k]: with its border of zeros, and cut into the phases of the stride, so that neighbouring
// pixels are neighbours in memory. A panel of the column matrix is then a set of short copies.
type stage struct {
	channels, height, width int      // of the image
	origin                  [2]int   // image row and column of element (0, 0) of phase (0, 0)
	step                    int      // image rows per row of the stage
	phases                  [][2]int // row and column offsets, 0 <= offset < step, in the order in which they lie
	rows, cols              int      // of one phase of one channel
}

// size is the number of elements per image.
func (s *stage) size() int { return s.channels * s.planeSize() }

// planeSize is the number of elements per channel.
func (s *stage) planeSize() int { return len(s.phases) * s.rows * s.cols }

// stageBatch returns images staged one after the other, in memory of ws.
func stageBatch[T tensor.Float](s *stage, set *kernel.Set[T], ws *gemm.Workspace[T], src []T, images int) []T {
	ws.Floats = gemm.Grow(ws.Floats, images*s.size())
	image := s.channels * s.height * s.width
	for n := range images {
		stageImage(s, set, ws.Floats[n*s.size():(n+1)*s.size()], src[n*image:(n+1)*image])
	}
	return ws.Floats
}

// stageImage copies an image (channels, height, width) to dst.
func stageImage[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T) {
	clear(dst[:s.size()])
	var rows []int // offsets of the image rows that a phase shows
	for i, phase := range s.phases {
		top, first := s.origin[0]+phase[0], s.origin[1]+phase[1]
		r0, r1 := inRange(s.rows, s.height, top, s.step)
		q0, q1 := inRange(s.cols, s.width, first, s.step)
		if r0 >= r1 || q0 >= q1 {
			continue
		}
		rows = rows[:0]
		for r := r0; r < r1; r++ {
			rows = append(rows, (top+r*s.step)*s.width+first+q0*s.step)
		}
		for c := range s.channels {
			out := dst[(c*len(s.phases)+i)*s.rows*s.cols+r0*s.cols+q0:]
			image := src[c*s.height*s.width : (c+1)*s.height*s.width]
			if s.step == 1 {
				set.Gather(out, s.cols, image, rows, q1-q0)
				continue
			}
			for r, at := range rows {
				pick(out[r*s.cols:r*s.cols+q1-q0], image[at:], s.step)
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
func (f form) window(channels int) (s *stage, tap []int) {
	s = &stage{channels: channels, height: f.h, width: f.w, origin: [2]int{-f.p, -f.p}, step: f.s}
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
				tap = append(tap, c*s.planeSize()+(phase*s.rows+u*f.d/f.s)*s.cols+v*f.d/f.s)
			}
		}
	}
	return s, tap
}

// appendPixels appends the offsets of a rows x cols lattice whose first element lies at base in a stage.
func (s *stage) appendPixels(pixel []int, base, rows, cols int) []int {
	for i := range rows {
		for j := range cols {
			pixel = append(pixel, base+i*s.cols+j)
		}
	}
	return pixel
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
