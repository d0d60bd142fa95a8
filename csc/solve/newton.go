package solve

import (
	"math"

	"sdref/tensor"
)

// Newton is the proximal point method, z <- argmin F(z') + |z' - z|^2/(2 sigma), with each step solved
// through its dual by a semismooth Newton method (Li, Sun and Toh, "A highly efficient semismooth Newton
// augmented Lagrangian method for solving Lasso problems", 2018). With P(v) = prox of sigma (lambda |.|_1 +
// mu/2 |.|^2) at z + sigma v, the dual asks for the u at which
//
//	psi(u) = |u|^2/2 - <x, u> + (1 + sigma mu)/(2 sigma) |P(A*u)|^2
//
// is least: the residual at the next z, which is P(A*u). The gradient of psi is u - x + A P(A*u), and, J
// being where P is not 0, Newton's equation
//
//	(I + sigma/(1 + sigma mu) A_J A_J*) d = -gradient
//
// is solved by conjugate gradients, whose cost is that of the elements of J alone where they are few. Newton
// is for accurate solutions, of ill-conditioned problems above all. An iteration is a proximal point step; a
// Record's Step is the first image's sigma.
type Newton[T tensor.Float] struct{}

// The rules of Newton.
const (
	newtonSigmaStart  = 10  // times |c|^2/|A c|^2, c = A*x, is the first sigma
	newtonSigmaGrowth = 5   // the factor by which sigma grows after each proximal point step that was solved
	maxNewtonSteps    = 40  // per proximal point step
	maxCGIterations   = 500 // of conjugate gradients, per Newton step
	// newtonShare: a proximal point step is solved when |gradient| is at most this share of |z' - z|/sigma.
	newtonShare = 0.2
	maxHalvings = 30 // per line search
)

func (Newton[T]) Name() string               { return "newton" }
func (Newton[T]) Supports(*Problem[T]) error { return nil }

func (s Newton[T]) Solve(p *Problem[T], stop Stop, observe func(Record, *tensor.Tensor[T]) bool) Result[T] {
	run := newRun(s, p, stop, observe)
	z := tensor.New[T](p.CodeShape()...)
	w := newNewton(p.image(0))
	var points []*point[T]
	for n := range z.Shape[0] {
		points = append(points, w.start(p.image(n), oneImage(z, n), stop.RelativeGap))
	}
	for k := 1; ; k++ {
		change := 0.0
		for n, q := range points {
			if images := run.certificate.Images; images != nil && images[n].RelativeGap <= stop.RelativeGap {
				continue
			}
			moved := w.proximalStep(q)
			change += float64(moved * moved)
		}
		if run.done(Record{Iteration: k, Step: points[0].sigma, Change: math.Sqrt(change)}, z) {
			return run.result(z)
		}
	}
}

// point is the state of one image.
type point[T tensor.Float] struct {
	p        *Problem[T]
	z        *tensor.Tensor[T] // the code
	u        *tensor.Tensor[T] // the dual point, a signal
	sigma    float64
	maxSigma float64
}

// start is z = 0, whose residual is x.
func (w *newton[T]) start(p *Problem[T], z *tensor.Tensor[T], gap float64) *point[T] {
	q := &point[T]{p: p, z: z, u: p.X.Clone(), sigma: 1}
	w.a.analyze(w.v, p.X, nil)
	w.a.synthesize(w.product, w.v, nil)
	if l := tensor.SumSquares(w.product); l > 0 {
		q.sigma = newtonSigmaStart * tensor.SumSquares(w.v) / l
	}
	// z is computed from sigma A*u, which multiplies rounding errors by sigma.
	q.maxSigma = q.sigma * min(max(10, gap/(4*epsilon[T]())), 1e7)
	return q
}

// newton is the memory for one image.
type newton[T tensor.Float] struct {
	*point[T]
	a            *operator[T]
	members      *members[T]       // J, in Newton's equation; nil for dictionaries that support does not handle
	sparse       bool              // whether J is few elements
	v, ahead     *tensor.Tensor[T] // code: A*u, A*d
	next, masked *tensor.Tensor[T] // code: P(A*u), A_J* of a signal
	gradient, d  *tensor.Tensor[T] // signal: of psi, and Newton's direction
	search       *tensor.Tensor[T] // signal: the direction of conjugate gradients
	product      *tensor.Tensor[T] // signal: the matrix times search
	residual     *tensor.Tensor[T] // signal: of Newton's equation
}

func newNewton[T tensor.Float](p *Problem[T]) *newton[T] {
	w := &newton[T]{a: newOperator(p.A, p.X.Shape)}
	if list := newSupport(p.A, p.X.Shape); list != nil {
		w.members = newMembers(list)
	}
	for _, t := range []**tensor.Tensor[T]{&w.v, &w.ahead, &w.next, &w.masked} {
		*t = tensor.New[T](p.CodeShape()...)
	}
	for _, t := range []**tensor.Tensor[T]{&w.gradient, &w.d, &w.search, &w.product, &w.residual} {
		*t = tensor.New[T](p.X.Shape...)
	}
	return w
}

// proximalStep moves q.z by one proximal point step, and returns how far.
func (w *newton[T]) proximalStep(q *point[T]) (moved float64) {
	w.point = q
	w.a.analyze(w.v, q.u, nil)
	clear(w.ahead.Data)
	clear(w.d.Data)
	value, scale := w.evaluate(0), norm(q.p.X)
	for range maxNewtonSteps {
		w.slope()
		moved = distance(w.next, q.z)
		size, enough := norm(w.gradient), newtonShare*moved/q.sigma
		if size <= max(enough, 4*epsilon[T]()*scale) {
			q.sigma = min(newtonSigmaGrowth*q.sigma, q.maxSigma)
			break
		}
		w.solve(max(enough/2, min(0.1, size/scale)*size))
		w.a.analyze(w.ahead, w.d, nil)
		value = w.lineSearch(value)
	}
	copy(q.z.Data, w.next.Data)
	return moved
}

// slope sets the gradient of psi at u, and J to where next is not 0.
func (w *newton[T]) slope() {
	w.a.synthesize(w.gradient, w.next, nil)
	tensor.AddScaled(w.gradient, w.gradient, w.u, 1)
	tensor.AddScaled(w.gradient, w.gradient, w.p.X, -1)
}

// evaluate sets next to P(A*(u + share d)) and returns psi(u + share d).
func (w *newton[T]) evaluate(share float64) float64 {
	sigma, shrunk := w.sigma, 1+float64(w.sigma*w.p.Mu)
	squares := w.prox(T(share), T(sigma), T(1/shrunk), T(w.p.Lambda*sigma/shrunk))
	tensor.AddScaled(w.product, w.u, w.d, T(share))
	return tensor.SumSquares(w.product)/2 - tensor.Dot(w.product, w.p.X) + float64(shrunk/(2*sigma)*squares)
}

// lineSearch moves u along d by a step that decreases psi enough, and returns psi there. It tries the full
// Newton step first, which near the solution always does. A decrease that is lost in psi's rounding errors
// counts as enough.
func (w *newton[T]) lineSearch(value float64) float64 {
	gain := -tensor.Dot(w.gradient, w.d)
	slack := 16 * epsilon[T]() * (math.Abs(value) + tensor.SumSquares(w.p.X))
	share, now := 1.0, 0.0
	for range maxHalvings {
		if now = w.evaluate(share); now <= value-float64(1e-4*share*gain)+slack {
			break
		}
		share /= 2
	}
	tensor.AddScaled(w.u, w.u, w.d, T(share))
	tensor.AddScaled(w.v, w.v, w.ahead, T(share))
	return now
}
