package direct

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// stage describes an image copied to scratch memory so that every element that a contraction reads for output pixel q and
// tap k lies at pixel[q] + tap[k]: with its border of zeros, and cut into the phases of the stride, so that neighbouring
// pixels are neighbours in memory. Vectors of the column matrix can then be read from it. Small images are interleaved besides,
// element by element, so that the vectors run over images rather than over a few pixels.
type stage struct {
	channels, height, width int      // of the image
	imageStep               int      // elements from one image to the next
	origin                  [2]int   // image row and column of element (0, 0) of phase (0, 0)
	step                    [2]int   // image rows per row of the stage, and columns per column
	every                   [2]int   // rows and columns of the stage from one pixel that is computed to the next
	phases                  [][2]int // row and column offsets, 0 <= offset < step, in the order in which they lie
	rows, cols              int      // of one phase of one channel
	side                    int      // images that lie side by side, element by element: a vector of them, or 1
}

// sideBySide is the number of images to interleave, 1 if none: those of a vector or several, up to mostSideBySide, unless the pixels in a row
// are whole vectors. Of rows of at most shortRow pixels a large part meets the border, which can be spared if vectors run over images.
func sideBySide(cols, images, lanes int) int {
	if cols%lanes == 0 && cols > shortRow || images < lanes {
		return 1
	}
	share := (images + parallel.Workers(images) - 1) / parallel.Workers(images)
	return max(lanes, min(share, mostSideBySide)/lanes*lanes)
}

const (
	mostSideBySide = 16
	shortRow       = 8
)

// planeSize is the number of elements of a staged channel.
func (s *stage) planeSize() int { return len(s.phases) * s.rows * s.cols }

// size is the number of elements of a staged image.
func (s *stage) size() int { return s.channels * s.planeSize() }

// plain tells whether a stage would be nothing but a copy of the images.
func (s *stage) plain() bool {
	return s.side == 1 && s.rows == s.height && s.cols == s.width && s.origin == [2]int{} && s.step == [2]int{1, 1}
}

// pixel is where pixel (row, col) of those that are computed lies in a staged channel, counted from the first.
func (s *stage) pixel(row, col int) int { return row*s.every[0]*s.cols + col*s.every[1] }

// place is where element i of staged image n lies.
func (s *stage) place(n, i int) int {
	if s.side > 1 {
		return i*s.side + n
	}
	return n*s.size() + i
}

// stageImages stages channels c0..c1-1 of images; if bordered, their border of zeros is there already, other images having stood
// in the same place.
func stageImages[T kernel.Float](s *stage, set *kernel.Set[T], dst, src []T, images, c0, c1 int, bordered bool) {
	views := s.views()
	if s.side > 1 {
		if !bordered {
			clear(dst[c0*s.planeSize()*s.side : c1*s.planeSize()*s.side])
		}
		stageSideBySide(s, set, views, dst, src, images, c0, c1)
		return
	}
	rows := gemm.Offsets(s.rows, s.step[0]*s.width)
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
		r0, r1 := form.InRange(s.rows, s.height, v.top, s.step[0])
		q0, q1 := form.InRange(s.cols, s.width, v.first, s.step[1])
		v.rows, v.cols = r1-r0, q1-q0
		v.top, v.first = v.top+r0*s.step[0], v.first+q0*s.step[1]
		v.at = (i*s.rows+r0)*s.cols + q0
		if v.rows > 0 && v.cols > 0 {
			list = append(list, v)
		}
	}
	return list
}

// stagePlane copies a channel (height, width) to dst; its rows, as many as a phase reads, lie at rows.
func stagePlane[T kernel.Float](s *stage, set *kernel.Set[T], views []view, dst, src []T, rows []int) {
	for _, v := range views {
		out, in, rows := dst[v.at:], src[v.top*s.width+v.first:], rows[:v.rows]
		switch s.step[1] {
		case 1:
			set.Gather(out, s.cols, in, rows, v.cols)
		case 2:
			set.GatherAlternate(out, s.cols, in, rows, v.cols)
		default:
			for r, at := range rows {
				for q := range v.cols {
					out[r*s.cols+q] = in[at+q*s.step[1]]
				}
			}
		}
	}
}

// stageSideBySide copies channels of images to dst so that element e of image n lies at e*side + n. The vectors run over images,
// so no stride keeps pixels apart, and columns are not cut into phases.
func stageSideBySide[T kernel.Float](s *stage, set *kernel.Set[T], views []view, dst, src []T, images, c0, c1 int) {
	batch := gemm.Offsets(images, s.imageStep)
	for c := c0; c < c1; c++ {
		for _, v := range views {
			for r := range v.rows {
				out := dst[(c*s.planeSize()+v.at+r*s.cols)*s.side:]
				set.Interleave(out, s.side, src[(c*s.height+v.top+r*s.step[0])*s.width+v.first:], batch, v.cols)
			}
		}
	}
}

// newStage is a stage of so many channels of x, every step-th row and column of it.
func (f problem) newStage(channels, side int, step [2]int) *stage {
	return &stage{channels: channels, height: f.H, width: f.W, imageStep: f.C * f.H * f.W, origin: [2]int{-f.PH, -f.PW},
		step: step, every: [2]int{f.S / step[0], f.S / step[1]}, side: side}
}

// strides are the steps of a stage in which the pixels that one tap reads are neighbours. Where images lie side by side, those of a row
// need not be.
func (f problem) strides(side int) [2]int {
	if side > 1 {
		return [2]int{f.S, 1}
	}
	return [2]int{f.S, f.S}
}

// window is the stage of x for Forward: phases of the stride, only those that some tap reads. Along an axis without stride it
// may have no border. It tells where in a channel the element that a tap of pixel (0, 0) meets lies, or would lie.
func (f problem) window(side int, noRows, noCols bool) (s *stage, place func(u, v int) int) {
	s = f.newStage(f.C, side, f.strides(side))
	s.rows = f.Ho + (f.KH-1)*f.D/f.S
	s.cols = (f.Wo-1)*s.every[1] + (f.KW-1)*f.D/s.step[1] + 1
	border := [2]int{}
	if noRows && s.step[0] == 1 {
		s.origin[0], s.rows, border[0] = 0, f.H, f.PH
	}
	if noCols && s.step[1] == 1 {
		s.origin[1], s.cols, border[1] = 0, f.W, f.PW
	}
	read := func(kernel, step int) (phases []int, place []int) { // along an axis, and for each offset its place among them
		place = make([]int, step)
		for offset := range step {
			for k := range kernel {
				if k*f.D%step == offset {
					place[offset] = len(phases)
					phases = append(phases, offset)
					break
				}
			}
		}
		return phases, place
	}
	rowPhases, rowPlace := read(f.KH, s.step[0])
	colPhases, colPlace := read(f.KW, s.step[1])
	for _, r := range rowPhases {
		for _, q := range colPhases {
			s.phases = append(s.phases, [2]int{r, q})
		}
	}
	return s, func(u, v int) int {
		row, col := u*f.D, v*f.D
		phase := rowPlace[row%s.step[0]]*len(colPhases) + colPlace[col%s.step[1]]
		return (phase*s.rows+row/s.step[0]-border[0])*s.cols + col/s.step[1] - border[1]
	}
}
