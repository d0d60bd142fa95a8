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

// stageImages stages channels c0..c1-1 of images; if bordered, their border of zeros is there already, other images having stood
// in the same place.
func stageImages[T tensor.Float](s *stage, set *kernel.Set[T], dst, src []T, images, c0, c1 int, bordered bool) {
	views := s.views()
	if s.side > 1 {
		if !bordered {
			clear(dst[c0*s.planeSize()*s.side : c1*s.planeSize()*s.side])
		}
		stageSideBySide(s, set, views, dst, src, images, c0, c1)
		return
	}
	rows := gemm.Offsets(s.rows, s.step*s.width)
	for n := range images {
		for c := c0; c < c1; c++ {
			at := n*s.size() + c*s.planeSize()
			plane := dst[at : at+s.planeSize()]
			if !bordered {
				clear(plane)
			}
			stagePlane(s, set, views, plane, src[n*s.imageStep+c*s.height*s.width:], rows)
		}
	}
}

// view is what a phase shows of an image: rows x cols pixels, from image row top and column first on, from place at on of a
// staged channel.
type view struct{ rows, cols, top, first, at int }

// views lists those of all phases that show anything.
func (s *stage) views() (list []view) {
	for i, phase := range s.phases {
		v := view{top: s.origin[0] + phase[0], first: s.origin[1] + phase[1]}
		r0, r1 := inRange(s.rows, s.height, v.top, s.step)
		q0, q1 := inRange(s.cols, s.width, v.first, s.step)
		v.rows, v.cols = r1-r0, q1-q0
		v.top, v.first = v.top+r0*s.step, v.first+q0*s.step
		v.at = (i*s.rows+r0)*s.cols + q0
		if v.rows > 0 && v.cols > 0 {
			list = append(list, v)
		}
	}
	return list
}

// stagePlane copies a channel (height, width) to dst; its rows, as many as a phase reads, lie at rows.
func stagePlane[T tensor.Float](s *stage, set *kernel.Set[T], views []view, dst, src []T, rows []int) {
	for _, v := range views {
		out, in, rows := dst[v.at:], src[v.top*s.width+v.first:], rows[:v.rows]
		switch s.step {
		case 1:
			set.Gather(out, s.cols, in, rows, v.cols)
		case 2:
			set.GatherAlternate(out, s.cols, in, rows, v.cols)
		default:
			for r, at := range rows {
				for q := range v.cols {
					out[r*s.cols+q] = in[at+q*s.step]
				}
			}
		}
	}
}

// stageSideBySide copies channels of images to dst so that element e of image n lies at e*side + n.
func stageSideBySide[T tensor.Float](s *stage, set *kernel.Set[T], views []view, dst, src []T, images, c0, c1 int) {
	batch := gemm.Offsets(images, s.imageStep)
	line := make([]T, s.width*s.side)
	for c := c0; c < c1; c++ {
		for _, v := range views {
			for r := range v.rows {
				out := dst[(c*s.planeSize()+v.at+r*s.cols)*s.side:]
				in := src[(c*s.height+v.top+r*s.step)*s.width+v.first:]
				if s.step == 1 {
					set.Interleave(out, s.side, in, batch, v.cols)
					continue
				}
				set.Interleave(line, s.side, in, batch, (v.cols-1)*s.step+1)
				for q := range v.cols {
					copy(out[q*s.side:][:images], line[q*s.step*s.side:])
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

// window is the stage of x for Forward: phases of the stride, only those that some tap reads. It lists the places of the taps.
func (f form) window(channels, side int) (s *stage, tap []int) {
	s = &stage{channels: channels, height: f.h, width: f.w, imageStep: channels * f.h * f.w, origin: [2]int{-f.ph, -f.pw}, step: f.s, side: side}
	s.rows = f.ho + (f.kh-1)*f.d/f.s
	s.cols = f.wo + (f.kw-1)*f.d/f.s
	read := func(kernel int) (phases []int, place []int) { // along an axis, and for each offset its place among them
		place = make([]int, f.s)
		for offset := range f.s {
			for k := range kernel {
				if k*f.d%f.s == offset {
					place[offset] = len(phases)
					phases = append(phases, offset)
					break
				}
			}
		}
		return phases, place
	}
	rowPhases, rowPlace := read(f.kh)
	colPhases, colPlace := read(f.kw)
	for _, r := range rowPhases {
		for _, q := range colPhases {
			s.phases = append(s.phases, [2]int{r, q})
		}
	}
	for c := range channels {
		for u := range f.kh {
			for v := range f.kw {
				phase := rowPlace[u*f.d%f.s]*len(colPhases) + colPlace[v*f.d%f.s]
				tap = append(tap, s.side*(c*s.planeSize()+(phase*s.rows+u*f.d/f.s)*s.cols+v*f.d/f.s))
			}
		}
	}
	return s, tap
}
