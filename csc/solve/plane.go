package solve

import (
	"sdref/internal/parallel"
)

// plane transforms real planes (H, W) to their spectra and back. The spectrum of a real plane is determined
// by its columns 0 to W/2; two rows are transformed at a time, as real and imaginary part.
type plane struct {
	height, width, half int // half = W/2 + 1: a spectrum is (H, half)
	rows, cols          *fourier
}

func newPlane(height, width int) *plane {
	return &plane{height, width, width/2 + 1, newFourier(width), newFourier(height)}
}

// scratch returns the scratch memory of a transform.
func (p *plane) scratch() []float64 { return make([]float64, 4*max(p.height, p.width)) }

// parts cuts scratch into four slices of n elements.
func parts(scratch []float64, n int) (a, b, c, d []float64) {
	return scratch[:n], scratch[n : 2*n], scratch[2*n : 3*n], scratch[3*n : 4*n]
}

// forward sets re + i im (H, half) to the spectrum of x (H, W).
func (p *plane) forward(re, im, x, scratch []float64) {
	a, b, wa, wb := parts(scratch, p.width)
	for i := 0; i < p.height; i += 2 {
		copy(a, x[i*p.width:])
		if clear(b); i+1 < p.height {
			copy(b, x[(i+1)*p.width:])
		}
		p.rows.transform(a, b, wa, wb, false)
		for k := range p.half { // the spectrum of a alone is Hermitian, that of i b skew
			o, at := (p.width-k)%p.width, i*p.half+k
			re[at], im[at] = (a[k]+a[o])/2, (b[k]-b[o])/2
			if i+1 < p.height {
				re[at+p.half], im[at+p.half] = (b[k]+b[o])/2, (a[o]-a[k])/2
			}
		}
	}
	p.columns(re, im, scratch, false)
}

// backward sets x to the plane with the spectrum re + i im, which it overwrites.
func (p *plane) backward(x, re, im, scratch []float64) {
	p.columns(re, im, scratch, true)
	a, b, wa, wb := parts(scratch, p.width)
	scale := 1 / float64(p.height*p.width)
	for i := 0; i < p.height; i += 2 {
		for k := range p.half {
			at, o := i*p.half+k, (p.width-k)%p.width
			secondRe, secondIm := 0.0, 0.0
			if i+1 < p.height {
				secondRe, secondIm = re[at+p.half], im[at+p.half]
			}
			a[o], b[o] = re[at]+secondIm, secondRe-im[at] // first + i second, both Hermitian
			a[k], b[k] = re[at]-secondIm, im[at]+secondRe
		}
		p.rows.transform(a, b, wa, wb, true)
		for j := range p.width {
			x[i*p.width+j] = a[j] * scale
			if i+1 < p.height {
				x[(i+1)*p.width+j] = b[j] * scale
			}
		}
	}
}

// columns transforms the columns of a spectrum.
func (p *plane) columns(re, im, scratch []float64, back bool) {
	a, b, wa, wb := parts(scratch, p.height)
	for k := range p.half {
		for i := range p.height {
			a[i], b[i] = re[i*p.half+k], im[i*p.half+k]
		}
		p.cols.transform(a, b, wa, wb, back)
		for i := range p.height {
			re[i*p.half+k], im[i*p.half+k] = a[i], b[i]
		}
	}
}

// spectra is the spectra of a tensor's planes, one after the other.
type spectra struct{ re, im []float64 }

func (p *plane) newSpectra(planes int) spectra {
	size := planes * p.height * p.half
	return spectra{make([]float64, size), make([]float64, size)}
}

// forwardAll transforms planes one after the other, backwardAll transforms them back.
func (p *plane) forwardAll(s spectra, x []float64) {
	p.each(len(x)/(p.height*p.width), func(re, im, x, scratch []float64) {
		p.forward(re, im, x, scratch)
	}, s, x)
}

func (p *plane) backwardAll(x []float64, s spectra) {
	p.each(len(x)/(p.height*p.width), func(re, im, x, scratch []float64) {
		p.backward(x, re, im, scratch)
	}, s, x)
}

func (p *plane) each(planes int, do func(re, im, x, scratch []float64), s spectra, x []float64) {
	parallel.Ranges(planes, 1, func(lo, hi int) {
		scratch, small, large := p.scratch(), p.height*p.half, p.height*p.width
		for i := lo; i < hi; i++ {
			do(s.re[i*small:(i+1)*small], s.im[i*small:(i+1)*small], x[i*large:(i+1)*large], scratch)
		}
	})
}
