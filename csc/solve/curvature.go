package solve

import (
	"math"

	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// At lambda = 0, mu = 0 the dual problem's points are those with A*u = 0, of which no multiple of a residual
// that has been computed in floating point is one but 0, so that the gap of Certify is F(z) however near z is
// to a least-squares code. There the curvature of F says more. Let sigma^2 be a lower bound of A*A's
// eigenvalues, c = A*r and v what an optimality condition is missed by: c - lambda sign(z) where z is not 0,
// max(|c| - lambda, 0) where it is. Then for every d
//
//	F(z+d) - F(z)  >=  -<|v|, |d|> + |A d|^2/2  >=  -|v| |d| + sigma^2 |d|^2/2  >=  -|v|^2/(2 sigma^2) ,
//
// so that F(z) - min F <= |v|^2/(2 sigma^2): of second order in v, and a rounding error where v is one. Where
// z >= 0, an element with c below lambda can only be made smaller by z, and costs (lambda - c) z if that is
// less. With lambda = 0 and no sign constraint it is enough that sigma^2 is below the eigenvalues that are
// not 0: v = c lies in the range of A*, and so does the best d.
//
// Without a sign constraint and with lambda = 0 the gap is known exactly, |P r|^2/2, P being the projection
// onto the range of A, and bounded from a basis of that or, with L L* = A*A, from the solution y of the
// normal equations A*A y = c, which is how far z is from a solution. That is much less than |c|^2/(2 sigma^2)
// where z is not near a solution and A is ill-conditioned. The least of what is proven counts.
//
// The least singular value is found from A as a matrix, where that is not too large: by Jacobi's method,
// whose error is a few rounding errors of the largest one; values below that are taken for 0, which is what
// they are to float64. For larger A a factorisation of A*A - theta I proves that no eigenvalue is below
// theta.
const (
	maxDense   = 1 << 17         // elements of A as a matrix
	maxGram    = 1200            // columns of A*A
	littlePart = 1.0 / (1 << 20) // of lambda_max: from here on down the curvature is asked for
	unit       = 0x1p-53         // rounding error of float64
)

// curvature is what is known of A*A.
type curvature struct {
	least float64 // a lower bound of the eigenvalues that are not 0; 0 if nothing is known
	full  bool    // no eigenvalue is 0
	// One of these, if the code is not larger than the signal: an orthonormal basis of the range of A, with
	// the most that a vector of it can be off; A*A and its factor L.
	basis        [][]float64
	off          float64
	gram, factor [][]float64
}

// newCurvature bounds the eigenvalues of A*A for one image.
func newCurvature(p *Problem[float64]) curvature {
	signal := append([]int{1}, p.X.Shape[1:]...)
	code := p.A.CodeShape(signal)
	rows, columns := tensor.Size(signal), tensor.Size(code)
	q := p.A
	q.Geometry.Algorithm = conv.Direct
	a := newOperator(q, signal)
	switch {
	case rows <= maxDense/columns:
		return ofMatrix(matrix(a, signal, code), rows)
	case columns <= rows && columns <= maxGram:
		return ofGram(a, signal, code)
	}
	return curvature{}
}

// matrix lists the columns of A: what single elements of the code synthesize.
func matrix(a *operator[float64], signal, code []int) [][]float64 {
	z := tensor.New[float64](code...)
	list := make([][]float64, z.Len())
	for i := range list {
		x := tensor.New[float64](signal...)
		z.Data[i] = 1
		a.synthesize(x, z, nil)
		z.Data[i], list[i] = 0, x.Data
	}
	return list
}

// ofMatrix is for a matrix given by its columns, which are overwritten.
func ofMatrix(columns [][]float64, rows int) curvature {
	count := len(columns)
	if count > rows { // the transposed one has the same singular values but for zeros, and is cheaper
		turned := make([][]float64, rows)
		for i := range turned {
			turned[i] = make([]float64, count)
			for k, c := range columns {
				turned[i][k] = c[i]
			}
		}
		columns = turned
	}
	values := singularValues(columns)
	largest := 0.0
	for _, v := range values {
		largest = max(largest, v)
	}
	slack := float64(16*(rows+count)) * unit * largest
	least, zeros := math.Inf(1), count-len(values)
	for _, v := range values {
		if v <= slack {
			zeros++
			continue
		}
		least = min(least, v-slack)
	}
	if math.IsInf(least, 1) || math.IsNaN(largest) {
		return curvature{}
	}
	k := curvature{least: float64(least * least), full: zeros == 0}
	if count <= rows {
		k.basis, k.off = orthonormal(columns, values, slack), slack/least
	}
	return k
}

// orthonormal are the columns that are not 0, divided by their lengths.
func orthonormal(columns [][]float64, lengths []float64, zero float64) (basis [][]float64) {
	for i, c := range columns {
		if lengths[i] <= zero {
			continue
		}
		for k := range c {
			c[k] /= lengths[i]
		}
		basis = append(basis, c)
	}
	return basis
}

// maxSweeps bounds Jacobi's sweeps over all pairs; some ten are enough.
const maxSweeps = 40

// singularValues turns columns by Jacobi's rotations until they are orthogonal (Hestenes 1958), and returns
// their lengths.
func singularValues(columns [][]float64) []float64 {
	for range maxSweeps {
		turned := false
		for i, a := range columns {
			for _, b := range columns[i+1:] {
				turned = rotate(a, b) || turned
			}
		}
		if !turned {
			break
		}
	}
	values := make([]float64, len(columns))
	for i, c := range columns {
		values[i] = math.Sqrt(dot(c, c))
	}
	return values
}

// rotate makes two columns orthogonal, and reports false if they were.
func rotate(a, b []float64) bool {
	aa, bb, ab := dot(a, a), dot(b, b), dot(a, b)
	if !(math.Abs(ab) > 4*unit*math.Sqrt(float64(aa*bb))) {
		return false
	}
	tau := (bb - aa) / (2 * ab)
	t := math.Copysign(1/(math.Abs(tau)+math.Sqrt(1+float64(tau*tau))), tau)
	cos := 1 / math.Sqrt(1+float64(t*t))
	sin := float64(cos * t)
	for i, v := range a {
		a[i], b[i] = float64(cos*v)-float64(sin*b[i]), float64(sin*v)+float64(cos*b[i])
	}
	return true
}

func dot(a, b []float64) (sum float64) {
	for i, v := range a {
		sum += float64(v * b[i])
	}
	return sum
}

// ofGram proves a bound by factorising A*A - theta I. If that succeeds in floating point, no eigenvalue is
// below theta less a multiple of the rounding errors (Rump, "Verification of positive definiteness", 2006). A
// first factorisation without theta gives, by inverse iteration, an estimate of the least eigenvalue, of
// which theta is half.
func ofGram(a *operator[float64], signal, code []int) curvature {
	x, z := tensor.New[float64](signal...), tensor.New[float64](code...)
	n, trace := z.Len(), 0.0
	gram := make([][]float64, n)
	for i := range gram {
		z.Data[i] = 1
		a.synthesize(x, z, nil)
		z.Data[i] = 0
		c := tensor.New[float64](code...)
		a.analyze(c, x, nil)
		gram[i] = c.Data
		trace += c.Data[i]
	}
	taps := a.Atoms.Len() / a.Atoms.Shape[0]
	slack := float64(4*(n+taps+2)) * unit * trace
	factor, ok := cholesky(gram, 0)
	if !ok {
		return curvature{}
	}
	theta := leastEigenvalue(factor) / 2
	for range shifts {
		if _, ok := cholesky(gram, theta); ok && theta > 2*slack {
			return curvature{least: theta - slack, full: true, gram: gram, factor: factor}
		}
		theta /= 8 // the estimate was too high
	}
	return curvature{}
}

// shifts bounds the values of theta that are tried.
const shifts = 3

// cholesky returns the lower triangle L of g - theta I = L L*, or false if that is not positive definite.
func cholesky(g [][]float64, theta float64) (l [][]float64, ok bool) {
	l = make([][]float64, len(g))
	for i, row := range g {
		l[i] = append([]float64(nil), row[:i+1]...)
		l[i][i] -= theta
		for k := range i {
			l[i][k] = (l[i][k] - dot(l[i][:k], l[k][:k])) / l[k][k]
		}
		rest := l[i][i] - dot(l[i][:i], l[i][:i])
		if !(rest > 0) {
			return nil, false
		}
		l[i][i] = math.Sqrt(rest)
	}
	return l, true
}

// inverseRounds is how often leastEigenvalue divides by the matrix; the estimate needs no digits.
const inverseRounds = 12

// leastEigenvalue estimates the least eigenvalue of L L* by inverse iteration.
func leastEigenvalue(l [][]float64) float64 {
	n := len(l)
	v, start := make([]float64, n), random.New(1).Sub("curvature")
	for i := range v {
		v[i] = start.Unit(uint64(i))
	}
	growth := 0.0
	for range inverseRounds {
		length := math.Sqrt(dot(v, v))
		for i := range v {
			v[i] /= length
		}
		divide(l, v)
		growth = math.Sqrt(dot(v, v))
	}
	return 1 / growth
}

// divide solves L L* y = v in v's place.
func divide(l [][]float64, v []float64) {
	for i := range v {
		v[i] = (v[i] - dot(l[i][:i], v[:i])) / l[i][i]
	}
	for i := len(v) - 1; i >= 0; i-- {
		v[i] /= l[i][i]
		for k := range i {
			v[k] -= float64(l[i][k] * v[i])
		}
	}
}

// projectedGap bounds |P r|^2/2, r being the residual of one image and c = A*r; +Inf if nothing is known.
func (k curvature) projectedGap(r, c []float64) float64 {
	switch {
	case k.basis != nil:
		inside := 0.0
		for _, q := range k.basis {
			part := dot(q, r)
			inside += float64(part * part)
		}
		length := math.Sqrt(inside) + float64(k.off*math.Sqrt(dot(r, r)))
		return float64(length*length) / 2
	case k.factor != nil:
		// F(z) - F(z+y) = <c, y> - |A y|^2/2, and what is left of c bounds the rest.
		y := append([]float64(nil), c...)
		divide(k.factor, y)
		down, rest := 0.0, 0.0
		for i, row := range k.gram {
			g := dot(row, y)
			down += float64(y[i] * (c[i] - g/2))
			rest += float64((c[i] - g) * (c[i] - g))
		}
		return max(0, down) + rest/(2*k.least)
	}
	return math.Inf(1)
}

// curvedGap bounds F(z) - min F for one image by the curvature, +Inf if that says nothing.
func (j *certifier[T]) curvedGap(z, c, r []float64) float64 {
	k := j.curvature
	if k.least == 0 || !k.full && (j.p.Lambda > 0 || j.p.Nonnegative) {
		return math.Inf(1)
	}
	squares, linear := 0.0, 0.0
	pieces(piece, len(z), func(lo, hi int) (part [2]float64) {
		for i := lo; i < hi; i++ {
			v := j.miss(z[i], c[i])
			// Of the two costs of an element that can only become smaller, the lesser; v/k is how far it
			// would go.
			if j.p.Nonnegative && v < 0 && float64(z[i]*k.least) < -v {
				part[1] -= float64(v * z[i])
				continue
			}
			part[0] += float64(v * v)
		}
		return part
	}, func(part [2]float64) { squares, linear = squares+part[0], linear+part[1] })
	gap := linear + squares/(2*k.least)
	if j.p.Lambda == 0 && !j.p.Nonnegative {
		gap = min(gap, k.projectedGap(r, c))
	}
	return gap
}

// miss is what an element's optimality condition is missed by.
func (j *certifier[T]) miss(z, c float64) float64 {
	if z == 0 {
		return max(0, j.oneSided(c)-j.p.Lambda)
	}
	return c - math.Copysign(j.p.Lambda, z)
}
