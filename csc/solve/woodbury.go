package solve

import (
	"sdref/internal/parallel"
	"sdref/tensor"
)

// woodbury is a dictionary on the torus in the Fourier domain: a matrix D (C, M) for each frequency.
type woodbury struct {
	*plane
	channels, atoms int
	d               spectra   // D (C, M): element (c, m) is spectrum c*M + m
	gram            []spectra // (C, C): D D*
}

func newWoodbury(w *tensor.Tensor[float64], height, width int) *woodbury {
	d := &woodbury{plane: newPlane(height, width), channels: w.Shape[1], atoms: w.Shape[0]}
	padded := tensor.New[float64](d.channels, d.atoms, height, width)
	for m := range d.atoms {
		for c := range d.channels {
			for u := range w.Shape[2] {
				for v := range w.Shape[3] {
					padded.Set(w.At(m, c, u, v), c, m, u, v)
				}
			}
		}
	}
	d.d = d.newSpectra(d.channels * d.atoms)
	d.forwardAll(d.d, padded.Data)
	for c := range d.channels {
		for e := range d.channels {
			d.gram = append(d.gram, d.product(c, e))
		}
	}
	return d
}

// size is the number of frequencies.
func (d *woodbury) size() int { return d.height * d.half }

// product is the sum over m of D[c,m] conj(D[e,m]).
func (d *woodbury) product(c, e int) spectra {
	s, n := d.newSpectra(1), d.size()
	for m := range d.atoms {
		a, b := (c*d.atoms+m)*n, (e*d.atoms+m)*n
		for i := range n {
			re, im := times(d.d.re[a+i], d.d.im[a+i], d.d.re[b+i], d.d.im[b+i])
			s.re[i], s.im[i] = s.re[i]+re, s.im[i]+im
		}
	}
	return s
}

// invert returns (rho I + D D*)^-1 of every frequency, by Gauss and Jordan's elimination: the matrices are
// Hermitian and positive definite, so that no pivot is 0.
func (d *woodbury) invert(rho float64) []spectra {
	c := d.channels
	inverse := make([]spectra, c*c)
	for i := range inverse {
		inverse[i] = d.newSpectra(1)
		copy(inverse[i].re, d.gram[i].re)
		copy(inverse[i].im, d.gram[i].im)
	}
	for i := range d.size() {
		for k := range c {
			inverse[k*c+k].re[i] += rho
		}
		for k := range c {
			eliminate(inverse, c, k, i)
		}
	}
	return inverse
}

// eliminate does step k of the inversion in place, at frequency i.
func eliminate(a []spectra, c, k, i int) {
	pivot := 1 / a[k*c+k].re[i] // real, as the diagonal of a Hermitian matrix is
	a[k*c+k].re[i], a[k*c+k].im[i] = 1, 0
	for e := range c {
		a[k*c+e].re[i] *= pivot
		a[k*c+e].im[i] *= pivot
	}
	for r := range c {
		if r == k {
			continue
		}
		re, im := a[r*c+k].re[i], a[r*c+k].im[i]
		a[r*c+k].re[i], a[r*c+k].im[i] = 0, 0
		for e := range c {
			x, y := times(re, im, a[k*c+e].re[i], -a[k*c+e].im[i])
			a[r*c+e].re[i] -= x
			a[r*c+e].im[i] -= y
		}
	}
}

// solve sets s to (D*D + rho I)^-1 (data + rho s), M spectra, by Woodbury's identity: with b = data + rho s
//
//	(b - D* (rho I + D D*)^-1 D b)/rho .
func (d *woodbury) solve(s, data spectra, inverse []spectra, rho float64) {
	parallel.Ranges(d.height, 1, func(lo, hi int) {
		b := band{d, lo * d.half, (hi - lo) * d.half}
		for m := range d.atoms {
			at := m*d.size() + b.first
			for i := at; i < at+b.count; i++ {
				s.re[i] = data.re[i] + float64(rho*s.re[i])
				s.im[i] = data.im[i] + float64(rho*s.im[i])
			}
		}
		b.subtractAdjoint(s, b.apply(inverse, b.project(s)))
		for m := range d.atoms {
			at := m*d.size() + b.first
			for i := at; i < at+b.count; i++ {
				s.re[i] /= rho
				s.im[i] /= rho
			}
		}
	})
}

// band is count neighbouring frequencies, from first on. A signal's spectra on it are C channels of count
// elements.
type band struct {
	*woodbury
	first, count int
}

func (b band) newSignal() spectra {
	return spectra{make([]float64, b.channels*b.count), make([]float64, b.channels*b.count)}
}

// project returns D s.
func (b band) project(s spectra) spectra {
	to := b.newSignal()
	for m := range b.atoms {
		for c := range b.channels {
			tap, at, x := (c*b.atoms+m)*b.size()+b.first, m*b.size()+b.first, c*b.count
			for i := range b.count {
				re, im := times(b.d.re[tap+i], b.d.im[tap+i], s.re[at+i], -s.im[at+i])
				to.re[x+i], to.im[x+i] = to.re[x+i]+re, to.im[x+i]+im
			}
		}
	}
	return to
}

// apply returns a x, with a (C, C) at each frequency.
func (b band) apply(a []spectra, x spectra) spectra {
	to := b.newSignal()
	for c := range b.channels {
		for e := range b.channels {
			k := a[c*b.channels+e]
			for i := range b.count {
				re, im := times(k.re[b.first+i], k.im[b.first+i], x.re[e*b.count+i], -x.im[e*b.count+i])
				to.re[c*b.count+i], to.im[c*b.count+i] = to.re[c*b.count+i]+re, to.im[c*b.count+i]+im
			}
		}
	}
	return to
}

// subtractAdjoint subtracts D* x from s.
func (b band) subtractAdjoint(s, x spectra) {
	for m := range b.atoms {
		for c := range b.channels {
			tap, at := (c*b.atoms+m)*b.size()+b.first, m*b.size()+b.first
			for i := range b.count {
				re, im := times(x.re[c*b.count+i], x.im[c*b.count+i], b.d.re[tap+i], b.d.im[tap+i])
				s.re[at+i], s.im[at+i] = s.re[at+i]-re, s.im[at+i]-im
			}
		}
	}
}
