package solve

import "sdref/internal/elementary"

// fourier is the discrete Fourier transform of one length,
//
//	X[k] = sum over j of x[j] e^(-2 pi i j k/n) ,
//
// by Stockham's algorithm, with one pass for each prime factor of n; 4 counts as a prime. Real and imaginary
// parts are separate slices, and every operation is rounded on its own, so that the compiler cannot fuse any.
type fourier struct {
	n        int
	factors  []int
	cos, sin []float64 // of 2 pi j/n
}

func newFourier(n int) *fourier {
	f := &fourier{n: n}
	for rest, p := n, 4; rest > 1; {
		switch {
		case rest%p == 0:
			f.factors = append(f.factors, p)
			rest /= p
		case p == 4:
			p = 2
		case p == 2:
			p = 3
		default:
			p += 2
		}
	}
	for j := range n { // by symmetry from the first eighth, so that quarter turns are exact
		c, s := turn(j, n)
		f.cos, f.sin = append(f.cos, c), append(f.sin, s)
	}
	return f
}

const twoPi = 6.283185307179586476925286766559

// turn is the cosine and the sine of j/n of a full turn, 0 <= j < n.
func turn(j, n int) (c, s float64) {
	switch {
	case 8*j > 4*n:
		c, s = turn(n-j, n)
		return c, -s
	case 4*j > n:
		c, s = turnEighths(2*n-4*j, 4*n)
		return -c, s
	}
	return turnEighths(4*j, 4*n)
}

// turnEighths is turn for at most a quarter of a turn.
func turnEighths(j, n int) (c, s float64) {
	if 8*j > n {
		a := twoPi * (float64(n)/4 - float64(j)) / float64(n)
		return elementary.Sin(a), elementary.Cos(a)
	}
	a := twoPi * float64(j) / float64(n)
	return elementary.Cos(a), elementary.Sin(a)
}

// transform replaces re + i im by its transform; with back, by n times the inverse transform. The work slices
// are as long.
func (f *fourier) transform(re, im, workRe, workIm []float64, back bool) {
	if back { // the inverse is the transform with real and imaginary parts exchanged
		re, im, workRe, workIm = im, re, workIm, workRe
	}
	fromRe, fromIm, toRe, toIm := re, im, workRe, workIm
	length, stride := f.n, 1
	for _, p := range f.factors {
		length /= p
		switch p {
		case 2:
			f.pass2(fromRe, fromIm, toRe, toIm, length, stride)
		case 4:
			f.pass4(fromRe, fromIm, toRe, toIm, length, stride)
		default:
			f.pass(p, fromRe, fromIm, toRe, toIm, length, stride)
		}
		fromRe, fromIm, toRe, toIm = toRe, toIm, fromRe, fromIm
		stride *= p
	}
	if len(f.factors)%2 == 1 {
		copy(re, workRe)
		copy(im, workIm)
	}
}

// times is (a + i b)(c - i s), c and s being the cosine and the sine of a turn.
func times(a, b, c, s float64) (re, im float64) {
	return float64(a*c) + float64(b*s), float64(b*c) - float64(a*s)
}

// pass is the pass for a factor p: element (j, q) of the sub-transforms, q < stride, is combined with those
// length further on.
func (f *fourier) pass(p int, fromRe, fromIm, toRe, toIm []float64, length, stride int) {
	for j := range length {
		for k := range p {
			for q := range stride {
				sumRe, sumIm := 0.0, 0.0
				for l := range p { // e^(-2 pi i l k/p)
					at, turn := q+stride*(j+length*l), l*k%p*(f.n/p)
					re, im := times(fromRe[at], fromIm[at], f.cos[turn], f.sin[turn])
					sumRe, sumIm = sumRe+re, sumIm+im
				}
				turn := j * k * stride
				at := q + stride*(p*j+k)
				toRe[at], toIm[at] = times(sumRe, sumIm, f.cos[turn], f.sin[turn])
			}
		}
	}
}

// pass2 is pass for 2.
func (f *fourier) pass2(fromRe, fromIm, toRe, toIm []float64, length, stride int) {
	for j := range length {
		c, s := f.cos[j*stride], f.sin[j*stride]
		for q := range stride {
			a, b, to := q+stride*j, q+stride*(j+length), q+stride*2*j
			re, im := fromRe[a]-fromRe[b], fromIm[a]-fromIm[b]
			toRe[to], toIm[to] = fromRe[a]+fromRe[b], fromIm[a]+fromIm[b]
			toRe[to+stride], toIm[to+stride] = times(re, im, c, s)
		}
	}
}

// pass4 is pass for 4.
func (f *fourier) pass4(fromRe, fromIm, toRe, toIm []float64, length, stride int) {
	for j := range length {
		c1, s1 := f.cos[j*stride], f.sin[j*stride]
		c2, s2 := f.cos[2*j*stride], f.sin[2*j*stride]
		c3, s3 := f.cos[3*j*stride], f.sin[3*j*stride]
		for q := range stride {
			a := q + stride*j
			b, c, d := a+stride*length, a+stride*2*length, a+stride*3*length
			evenRe, evenIm := fromRe[a]+fromRe[c], fromIm[a]+fromIm[c]
			oddRe, oddIm := fromRe[b]+fromRe[d], fromIm[b]+fromIm[d]
			acRe, acIm := fromRe[a]-fromRe[c], fromIm[a]-fromIm[c]
			bdRe, bdIm := fromRe[b]-fromRe[d], fromIm[b]-fromIm[d]
			to := q + stride*4*j
			toRe[to], toIm[to] = evenRe+oddRe, evenIm+oddIm
			toRe[to+stride], toIm[to+stride] = times(acRe+bdIm, acIm-bdRe, c1, s1)
			toRe[to+2*stride], toIm[to+2*stride] = times(evenRe-oddRe, evenIm-oddIm, c2, s2)
			toRe[to+3*stride], toIm[to+3*stride] = times(acRe-bdIm, acIm+bdRe, c3, s3)
		}
	}
}
