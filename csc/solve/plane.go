package solve

import (
	"sdref/internal/parallel"
)

// plane transforms real planes (H, W) to their spectra and back. The spectrum of a real plane is determined
// by its columns 0 to W/2; two rows are transformed at a time, as real and imaginary part, and batch such pairs, or
// columns, side by side: a line of the cache, and both buffers in the first level up to a side of 256.
type plane struct {
	height, width, half int // half = W/2 + 1: a spectrum is (H, half)
	rows, cols          *fourier
}

const batch = 4

func newPlane(height, width int) *plane {
	return &plane{height, width, width/2 + 1, newFourier(width), newFourier(height)}
}

// buffers is the scratch memory of a transform, and a plane (H, W) for its caller.
type buffers struct {
	x, work []complex128
	plane   []float64
}

func (p *plane) scratch() buffers {
	n := batch * max(p.height, p.width)
	return buffers{make([]complex128, n), make([]complex128, n), make([]float64, p.height*p.width)}
}

// pair is rows i and i+1 of x (H, n); the second is nil where there is none.
func pair[E any](x []E, i, n int) (first, second []E) {
	first = x[i*n : (i+1)*n]
	if (i+1)*n < len(x) {
		second = x[(i+1)*n : (i+2)*n]
	}
	return first, second
}

// forward sets s (H, half) to the spectrum of x (H, W).
func (p *plane) forward(s []complex128, x []float64, b buffers) {
	for i := 0; i < p.height; i += 2 * batch {
		pairs := min(batch, (p.height-i+1)/2)
		z := b.x[:p.width*pairs]
		for r := range pairs {
			first, second := pair(x, i+2*r, p.width)
			for j, v := range first {
				w := 0.0
				if second != nil {
					w = second[j]
				}
				z[j*pairs+r] = complex(v, w)
			}
		}
		p.rows.transform(z, b.work[:len(z)], pairs)
		for r := range pairs { // the spectrum of the first row alone is Hermitian, that of i times the second skew
			first, second := pair(s, i+2*r, p.half)
			for k := range first {
				v, o := z[k*pairs+r], z[(p.width-k)%p.width*pairs+r]
				first[k] = complex((real(v)+real(o))/2, (imag(v)-imag(o))/2)
				if second != nil {
					second[k] = complex((imag(v)+imag(o))/2, (real(o)-real(v))/2)
				}
			}
		}
	}
	p.columns(s, b, false)
}

// backward sets x to the plane with the spectrum s, which it overwrites. The inverse is the transform with real and imaginary parts
// exchanged before and after, divided by the number of elements.
func (p *plane) backward(x []float64, s []complex128, b buffers) {
	p.columns(s, b, true)
	scale := 1 / float64(p.height*p.width)
	for i := 0; i < p.height; i += 2 * batch {
		pairs := min(batch, (p.height-i+1)/2)
		z := b.x[:p.width*pairs]
		for r := range pairs {
			first, second := pair(s, i+2*r, p.half)
			for k, v := range first {
				w := complex128(0)
				if second != nil {
					w = second[k]
				}
				// first + i second, both Hermitian
				z[(p.width-k)%p.width*pairs+r] = complex(real(w)-imag(v), real(v)+imag(w))
				z[k*pairs+r] = complex(imag(v)+real(w), real(v)-imag(w))
			}
		}
		p.rows.transform(z, b.work[:len(z)], pairs)
		for r := range pairs {
			first, second := pair(x, i+2*r, p.width)
			for j := range first {
				v := z[j*pairs+r]
				first[j] = imag(v) * scale
				if second != nil {
					second[j] = real(v) * scale
				}
			}
		}
	}
}

// columns transforms the columns of a spectrum, with exchanged parts if asked for.
func (p *plane) columns(s []complex128, b buffers, exchanged bool) {
	for k := 0; k < p.half; k += batch {
		n := min(batch, p.half-k)
		z := b.x[:p.height*n]
		for i := range p.height {
			copy(z[i*n:(i+1)*n], s[i*p.half+k:])
		}
		exchange(z, exchanged)
		p.cols.transform(z, b.work[:len(z)], n)
		exchange(z, exchanged)
		for i := range p.height {
			copy(s[i*p.half+k:], z[i*n:(i+1)*n])
		}
	}
}

// exchange exchanges real and imaginary parts, if asked for.
func exchange(z []complex128, do bool) {
	if do {
		for i, v := range z {
			z[i] = complex(imag(v), real(v))
		}
	}
}

// size is the number of frequencies.
func (p *plane) size() int { return p.height * p.half }

// each does something to a number of planes, with scratch memory.
func (p *plane) each(planes int, do func(m int, b buffers)) {
	parallel.Ranges(planes, 1, func(lo, hi int) {
		b := p.scratch()
		for m := lo; m < hi; m++ {
			do(m, b)
		}
	})
}

// part is plane m of x, whose planes have n elements.
func part[E any](x []E, m, n int) []E { return x[m*n : (m+1)*n] }

// forwardAll transforms planes (M, H, W) to their spectra (M, H, half).
func (p *plane) forwardAll(s []complex128, x []float64) {
	p.each(len(x)/(p.height*p.width), func(m int, b buffers) {
		p.forward(part(s, m, p.size()), part(x, m, p.height*p.width), b)
	})
}
