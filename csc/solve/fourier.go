package solve

import "sdref/internal/elementary"

// fourier is the discrete Fourier transform of one length,
//
//	X[k] = sum over j of x[j] e^(-2 pi i j k/n) ,
//
// by Stockham's algorithm, with one pass for each prime factor of n; 4 counts as a prime. Every operation is rounded on its own, so
// that the compiler cannot fuse any. A batch of transforms is done side by side, element j of all of them before element j+1, so
// that inner loops run through memory.
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

// transform replaces each of a batch of x (n, batch) by its transform. work is as long.
func (f *fourier) transform(x, work []complex128, batch int) {
	from, to := x, work
	length, turn := f.n, 1
	for _, p := range f.factors {
		length /= p
		switch p {
		case 2:
			f.pass2(from, to, length, turn, batch*turn)
		case 4:
			f.pass4(from, to, length, turn, batch*turn)
		default:
			f.pass(p, from, to, length, turn, batch*turn)
		}
		from, to = to, from
		turn *= p
	}
	if len(f.factors)%2 == 1 {
		copy(x, work)
	}
}

// times is a (c - i s), c and s being the cosine and the sine of a turn.
func times(a complex128, c, s float64) complex128 {
	re, im := real(a), imag(a)
	return complex(float64(re*c)+float64(im*s), float64(im*c)-float64(re*s))
}

// pass is the pass for a factor p: element (j, q) of the sub-transforms, q < stride, is combined with those
// length further on. The twiddle factors are turns by multiples of turn/n.
func (f *fourier) pass(p int, from, to []complex128, length, turn, stride int) {
	for j := range length {
		for k := range p {
			for q := range stride {
				sum := complex128(0)
				for l := range p { // e^(-2 pi i l k/p)
					t := l * k % p * (f.n / p)
					sum += times(from[q+stride*(j+length*l)], f.cos[t], f.sin[t])
				}
				t := j * k * turn
				to[q+stride*(p*j+k)] = times(sum, f.cos[t], f.sin[t])
			}
		}
	}
}

// line is the elements of x for one j and all q.
func line(x []complex128, j, stride int) []complex128 { return x[j*stride:][:stride] }

// pass2 is pass for 2.
func (f *fourier) pass2(from, to []complex128, length, turn, stride int) {
	for j := range length {
		cos, sin := f.cos[j*turn], f.sin[j*turn]
		a, b := line(from, j, stride), line(from, j+length, stride)
		to0, to1 := line(to, 2*j, stride), line(to, 2*j+1, stride)
		for q := range a {
			to0[q], to1[q] = a[q]+b[q], times(a[q]-b[q], cos, sin)
		}
	}
}

// pass4 is pass for 4. Without turns, which j = 0 is and so all of the last pass, nothing is multiplied.
func (f *fourier) pass4(from, to []complex128, length, turn, stride int) {
	for j := range length {
		a, b := line(from, j, stride), line(from, j+length, stride)
		c, d := line(from, j+2*length, stride), line(from, j+3*length, stride)
		to0, to1 := line(to, 4*j, stride), line(to, 4*j+1, stride)
		to2, to3 := line(to, 4*j+2, stride), line(to, 4*j+3, stride)
		if j == 0 {
			for q := range a {
				even, odd, ac, bd := a[q]+c[q], b[q]+d[q], a[q]-c[q], b[q]-d[q]
				to0[q], to2[q] = even+odd, even-odd
				to1[q] = complex(real(ac)+imag(bd), imag(ac)-real(bd))
				to3[q] = complex(real(ac)-imag(bd), imag(ac)+real(bd))
			}
			continue
		}
		c1, s1 := f.cos[j*turn], f.sin[j*turn]
		c2, s2 := f.cos[2*j*turn], f.sin[2*j*turn]
		c3, s3 := f.cos[3*j*turn], f.sin[3*j*turn]
		for q := range a {
			even, odd, ac, bd := a[q]+c[q], b[q]+d[q], a[q]-c[q], b[q]-d[q]
			to0[q] = even + odd
			to1[q] = times(complex(real(ac)+imag(bd), imag(ac)-real(bd)), c1, s1)
			to2[q] = times(even-odd, c2, s2)
			to3[q] = times(complex(real(ac)-imag(bd), imag(ac)+real(bd)), c3, s3)
		}
	}
}
