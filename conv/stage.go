package conv

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// stage describes an image copied to scratch memory so that every element that a contraction reads for output pixel q and
// tap k lies at pixel[q] + tap[k]: with its border of zeros, and cut into the phases of the stride, so that neighbouring
// pixels are neighbours in memory. Vectors of the column matrix can then be read from it. Small images are interleaved besides,
// element by element, so that the vectors run over images rather than over a few pixels.
type stage struct {
	channels, height, width int      // of the image
	imageStep               int      // elements from one image to the next
	origin                  [2]int   // image row and column of element (0, 0) of phase (0, 0)
	step                    int      // image rows per row of the stage
	phases                  [][2]int // row and column offsets, 0 <= offset < step, in the order in which they lie
	rows, cols              int      // of one phase of one channel
	side                    int      // images that lie side by side, element by element: a vector of them, or 1
}

// sideBySide is the number of images to interleave: a vector of them if there are as many and a row of pixels is no whole
// number of vectors, else 1.
func sideBySide(cols, images, lanes int) int {
	if cols%lanes != 0 && images >= lanes {
		return lanes
	}
	return 1
}

// planeSize is the number of elements of a staged channel.
func (s *stage) planeSize() int { return len(s.phases) * s.rows * s.cols }

// size is the number of elements of a staged image.
func (s *stage) size() int { return s.channels * s.planeSize() }

// place is where element i of staged image n lies.
func (s *stage) place(n, i int) int {
	if s.side > 1 {
		return i*s.side + n
	}
	return n*s.size() + i
}

// stageImages stages channels c0..c1-1 of images.
func stageImages[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T, images, c0, c1 int) {
	if s.side > 1 {
		stageSideBySide(s, set, dst, src, images, c0, c1)
		return
	}
	rows := gemm.Offsets(s.height, s.width)
	for n := range images {
		for c := c0; c < c1; c++ {
			at := n*s.size() + c*s.planeSize()
			stagePlane(s, set, dst[at:at+s.planeSize()], src[n*s.imageStep+c*s.height*s.width:], rows)
		}
	}
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

// stagePlane copies a channel (height, width) to dst.
func stagePlane[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T, rows []int) {
	clear(dst)
	for i, phase := range s.phases {
		v := s.view(phase)
		if v.r0 == v.r1 || v.q0 == v.q1 {
			continue
		}
		out, in := dst[(i*s.rows+v.r0)*s.cols+v.q0:], src[v.top*s.width+v.first:]
		if s.step == 1 {
			set.Gather(out, s.cols, in, rows[:v.r1-v.r0], v.q1-v.q0)
			continue
		}
		for r := range v.r1 - v.r0 {
			pick(out[r*s.cols:][:v.q1-v.q0], in[r*s.step*s.width:], s.step)
		}
	}
}

// stageSideBySide copies channels of images to dst so that element e of image n lies at e*side + n.
func stageSideBySide[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T, images, c0, c1 int) {
	clear(dst[c0*s.planeSize()*s.side : c1*s.planeSize()*s.side])
	batch := gemm.Offsets(images, s.imageStep)
	for i, phase := range s.phases {
		v := s.view(phase)
		for c := c0; c < c1; c++ {
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

// window is the stage of x for Forward: phases of the stride, only those that some tap reads. It lists the places of the taps.
func (f form) window(channels, side int) (s *stage, tap []int) {
	s = &stage{channels: channels, height: f.h, width: f.w, imageStep: channels * f.h * f.w, origin: [2]int{-f.p, -f.p}, step: f.s, side: side}
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
