package solve

import (
	"errors"
	"math"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// ADMM is the alternating direction method of multipliers in the Fourier domain, for circular boundaries
// (Bristow, Eriksson and Lucey, "Fast convolutional sparse coding", 2013; Wohlberg, "Efficient algorithms for
// convolutional sparse representations", 2016):
//
//	y <- (A*A + rho I)^-1 (A*x + rho (z - u))
//	z <- prox of (lambda |.|_1 + mu/2 |.|^2)/rho at v + u,  v = alpha y + (1 - alpha) z
//	u <- u + v - z
//
// On the torus A*A is a matrix of M x M for each frequency, of rank C, and its inverse comes from one of C x
// C by Woodbury's identity. rho is adapted to balance the two residuals (Wohlberg, "ADMM penalty parameter
// selection by residual balancing", 2017), after 10, 20, 40, ... iterations. The iterate is z, which is
// sparse, and not y. Everything is computed in float64.
type ADMM[T tensor.Float] struct {
	Rho float64 // the first rho; 0 means one that is chosen from the atoms
}

// The rules of ADMM.
const (
	admmRelaxation   = 1.8 // alpha
	admmFirstBalance = 10  // iterations until rho is adapted first; then at twice as many each time
	admmMaxFactor    = 10  // the greatest factor by which rho changes
)

func (ADMM[T]) Name() string { return "admm" }

func (ADMM[T]) Supports(p *Problem[T]) error {
	if p.A.Boundary != CircularBoundary {
		return errors.New("admm is for circular boundaries, " +
			"where the Fourier transform makes A*A diagonal in blocks")
	}
	return nil
}

func (s ADMM[T]) Solve(p *Problem[T], stop Stop, observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	run := newRun(s, p, stop, observe)
	wide := run.certifier.p
	d := newWoodbury(wide.A.Atoms, p.X.Shape[2], p.X.Shape[3])
	z := tensor.New[T](p.CodeShape()...)
	var images []*admmImage
	for n := range z.Shape[0] {
		images = append(images, newADMMImage(wide.image(n), d, s.Rho))
	}
	for k, next := 1, admmFirstBalance; ; k++ {
		change := 0.0
		for n, m := range images {
			c := m.iterate()
			change += float64(c * c)
			if k == next {
				m.balance(c)
			}
			for i, v := range m.z.Data {
				z.Row(n).Data[i] = T(v)
			}
		}
		if k == next {
			next *= 2
		}
		if run.done(Record{Iteration: k, Step: 1 / images[0].rho, Change: math.Sqrt(change)}, z) {
			return run.result(z)
		}
	}
}

// admmImage is the state of one image.
type admmImage struct {
	p            *Problem[float64]
	d            *woodbury
	rho          float64
	y, z, u      *tensor.Tensor[float64] // (1, M, H, W)
	before, work *tensor.Tensor[float64]
	data, sum    spectra   // the spectra of A*x and of y
	inverse      []spectra // (C, C): (rho I + D D*)^-1 for each frequency
}

func newADMMImage(p *Problem[float64], d *woodbury, rho float64) *admmImage {
	m := &admmImage{p: p, d: d, rho: rho}
	for _, t := range []**tensor.Tensor[float64]{&m.y, &m.z, &m.u, &m.before, &m.work} {
		*t = tensor.New[float64](p.CodeShape()...)
	}
	m.data, m.sum = d.newSpectra(d.atoms), d.newSpectra(d.atoms)
	newOperator(p.A, p.X.Shape).analyze(m.work, p.X, nil)
	d.forwardAll(m.data, m.work.Data)
	if m.rho == 0 { // a tenth of the mean of |A|^2's C H W eigenvalues that are not 0
		m.rho = max(tensor.SumSquares(p.A.Atoms)/float64(10*d.channels), math.SmallestNonzeroFloat32)
	}
	m.inverse = d.invert(m.rho)
	return m
}

// iterate does one iteration, and returns by how much z changed.
func (m *admmImage) iterate() (change float64) {
	tensor.AddScaled(m.work, m.z, m.u, -1)
	m.d.forwardAll(m.sum, m.work.Data)
	m.d.solve(m.sum, m.data, m.inverse, m.rho)
	m.d.backwardAll(m.y.Data, m.sum)
	copy(m.before.Data, m.z.Data)
	set := kernel.Active[float64]()
	shrink := set.Shrink
	if m.p.Nonnegative {
		shrink = set.ShrinkNonnegative
	}
	scale := 1 / (1 + m.p.Mu/m.rho)
	parallel.Ranges(m.z.Len(), tensor.Grain, func(lo, hi int) {
		y, z, u, v := m.y.Data[lo:hi], m.z.Data[lo:hi], m.u.Data[lo:hi], m.work.Data[lo:hi]
		for i := range v {
			v[i] = float64(admmRelaxation*y[i]) + float64((1-admmRelaxation)*z[i]) + u[i]
		}
		shrink(z, v, scale, m.p.Lambda/m.rho*scale)
		set.AddScaled(u, v, z, -1)
	})
	return distance(m.z, m.before)
}

// balance adapts rho so that the relative residuals |y - z|/|z| and |z - z before|/|u| become about equal.
func (m *admmImage) balance(change float64) {
	primal, dual := distance(m.y, m.z)*norm(m.u), change*max(norm(m.y), norm(m.z))
	if primal == 0 || dual == 0 {
		return
	}
	factor := min(max(math.Sqrt(primal/dual), 1.0/admmMaxFactor), admmMaxFactor)
	m.rho *= factor
	tensor.Scale(m.u, m.u, 1/factor)
	m.inverse = m.d.invert(m.rho)
}
