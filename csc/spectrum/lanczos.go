package spectrum

import (
	"math"

	"sdref/tensor"
)

// Ritz is the result of Lanczos' method for the eigenvalues of A*A.
type Ritz struct {
	Value    float64 // <v, A*A v> of a unit vector v: a lower bound of lambda_max
	Residual float64 // |A*A v - Value v|: within that distance of Value lies an eigenvalue
	Smallest float64 // the smallest Ritz value, which the smallest eigenvalue is not above
	// Dimension is that of the space of signals or of codes, whichever is smaller; further eigenvalues of A*A
	// are 0.
	Dimension int
	Steps     int // vectors that were made
}

// Lanczos orthonormalizes vectors v, B v, B^2 v, ... one after the other, where B is A A* on signals or A*A
// on codes, whichever space is smaller, each against all before, twice, and takes the eigenvalues and
// eigenvectors of B on their span (Rayleigh and Ritz). It starts from a random vector and stops after at most
// so many steps, once the residual of the largest eigenvalue is at most tolerance times that, or when the
// space is exhausted. The Ritz values have rounding errors of some 1e-13 of the largest.
//
// Value converges long before power iteration does. That no eigenvalue lies above it is likely, but not
// certain: see UpperBound.
func (o *Operator) Lanczos(steps int, tolerance float64) Ritz {
	shape, other := o.smaller()
	l := &lanczos{Operator: o, between: tensor.New[float64](other...), w: tensor.New[float64](shape...)}
	r := Ritz{Dimension: l.w.Len()}
	steps = min(max(1, steps), r.Dimension)
	next := tensor.New[float64](shape...)
	tensor.FillUniform(next, 1, 1, 0)
	norm := math.Sqrt(tensor.SumSquares(next))
	for check := 8; ; {
		tensor.Scale(next, next, 1/norm)
		l.basis = append(l.basis, next)
		norm = l.extend()
		r.Steps = len(l.basis)
		exhausted := r.Steps == steps || norm <= 1e-14*l.scale()
		if r.Steps == check || exhausted {
			r.Value, r.Residual, r.Smallest = l.ritz()
			check *= 2
			if exhausted || r.Residual <= tolerance*r.Value {
				return r
			}
		}
		next = l.w.Clone()
	}
}

// lanczos is the state of Lanczos' method.
type lanczos struct {
	*Operator
	basis []*tensor.Tensor[float64] // orthonormal
	// alpha and beta are the diagonal and the off-diagonal of B on the basis, which is tridiagonal.
	alpha, beta []float64
	between     *tensor.Tensor[float64] // scratch of apply
	w           *tensor.Tensor[float64] // the next basis vector, not normalized
}

// extend sets w to B times the last vector, orthogonal to all, and returns its norm.
func (l *lanczos) extend() float64 {
	last := l.basis[len(l.basis)-1]
	l.apply(l.w, l.between, last)
	l.alpha = append(l.alpha, tensor.Dot(l.w, last))
	for range 2 {
		for _, v := range l.basis {
			tensor.AddScaled(l.w, l.w, v, -tensor.Dot(l.w, v))
		}
	}
	l.beta = append(l.beta, math.Sqrt(tensor.SumSquares(l.w)))
	return l.beta[len(l.beta)-1]
}

// scale is the largest number in the tridiagonal matrix.
func (l *lanczos) scale() float64 {
	largest := 0.0
	for i, a := range l.alpha {
		largest = max(largest, math.Abs(a))
		if i > 0 {
			largest = max(largest, l.beta[i-1])
		}
	}
	return largest
}

// ritz returns the largest Ritz value with its residual, both computed anew from the vector, and the
// smallest.
func (l *lanczos) ritz() (value, residual, smallest float64) {
	m := len(l.basis)
	t := tensor.New[float64](m, m)
	for i, a := range l.alpha {
		t.Set(a, i, i)
		if i > 0 {
			t.Set(l.beta[i-1], i, i-1)
			t.Set(l.beta[i-1], i-1, i)
		}
	}
	vectors := diagonalize(t)
	top := 0
	smallest = t.At(0, 0)
	for i := range m {
		smallest = min(smallest, t.At(i, i))
		if t.At(i, i) > t.At(top, top) {
			top = i
		}
	}
	v, bv := tensor.New[float64](l.w.Shape...), tensor.New[float64](l.w.Shape...)
	for i, q := range l.basis {
		tensor.AddScaled(v, v, q, vectors.At(i, top))
	}
	l.apply(bv, l.between, v)
	square := tensor.SumSquares(v)
	value = tensor.Dot(v, bv) / square
	tensor.AddScaled(bv, bv, v, -value)
	return value, math.Sqrt(tensor.SumSquares(bv) / square), max(smallest, 0)
}
