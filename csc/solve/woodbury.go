package solve

import (
	"slices"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// woodbury is a dictionary on the torus in the Fourier domain: a matrix D (C, M) for each frequency.
type woodbury struct {
	*plane
	channels, atoms int
	d               []complex128   // D (C, M): element (c, m) is spectrum c*M + m
	gram            [][]complex128 // (C, C): D D*
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
	d.d = make([]complex128, d.channels*d.atoms*d.size())
	d.forwardAll(d.d, padded.Data)
	for c := range d.channels {
		for e := range d.channels {
			d.gram = append(d.gram, d.product(c, e))
		}
	}
	return d
}

// product is the sum over m of D[c,m] conj(D[e,m]).
func (d *woodbury) product(c, e int) []complex128 {
	n := d.size()
	s := make([]complex128, n)
	for m := range d.atoms {
		a, b := part(d.d, c*d.atoms+m, n), part(d.d, e*d.atoms+m, n)
		for i := range s {
			s[i] += times(a[i], real(b[i]), imag(b[i]))
		}
	}
	return s
}

// invert returns (rho I + D D*)^-1 of every frequency, by Gauss and Jordan's elimination: the matrices are
// Hermitian and positive definite, so that no pivot is 0.
func (d *woodbury) invert(rho float64) [][]complex128 {
	c := d.channels
	inverse := make([][]complex128, c*c)
	for i := range inverse {
		inverse[i] = slices.Clone(d.gram[i])
	}
	for i := range d.size() {
		for k := range c {
			inverse[k*c+k][i] += complex(rho, 0)
		}
		for k := range c {
			eliminate(inverse, c, k, i)
		}
	}
	return inverse
}

// eliminate does step k of the inversion in place, at frequency i.
func eliminate(a [][]complex128, c, k, i int) {
	pivot := 1 / real(a[k*c+k][i]) // real, as the diagonal of a Hermitian matrix is
	a[k*c+k][i] = 1
	for e := range c {
		v := a[k*c+e][i]
		a[k*c+e][i] = complex(real(v)*pivot, imag(v)*pivot)
	}
	for r := range c {
		if r == k {
			continue
		}
		v := a[r*c+k][i]
		a[r*c+k][i] = 0
		for e := range c {
			w := a[k*c+e][i]
			a[r*c+e][i] -= times(v, real(w), -imag(w))
		}
	}
}

// solve sets s to (D*D + rho I)^-1 (data + rho s), M spectra, by Woodbury's identity: with b = data + rho s
//
//	(b - D* (rho I + D D*)^-1 D b)/rho .
//
// It goes by bands of a row, of which all M spectra stay in the second-level cache.
func (d *woodbury) solve(s, data []complex128, inverse [][]complex128, rho float64) {
	parallel.Ranges(d.height, 1, func(lo, hi int) {
		db, idb := make([]complex128, d.channels*d.half), make([]complex128, d.channels*d.half)
		for row := lo; row < hi; row++ {
			b := band{d, row * d.half}
			for m := range d.atoms {
				x, v := b.of(s, m), b.of(data, m)
				for i, z := range x {
					x[i] = complex(real(v[i])+float64(rho*real(z)), imag(v[i])+float64(rho*imag(z)))
				}
			}
			b.project(db, s)
			b.apply(idb, inverse, db)
			b.subtractAdjoint(s, idb, rho)
		}
	})
}

// band is a row of frequencies, from first on. A signal's spectra on it are C channels of so many elements.
type band struct {
	*woodbury
	first int
}

// of is spectrum m of s on the band.
func (b band) of(s []complex128, m int) []complex128 { return s[m*b.size()+b.first:][:b.half] }

// project sets to to D s.
func (b band) project(to, s []complex128) {
	clear(to)
	for m := range b.atoms {
		x := b.of(s, m)
		for c := range b.channels {
			d, sum := b.of(b.d, c*b.atoms+m), part(to, c, b.half)
			for i, v := range x {
				sum[i] += times(d[i], real(v), -imag(v))
			}
		}
	}
}

// apply sets to to a x, with a (C, C) at each frequency.
func (b band) apply(to []complex128, a [][]complex128, x []complex128) {
	clear(to)
	for c := range b.channels {
		for e := range b.channels {
			k, sum := b.of(a[c*b.channels+e], 0), part(to, c, b.half)
			for i, v := range part(x, e, b.half) {
				sum[i] += times(k[i], real(v), -imag(v))
			}
		}
	}
}

// subtractAdjoint subtracts D* x from s, and divides by rho.
func (b band) subtractAdjoint(s, x []complex128, rho float64) {
	scale := 1 / rho
	for m := range b.atoms {
		to := b.of(s, m)
		for c := range b.channels {
			d := b.of(b.d, c*b.atoms+m)
			for i, v := range part(x, c, b.half) {
				to[i] -= times(v, real(d[i]), imag(d[i]))
			}
		}
		for i, v := range to {
			to[i] = complex(real(v)*scale, imag(v)*scale)
		}
	}
}
