package solve

import (
	"errors"
	"math"

	"sdref/internal/kernel"
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
	p         *Problem[float64]
	d         *woodbury
	rho       float64
	y, z, u   *tensor.Tensor[float64] // (1, M, H, W)
	data, sum []complex128            // the spectra of A*x and of y
	inverse   [][]complex128          // (C, C): (rho I + D D*)^-1 for each frequency
}

func newADMMImage(p *Problem[float64], d *woodbury, rho float64) *admmImage {
	m := &admmImage{p: p, d: d, rho: rho}
	for _, t := range []**tensor.Tensor[float64]{&m.y, &m.z, &m.u} {
		*t = tensor.New[float64](p.CodeShape()...)
	}
	m.data, m.sum = make([]complex128, d.atoms*d.size()), make([]complex128, d.atoms*d.size())
	newOperator(p.A, p.X.Shape).analyze(m.y, p.X, nil)
	d.forwardAll(m.data, m.y.Data)
	if m.rho == 0 { // a tenth of the mean of |A|^2's C H W eigenvalues that are not 0
		m.rho = max(tensor.SumSquares(p.A.Atoms)/float64(10*d.channels), math.SmallestNonzeroFloat32)
	}
	m.inverse = d.invert(m.rho)
	return m
}

// iterate does one iteration, and returns by how much z changed. Planes are shared out to goroutines, and each is worked on while it is in
// the cache; the change is summed plane by plane.
func (m *admmImage) iterate() (change float64) {
	set, n := kernel.Active[float64](), m.d.height*m.d.width
	m.d.each(m.d.atoms, func(i int, b buffers) {
		set.AddScaled(b.plane, part(m.z.Data, i, n), part(m.u.Data, i, n), -1)
		m.d.forward(part(m.sum, i, m.d.size()), b.plane, b)
	})
	m.d.solve(m.sum, m.data, m.inverse, m.rho)
	changes := make([]float64, m.d.atoms)
	m.d.each(m.d.atoms, func(i int, b buffers) {
		y := part(m.y.Data, i, n)
		m.d.backward(y, part(m.sum, i, m.d.size()), b)
		changes[i] = m.shrink(set, y, part(m.z.Data, i, n), part(m.u.Data, i, n), b.plane)
	})
	for _, c := range changes {
		change += c
	}
	return math.Sqrt(change)
}

// shrink is the second and the third line of an iteration for a plane, and returns the square of z's change. v is scratch memory.
func (m *admmImage) shrink(set *kernel.Set[float64], y, z, u, v []float64) (change float64) {
	for i := range v {
		v[i] = float64(admmRelaxation*y[i]) + float64((1-admmRelaxation)*z[i]) + u[i]
	}
	shrink := set.Shrink
	if m.p.Nonnegative {
		shrink = set.ShrinkNonnegative
	}
	scale := 1 / (1 + m.p.Mu/m.rho)
	shrink(u, v, scale, m.p.Lambda/m.rho*scale) // z, until u is known
	set.AddScaled(v, v, u, -1)
	set.AddScaled(z, u, z, -1)
	change = set.SumSquares(z, 0)
	copy(z, u)
	copy(u, v)
	return change
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
