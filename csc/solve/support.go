package solve

import (
	"slices"
	"sync/atomic"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// support lists the elements of a code that are not 0, and applies A and A* to those alone. It is for
// dictionaries without dilation. Its synthesis has the bits of the dense one: zeros are left out of each
// chain, and the rest keeps its order.
type support[T tensor.Float] struct {
	a      Dictionary[T]
	signal []int
	code   []int
	count  []int32           // the number of elements listed in each row (n, m, i) of the code
	column []int32           // the columns of row r's elements, ascending, from r*Wo on
	total  int               // the number of elements listed
	frame  *tensor.Tensor[T] // (N, C, (Ho-1)s+KH, (Wo-1)s+KW): the signal with room for every atom
}

// newSupport returns an empty support; nil for a dictionary with dilation.
func newSupport[T tensor.Float](a Dictionary[T], signal []int) *support[T] {
	if a.Geometry.Dilation > 1 {
		return nil
	}
	code, stride := a.CodeShape(signal), max(1, a.Geometry.Stride)
	return &support[T]{
		a: a, signal: signal, code: code,
		count: make([]int32, code[0]*code[1]*code[2]), column: make([]int32, tensor.Size(code)),
		frame: tensor.New[T](signal[0], signal[1], (code[2]-1)*stride+a.Atoms.Shape[2],
			(code[3]-1)*stride+a.Atoms.Shape[3]),
	}
}

// find lists the elements of z that are not 0.
func (s *support[T]) find(z *tensor.Tensor[T]) {
	width := s.code[3]
	var total atomic.Int64
	parallel.Ranges(len(s.count), max(1, tensor.Grain/width), func(lo, hi int) {
		sum := 0
		for r := lo; r < hi; r++ {
			n, columns := 0, s.column[r*width:(r+1)*width]
			for j, v := range z.Data[r*width : (r+1)*width] {
				if v != 0 {
					columns[n] = int32(j)
					n++
				}
			}
			s.count[r] = int32(n)
			sum += n
		}
		total.Add(int64(sum))
	})
	s.total = int(total.Load())
}

// isSparse tells whether going through the listed elements is faster than going through the whole code. It
// takes fewer elements the more channels there are, since these share the reading of a dense code.
func (s *support[T]) isSparse() bool {
	return s.total*8*min(s.signal[1], 8) < tensor.Size(s.code)
}

// row returns the listed columns of a row of the code, the offset of the row's elements in the code, and the
// row of the frame where their atoms begin.
func (s *support[T]) row(n, m, i int) (columns []int32, from, top int) {
	r := (n*s.code[1]+m)*s.code[2] + i
	from = r * s.code[3]
	return s.column[from : from+int(s.count[r])], from, i * max(1, s.a.Geometry.Stride)
}

// each calls do for each listed element of image n, at of the code, atom by atom in ascending order.
func (s *support[T]) each(n int, do func(m, i, j, at int)) {
	height, width := s.code[2], s.code[3]
	for r := n * s.code[1] * height; r < (n+1)*s.code[1]*height; r++ {
		for _, j := range s.column[r*width : r*width+int(s.count[r])] {
			do(r/height%s.code[1], r%height, int(j), r*width+int(j))
		}
	}
}

// bandRows is the number of the frame's rows that one goroutine fills at a time.
const bandRows = 32

// scatter sets the frame to the sum of the listed elements' atoms, weighted by z. The frame is shared out in
// bands of rows, so each of its elements is one chain over m and then the taps, as in conv.Transpose.
func (s *support[T]) scatter(z *tensor.Tensor[T]) {
	rows := s.frame.Shape[2]
	bands := (rows + bandRows - 1) / bandRows
	parallel.For(s.code[0]*bands, func(_, k int) {
		s.band(z, k/bands, k%bands*bandRows, min((k%bands+1)*bandRows, rows))
	})
}

// band fills rows lo to hi-1 of image n of the frame.
func (s *support[T]) band(z *tensor.Tensor[T], n, lo, hi int) {
	set, w := kernel.Active[T](), s.a.Atoms
	channels, kh, kw := w.Shape[1], w.Shape[2], w.Shape[3]
	stride, height, width := max(1, s.a.Geometry.Stride), s.frame.Shape[2], s.frame.Shape[3]
	image := s.frame.Row(n).Data
	for c := range channels {
		clear(image[(c*height+lo)*width : (c*height+hi)*width])
	}
	first, last := max(0, (lo-kh+stride)/stride), min(s.code[2]-1, (hi-1)/stride)
	for m := range s.code[1] {
		for i := last; i >= first; i-- { // descending, so that the taps ascend
			columns, from, top := s.row(n, m, i)
			for k := len(columns) - 1; k >= 0; k-- {
				left, value := int(columns[k])*stride, z.Data[from+int(columns[k])]
				for c := range channels {
					for u := max(0, lo-top); u < min(kh, hi-top); u++ {
						at, tap := (c*height+top+u)*width+left, ((m*channels+c)*kh+u)*kw
						set.AddScaled(image[at:at+kw], image[at:at+kw], w.Data[tap:tap+kw], value)
					}
				}
			}
		}
	}
}

// whole tells whether the frame is the signal, element by element.
func (s *support[T]) whole() bool {
	return s.a.Geometry.Padding == 0 && s.a.Boundary != CircularBoundary && slices.Equal(s.frame.Shape, s.signal)
}

// load copies the signal x to the frame.
func (s *support[T]) load(x *tensor.Tensor[T]) {
	if s.whole() {
		copy(s.frame.Data, x.Data)
		return
	}
	s.eachElement(func(frame, a int) {
		s.frame.Data[frame] = x.Data[a]
	}, func(frame int) { s.frame.Data[frame] = 0 })
}

// store sets x to the signal in the frame; on a torus, the parts beyond the borders are added where they wrap
// around.
func (s *support[T]) store(x *tensor.Tensor[T]) {
	if s.whole() {
		copy(x.Data, s.frame.Data)
		return
	}
	clear(x.Data)
	s.eachElement(func(frame, a int) { x.Data[a] += s.frame.Data[frame] }, func(int) {})
}

// eachElement calls both for each element of the frame that belongs to an element of the signal, and alone
// for the others.
func (s *support[T]) eachElement(both func(frame, signal int), alone func(frame int)) {
	height, width, p := s.signal[2], s.signal[3], s.a.Geometry.Padding
	fh, fw := s.frame.Shape[2], s.frame.Shape[3]
	parallel.Ranges(s.signal[0]*s.signal[1], max(1, tensor.Grain/(fh*fw)), func(lo, hi int) {
		for plane := lo; plane < hi; plane++ {
			for i := range fh {
				for j := range fw {
					a, b := i-p, j-p
					if s.a.Boundary == CircularBoundary {
						a, b = a%height, b%width
					}
					if at := (plane*fh+i)*fw + j; 0 <= a && a < height && 0 <= b && b < width {
						both(at, (plane*height+a)*width+b)
					} else {
						alone(at)
					}
				}
			}
		}
	})
}
