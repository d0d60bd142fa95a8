package conv

import (
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

// stageImage copies an image (channels, height, width) to dst.
func stageImage[T tensor.Float](s *stage, dst, src []T) {
	for c := range s.channels {
		image := src[c*s.height*s.width : (c+1)*s.height*s.width]
		for _, phase := range s.phases {
			for r := range s.rows {
				row := dst[:s.cols]
				dst = dst[s.cols:]
				a := s.origin[0] + r*s.step + phase[0]
				if a < 0 || a >= s.height {
					clear(row)
					continue
				}
				stageRow(row, image[a*s.width:(a+1)*s.width], s.origin[1]+phase[1], s.step)
			}
		}
	}
}

// stageRow sets dst[q] = src[first + q*step], 0 outside.
func stageRow[T tensor.Float](dst, src []T, first, step int) {
	lo := min(len(dst), max(0, (-first+step-1)/step))
	hi := max(lo, min(len(dst), (len(src)-first+step-1)/step))
	for q := range dst[:lo] { // mostly a single element
		dst[q] = 0
	}
	for q := hi; q < len(dst); q++ {
		dst[q] = 0
	}
	if step == 1 {
		copy(dst[lo:hi], src[first+lo:])
		return
	}
	at := first + lo*step
	for q := range dst[lo:hi] {
		dst[lo+q] = src[at]
		at += step
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
