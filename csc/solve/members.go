package solve

import (
	"math"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// members is some elements of a code, in vectors as long as there are members, in the order of image, row,
// column, atom. So neighbours in the vectors are neighbours in the image, and what A* reads of the signal, and
// A writes to it, stays in the first-level cache.
type members[T tensor.Float] struct {
	list    *support[T] // the elements by atoms; its frame is the signal with room for every atom
	offsets []int32     // the place of each tap of an atom, from that of the first
	rows    []int32     // N Ho + 1: the number of members before those of a row of positions of an image
	places  []int32     // scratch memory of take: (Ho, Wo) + 1

	at     []int   // the place of each member in the code
	window []int   // the place of its atom's first tap in the frame
	atom   []int32 // the place of its atom in A.Atoms

	z, before, next []T // z_{k-1}, z_{k-2}, z_k of descent
}

// memberPiece is the number of members of one partial sum.
const memberPiece = 1 << 10

func newMembers[T tensor.Float](list *support[T]) *members[T] {
	s := &members[T]{list: list, rows: make([]int32, list.code[0]*list.code[2]+1),
		places: make([]int32, list.code[2]*list.code[3]+1)}
	w, height, width := list.a.Atoms.Shape, list.frame.Shape[2], list.frame.Shape[3]
	for c := range w[1] {
		for u := range w[2] {
			for v := range w[3] {
				s.offsets = append(s.offsets, int32((c*height+u)*width+v))
			}
		}
	}
	return s
}

// isSparse tells whether an iteration on what the list lists is faster than one on the whole code. It takes
// fewer elements the more channels there are, since these share the reading of a dense code.
func (s *members[T]) isSparse() bool {
	return s.list.total*4*min(s.list.signal[1]+1, 8) < tensor.Size(s.list.code)
}

// take makes what the list lists the members. Their codes are not set.
func (s *members[T]) take() {
	s.resize(s.list.total)
	code, width, stride := s.list.code, s.list.code[3], max(1, s.list.a.Geometry.Stride)
	frame, taps := s.list.frame.Shape, len(s.offsets)
	count := int32(0)
	for n := range code[0] {
		clear(s.places)
		s.list.each(n, func(_, i, j, _ int) { s.places[i*width+j+1]++ })
		s.places[0] = count
		for p := range len(s.places) - 1 {
			s.places[p+1] += s.places[p]
		}
		for i := range code[2] {
			s.rows[n*code[2]+i] = s.places[i*width]
		}
		count = s.places[len(s.places)-1]
		s.list.each(n, func(m, i, j, at int) { // atoms ascend, and so they do within a position
			k := s.places[i*width+j]
			s.places[i*width+j]++
			s.at[k], s.atom[k] = at, int32(m*taps)
			s.window[k] = (n*frame[1]*frame[2]+i*stride)*frame[3] + j*stride
		})
	}
	s.rows[len(s.rows)-1] = count
}

// resize makes room for a number of members.
func (s *members[T]) resize(count int) {
	s.at, s.window, s.atom = resized(s.at, count), resized(s.window, count), resized(s.atom, count)
	for _, v := range []*[]T{&s.z, &s.before, &s.next} {
		*v = resized(*v, count)
	}
}

// resized is a slice of so many elements, in v's memory if that is large enough.
func resized[E any](v []E, count int) []E {
	if cap(v) < count {
		v = make([]E, count+count/4)
	}
	return v[:count]
}

// get sets the members' codes to those of z and before.
func (s *members[T]) get(z, before *tensor.Tensor[T]) {
	for k, at := range s.at {
		s.z[k], s.before[k] = z.Data[at], before.Data[at]
	}
}

// put writes the members' codes to z and before.
func (s *members[T]) put(z, before *tensor.Tensor[T]) {
	for k, at := range s.at {
		z.Data[at], before.Data[at] = s.z[k], s.before[k]
	}
}

// step sets next = prox(y + t A*r), with y = z + beta (z - before), for the members of image n, and returns
// the sums. The frame holds r.
func (s *members[T]) step(n int, beta, t, scale, threshold T, nonnegative bool) (all stepSums) {
	height := s.list.code[2]
	first, last := int(s.rows[n*height]), int(s.rows[(n+1)*height])
	pieces(memberPiece, last-first, func(lo, hi int) (sums stepSums) {
		for k := first + lo; k < first+hi; k++ {
			z := s.z[k]
			y := z + T(beta*(z-s.before[k]))
			v := soft(T((y+T(t*s.correlation(k)))*scale), threshold, nonnegative)
			s.next[k] = v
			sums.add(float64(y), float64(z), float64(v))
			sums.worst = max(sums.worst, math.Abs(float64(v)-float64(y)))
		}
		return sums
	}, func(sums stepSums) { all.merge(sums) })
	return all
}

// analyze sets next to A*r.
func (s *members[T]) analyze(r *tensor.Tensor[T]) {
	s.list.load(r)
	parallel.Ranges(len(s.next), memberPiece, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			s.next[k] = s.correlation(k)
		}
	})
}

// correlation is the product of member k's atom with its window of the frame.
func (s *members[T]) correlation(k int) T {
	return correlate(s.list.frame.Data[s.window[k]:], s.list.a.Atoms.Data[s.atom[k]:][:len(s.offsets)], s.offsets)
}

// correlate is the sum of the taps' products with what stands at their offsets: four sums of every fourth
// product, added up.
func correlate[T tensor.Float](frame, taps []T, offsets []int32) T {
	var a, b, c, d T
	for len(taps) >= 4 && len(offsets) >= 4 {
		a += T(taps[0] * frame[offsets[0]])
		b += T(taps[1] * frame[offsets[1]])
		c += T(taps[2] * frame[offsets[2]])
		d += T(taps[3] * frame[offsets[3]])
		taps, offsets = taps[4:], offsets[4:]
	}
	for v, x := range taps {
		a += T(x * frame[offsets[v]])
	}
	return (a + b) + (c + d)
}

// synthesize sets x = A next. The frame is shared out in bands of rows; each of its elements is a sum over the
// members in their order.
func (s *members[T]) synthesize(x *tensor.Tensor[T]) {
	rows := s.list.frame.Shape[2]
	bands := (rows + bandRows - 1) / bandRows
	parallel.For(s.list.code[0]*bands, func(_, k int) {
		s.band(k/bands, k%bands*bandRows, min((k%bands+1)*bandRows, rows))
	})
	s.list.store(x)
}

// band fills rows lo to hi-1 of image n of the frame.
func (s *members[T]) band(n, lo, hi int) {
	w, frame, code := s.list.a.Atoms, s.list.frame, s.list.code
	channels, kh, kw := w.Shape[1], w.Shape[2], w.Shape[3]
	stride, height, width := max(1, s.list.a.Geometry.Stride), frame.Shape[2], frame.Shape[3]
	for c := range channels {
		clear(frame.Data[((n*channels+c)*height+lo)*width : ((n*channels+c)*height+hi)*width])
	}
	for i := max(0, (lo-kh+stride)/stride); i <= min(code[2]-1, (hi-1)/stride); i++ {
		first, parts := max(0, lo-i*stride)*kw, channels
		count := min(kh, hi-i*stride)*kw - first
		if count == kh*kw { // the channels' taps are side by side
			count, parts = channels*count, 1
		}
		for k := s.rows[n*code[2]+i]; k < s.rows[n*code[2]+i+1]; k++ {
			for c := range parts {
				if s.next[k] != 0 {
					tap := c*kh*kw + first
					taps := w.Data[int(s.atom[k])+tap:][:count]
					addTaps(frame.Data[s.window[k]:], taps, s.offsets[tap:][:count], s.next[k])
				}
			}
		}
	}
}

// addTaps adds value times the taps to what stands at their offsets.
func addTaps[T tensor.Float](frame, taps []T, offsets []int32, value T) {
	for v, x := range taps {
		frame[offsets[v]] += T(x * value)
	}
}
