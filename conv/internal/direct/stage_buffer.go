package direct

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// stageBuffer describes images copied to scratch memory so that every element that a contraction reads for
// output pixel q and tap k lies at pixel[q] + tap[k]: with their border of zeros, and cut into the phases of
// the stride, so that neighbouring pixels are neighbours in memory. The vectors of the im2col matrix can then
// be read from it. One row of 5 pixels for stride 2 and padding 1, where . is a zero:
//
//	image          x0 x1 x2 x3 x4
//	with border   . x0 x1 x2 x3 x4 .
//	phase 0       . x1 x3 .            tap 0 of pixels 0, 1, 2, and from the next element on tap 2
//	phase 1       x0 x2 x4 .           tap 1 of pixels 0, 1, 2
//
// Small images are interleaved besides, element by element, so that the vectors run over images rather than
// over a few pixels.
type stageBuffer struct {
	channels, height, width int    // of the image
	imageStep               int    // elements of the source from one image to the next
	origin                  [2]int // image row and column of element (0, 0) of phase (0, 0)
	step                    [2]int // image rows per row of the buffer, and image columns per column
	// pixelStep is the rows and columns of the buffer from one pixel that is computed to the next.
	pixelStep [2]int
	// phases are row and column offsets, 0 <= offset < step, in the order in memory.
	phases     [][2]int
	rows, cols int // of one phase of one channel
	// interleaved is the number of images that are interleaved element by element: one or more vectors of
	// them, or 1.
	interleaved int
}

// interleaving is the number of images to interleave, for rows of so many pixels: a vector of them or
// several, up to maxInterleaved, or 1 if the rows are whole vectors. Rows of at most shortRow pixels are
// interleaved even then: many of their links read the border, and these can be skipped if vectors run over
// images.
func interleaving(cols, images, lanes int, limit parallel.Limit) int {
	if cols%lanes == 0 && cols > shortRow || images < lanes {
		return 1
	}
	workers := limit.Workers(images)
	share := (images + workers - 1) / workers
	return max(lanes, min(share, maxInterleaved)/lanes*lanes)
}

const (
	maxInterleaved = 16 // images
	shortRow       = 8  // pixels
)

// planeSize is the number of elements of a channel in the buffer.
func (s *stageBuffer) planeSize() int { return len(s.phases) * s.rows * s.cols }

// size is the number of elements of an image in the buffer.
func (s *stageBuffer) size() int { return s.channels * s.planeSize() }

// isPlain tells whether the buffer would be nothing but a copy of the images.
func (s *stageBuffer) isPlain() bool {
	return s.interleaved == 1 && s.rows == s.height && s.cols == s.width && s.origin == [2]int{} &&
		s.step == [2]int{1, 1}
}

// pixelOffset is where pixel (row, col) of those that are computed lies in a channel, counted from the first.
func (s *stageBuffer) pixelOffset(row, col int) int {
	return row*s.pixelStep[0]*s.cols + col*s.pixelStep[1]
}

// imageOffset is where element i of image n lies.
func (s *stageBuffer) imageOffset(n, i int) int {
	if s.interleaved > 1 {
		return i*s.interleaved + n
	}
	return n*s.size() + i
}

// stageImages copies channels c0..c1-1 of images to the buffer dst; if bordered, their border of zeros is
// there already, other images having been in the same place.
func stageImages[T kernel.Float](s *stageBuffer, set *kernel.Set[T], dst, src []T, images, c0, c1 int,
	bordered bool) {
	views := s.views()
	if s.interleaved > 1 {
		if !bordered {
			clear(dst[c0*s.planeSize()*s.interleaved : c1*s.planeSize()*s.interleaved])
		}
		stageInterleaved(s, set, views, dst, src, images, c0, c1)
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

// view is the part of an image that a phase contains: rows x cols pixels, from image row top and column first
// on, which go to the channel's elements from at on.
type view struct{ rows, cols, top, first, at int }

// views lists those of all phases that contain any pixel.
func (s *stageBuffer) views() (list []view) {
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
func stagePlane[T kernel.Float](s *stageBuffer, set *kernel.Set[T], views []view, dst, src []T, rows []int) {
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

// stageInterleaved copies channels of images to dst so that element e of image n lies at e*interleaved + n.
// The vectors run over images, so a stride between the pixels of a row costs nothing, and columns are not cut
// into phases.
func stageInterleaved[T kernel.Float](s *stageBuffer, set *kernel.Set[T], views []view, dst, src []T,
	images, c0, c1 int) {
	batch := gemm.Offsets(images, s.imageStep)
	for c := c0; c < c1; c++ {
		for _, v := range views {
			for r := range v.rows {
				out := dst[(c*s.planeSize()+v.at+r*s.cols)*s.interleaved:]
				in := src[(c*s.height+v.top+r*s.step[0])*s.width+v.first:]
				set.Interleave(out, s.interleaved, in, batch, v.cols)
			}
		}
	}
}

// newBuffer is a stage buffer of so many channels of x, with every step[0]-th row and step[1]-th column of it
// in a phase.
func (f problem) newBuffer(channels, interleaved int, step [2]int) *stageBuffer {
	return &stageBuffer{
		channels: channels, height: f.H, width: f.W, imageStep: f.C * f.H * f.W, origin: [2]int{-f.PH, -f.PW},
		step: step, pixelStep: [2]int{f.S / step[0], f.S / step[1]}, interleaved: interleaved,
	}
}

// phaseSteps are the steps of a buffer in which the pixels that one tap reads are neighbours. Where images
// are interleaved, those of a row need not be.
func (f problem) phaseSteps(interleaved int) [2]int {
	if interleaved > 1 {
		return [2]int{f.S, 1}
	}
	return [2]int{f.S, f.S}
}

// forwardBuffer is the stage buffer of x for Forward: phases of the stride, only those that some tap reads.
// Along an axis without stride it may have no border. tapOffset tells where in a channel the element that a
// tap of pixel (0, 0) reads lies, or would lie.
func (f problem) forwardBuffer(interleaved int, noRows, noCols bool) (s *stageBuffer,
	tapOffset func(u, v int) int) {
	s = f.newBuffer(f.C, interleaved, f.phaseSteps(interleaved))
	s.rows = f.Ho + (f.KH-1)*f.D/f.S
	s.cols = (f.Wo-1)*s.pixelStep[1] + (f.KW-1)*f.D/s.step[1] + 1
	border := [2]int{}
	if noRows && s.step[0] == 1 {
		s.origin[0], s.rows, border[0] = 0, f.H, f.PH
	}
	if noCols && s.step[1] == 1 {
		s.origin[1], s.cols, border[1] = 0, f.W, f.PW
	}
	rowPhases, rowIndex := f.phasesRead(f.KH, s.step[0])
	colPhases, colIndex := f.phasesRead(f.KW, s.step[1])
	for _, r := range rowPhases {
		for _, q := range colPhases {
			s.phases = append(s.phases, [2]int{r, q})
		}
	}
	return s, func(u, v int) int {
		row, col := u*f.D, v*f.D
		phase := rowIndex[row%s.step[0]]*len(colPhases) + colIndex[col%s.step[1]]
		return (phase*s.rows+row/s.step[0]-border[0])*s.cols + col/s.step[1] - border[1]
	}
}

// phasesRead lists the phases, along an axis, that a kernel of so many taps reads, and for each phase its
// index in the list.
func (f problem) phasesRead(kernel, step int) (phases, index []int) {
	index = make([]int, step)
	for offset := range step {
		for k := range kernel {
			if k*f.D%step == offset {
				index[offset] = len(phases)
				phases = append(phases, offset)
				break
			}
		}
	}
	return phases, index
}
