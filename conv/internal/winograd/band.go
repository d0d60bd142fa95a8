package winograd

import (
	"sdref/conv/internal/form"
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// tiling is how the pixels of a batch of images are cut into tiles of 4x4. Rows of tiles are numbered through
// the batch.
type tiling struct{ rows, cols int } // tiles of an image

func newTiling(height, width int) tiling { return tiling{(height + 3) / 4, (width + 3) / 4} }

// bandBuffer describes a stage buffer for a band of an image's rows, with the channels as its last axis, the
// border of zeros that tiles read, and zeros up to a whole number of vectors of channels. A band is what a
// row of tiles reads. The next one lies 4 rows further down, so bands of 6 rows have 2 rows in common:
//
//	row      0  1  2  3  4  5  6  7  8  9
//	band 0   [              ]
//	band 1               [              ]
type bandBuffer[T kernel.Float] struct {
	set                     *kernel.Set[T]
	tiling                  tiling
	channels, height, width int   // of the image
	padding                 int   // zeros around the image; a negative padding cuts its border off
	side                    int   // of the square that a tile reads: 4 or 6
	cols                    int   // of a band
	pitch                   int   // elements of a pixel: the channels, rounded up to whole vectors
	planes                  []int // where the channels of the image lie
}

func newBandBuffer[T kernel.Float](set *kernel.Set[T], t tiling,
	channels, height, width, padding, side int) *bandBuffer[T] {
	return &bandBuffer[T]{
		set, t, channels, height, width, padding, side, 4*t.cols + side - 4,
		roundUp(channels, set.Lanes), gemm.Offsets(channels, height*width),
	}
}

// line is the number of elements of a row of the band.
func (s *bandBuffer[T]) line() int { return s.cols * s.pitch }

// size is the number of elements of the band.
func (s *bandBuffer[T]) size() int { return s.side * s.line() }

// eachTile fills band for rows of tiles r0..r1-1 of a batch, one after the other, and calls body with the
// number of every tile, counted from the first, and its place in the band.
func (s *bandBuffer[T]) eachTile(band, batch []T, r0, r1 int, body func(tile int, src []T)) {
	clear(band)
	image := s.channels * s.height * s.width
	for r := r0; r < r1; r++ {
		n, i := r/s.tiling.rows, r%s.tiling.rows
		known := 0 // rows that the band before contained
		if r > r0 && i > 0 {
			known = s.side - 4
			copy(band[:known*s.line()], band[4*s.line():])
		}
		s.fill(band, batch[n*image:(n+1)*image], 4*i-s.padding, known)
		for j := range s.tiling.cols {
			body((r-r0)*s.tiling.cols+j, band[4*j*s.pitch:])
		}
	}
}

// fill copies an image's rows from row top on to the band, of which the first known rows are there already.
func (s *bandBuffer[T]) fill(band, image []T, top, known int) {
	q0, q1 := form.InRange(s.cols, s.width, -s.padding, 1)
	for r := known; r < s.side; r++ {
		row := band[r*s.line() : (r+1)*s.line()]
		if at := top + r; at < 0 || at >= s.height || q0 == q1 {
			clear(row)
		} else {
			s.set.Interleave(row[q0*s.pitch:], s.pitch, image[at*s.width+q0-s.padding:], s.planes, q1-q0)
		}
	}
}

func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// skew is a number of elements added to steps that would often be powers of 2, which put all lines into a few
// sets of a cache.
const skew = 16

// allocator cuts scratch memory into arrays. Each begins at a multiple of a cache line from the first.
type allocator[T kernel.Float] struct{ rest []T }

// newAllocator makes room for arrays of the given sizes in the workspace.
func newAllocator[T kernel.Float](ws *gemm.Workspace[T], sizes ...int) *allocator[T] {
	total := 0
	for _, n := range sizes {
		total += roundUp(n, skew)
	}
	ws.Floats = gemm.Grow(ws.Floats, total)
	return &allocator[T]{ws.Floats}
}

func (c *allocator[T]) cut(n int) []T {
	s := c.rest[:n:n]
	c.rest = c.rest[roundUp(n, skew):]
	return s
}
