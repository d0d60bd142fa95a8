package solve

import (
	"math"
	"slices"

	"sdref/conv"
	"sdref/internal/parallel"
	"sdref/tensor"
)

// Bounds is what a certificate says about one image, or about a batch. For a batch numbers are sums unless
// something else is said.
type Bounds struct {
	Objective   float64 // F(z); +Inf for a z that the problem does not allow
	Fidelity    float64 // |x - A z|^2/2
	Sparsity    float64 // lambda |z|_1
	Ridge       float64 // mu |z|^2/2
	Gap         float64 // F(z) - min F is at most this, and not negative
	RelativeGap float64 // Gap/Objective; of a batch the worst image's; with lambda = mu = 0 see Certify
	Scale       float64 // s of Certify; of a batch the least
	KKT         float64 // the worst violation of an optimality condition of (B.1); of a batch the worst
	LambdaMax   float64 // the least lambda for which z = 0 is the solution; of a batch the largest
	Minimum     float64 // the smallest element of z; a negative one is not allowed where z >= 0 is asked for
	Nonzeros    int     // elements of z that are not 0
	SafeZeros   int     // elements that are proven to be 0 in every solution
	Elements    int     // the number of elements of z
}

// Distance bounds |z - z*|, the distance from the solution, which is unique where mu > 0: sqrt(2 Gap/mu). It
// is +Inf for mu = 0.
func (b Bounds) Distance(mu float64) float64 {
	if mu == 0 {
		return math.Inf(1)
	}
	return math.Sqrt(2 * b.Gap / mu)
}

// Certificate is what Certify proves about a code: for the batch, and for each image.
type Certificate struct {
	Bounds
	Images []Bounds
}

// Certify bounds the error of any code z (N, M, Ho, Wo). Everything is computed in float64, also where
// numbers are float32; rounding errors are some 1e-15 of the objective, so that relative gaps below 1e-14 are
// not distinguished.
//
// A problem with mu > 0 is one with mu = 0 for the signal [x; 0] and the dictionary [A; sqrt(mu) I]. So let,
// with r = x - A z,
//
//	e = |r|^2 + mu |z|^2,   c = A*r - mu z,   s = min(1, lambda/max|c|)   (max c where z >= 0).
//
// s [r; -sqrt(mu) z] is feasible for the dual problem, whose value there is at most min F by weak duality.
// The gap between F(z) and that value, written without cancellation since no term is negative, is
//
//	gap = sum(lambda |z| - s z c) + (1-s)^2 e/2 .
//
// With mu > 0, r itself is feasible for the dual of the elastic net, and the gap is a sum over the elements,
// with a = A*r,
//
//	gap = sum(lambda |z| - z b + mu/2 (z-q)^2),   b = a - mu q,
//	q = soft(a, lambda)/mu   (max(a - lambda, 0)/mu where z >= 0)
//
// of second order in the violation where the first is of first order. The smaller of the two is reported.
//
// With mu = 0 and lambda 0, or below a millionth of lambda_max, s is 0 or spoiled by the rounding errors of
// c, and the curvature of F gives a third gap, if A is not too large: |v|^2/(2 sigma^2), v being what the
// optimality conditions are missed by (c, for lambda = 0, whose being 0 is the normal equations) and sigma^2
// a proven lower bound of A*A's eigenvalues (see curvature.go). If the code is larger than the signal, so
// that A z = x has solutions, the least F is 0 at lambda = 0, and no gap is below F(z) itself. There the
// relative gap is Gap/max(F(z), 2^-52 |x|^2/2): below that, F(z) is a rounding error of x.
//
// The dual is strongly concave, so its solution is within sqrt(2 gap) of s [r; -sqrt(mu) z]; where |s c| +
// |[atom; sqrt(mu)]| sqrt(2 gap), with the first gap, is below lambda (s c + ... where z >= 0) the solution's
// z is 0: a safe zero (El Ghaoui et al. 2012; Ndiaye et al. 2017).
func Certify[T tensor.Float](p *Problem[T], z *tensor.Tensor[T]) Certificate {
	p.mustBeValid("Certify")
	return newCertifier(p).certify(z)
}

// certifier certifies codes of one problem, with the memory that it needs.
type certifier[T tensor.Float] struct {
	p         *Problem[float64]
	a         *operator[float64]
	wide      *tensor.Tensor[float64] // z in float64, if T is another type
	r, c      *tensor.Tensor[float64] // x - A z, A*r - mu z
	lambdaMax []float64               // by image
	norms     []float64               // of [atom; sqrt(mu)], by atom
	energies  []float64               // |x|^2, by image
	curvature curvature               // of F, where it is asked for
}

func newCertifier[T tensor.Float](p *Problem[T]) *certifier[T] {
	wide, ok := any(p).(*Problem[float64])
	if !ok {
		wide = Convert[float64](p)
	}
	q := *wide
	q.A.Geometry.Algorithm = conv.Direct // the certificate must not depend on it
	code := p.CodeShape()
	j := &certifier[T]{p: &q, a: newOperator(q.A, q.X.Shape), r: tensor.New[float64](q.X.Shape...),
		c: tensor.New[float64](code...)}
	if !ok {
		j.wide = tensor.New[float64](code...)
	}
	for m := range q.A.Atoms.Shape[0] {
		j.norms = append(j.norms, math.Sqrt(tensor.SumSquares(q.A.Atoms.Row(m))+q.Mu))
	}
	j.a.analyze(j.c, q.X, nil)
	zeros := tensor.New[float64](code[1:]...)
	for n := range code[0] {
		j.lambdaMax = append(j.lambdaMax, j.measure(zeros.Data, j.c.Row(n).Data).slope)
		j.energies = append(j.energies, tensor.SumSquares(q.X.Row(n)))
	}
	if q.Mu == 0 && q.Lambda <= littlePart*slices.Max(j.lambdaMax) {
		j.curvature = newCurvature(&q)
	}
	return j
}

// widen returns z in float64.
func (j *certifier[T]) widen(z *tensor.Tensor[T]) *tensor.Tensor[float64] {
	if same, ok := any(z).(*tensor.Tensor[float64]); ok {
		return same
	}
	parallel.Ranges(z.Len(), tensor.Grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			j.wide.Data[i] = float64(z.Data[i])
		}
	})
	return j.wide
}

func (j *certifier[T]) certify(code *tensor.Tensor[T]) Certificate {
	tensor.MustMatch("solve.Certify: z", code.Shape, j.c.Shape)
	z := j.widen(code)
	j.a.synthesize(j.r, z, func(_, lo, hi int) {
		for i, x := range j.p.X.Data[lo:hi] {
			j.r.Data[lo+i] = x - j.r.Data[lo+i]
		}
	})
	size := z.Len() / z.Shape[0]
	j.a.analyze(j.c, j.r, func(_, lo, hi int) {
		for i, v := range z.Data[lo:hi] {
			j.c.Data[lo+i] -= float64(j.p.Mu * v)
		}
	})
	var images []Bounds
	for n := range z.Shape[0] {
		zn, cn := z.Data[n*size:(n+1)*size], j.c.Data[n*size:(n+1)*size]
		images = append(images, j.image(n, zn, cn, tensor.SumSquares(j.r.Row(n))))
	}
	return Certificate{Bounds: total(images), Images: images}
}

// image certifies the code of image n, given c and |r|^2.
func (j *certifier[T]) image(n int, z, c []float64, energy float64) Bounds {
	lambda, mu := j.p.Lambda, j.p.Mu
	v := j.measure(z, c)
	b := Bounds{
		Fidelity: energy / 2, Sparsity: float64(lambda * v.l1), Ridge: float64(mu * v.squares / 2), Scale: 1,
		KKT: v.violation, LambdaMax: j.lambdaMax[n], Minimum: v.least, Nonzeros: v.nonzeros, Elements: len(z),
	}
	b.Objective = b.Fidelity + b.Sparsity + b.Ridge
	if v.slope > lambda {
		b.Scale = lambda / v.slope
	}
	bad := math.IsNaN(b.Objective) || math.IsInf(b.Objective, 0)
	if bad || j.p.Nonnegative && v.least < 0 {
		b.Objective, b.Gap, b.RelativeGap, b.KKT = math.Inf(1), math.Inf(1), math.Inf(1), math.Inf(1)
		return b
	}
	first, second := j.gaps(z, c, b.Scale)
	rest := 1 - b.Scale
	b.Gap = first + float64(rest*rest*(energy+float64(mu*v.squares)))/2
	b.SafeZeros = j.safeZeros(c, b.Scale, math.Sqrt(2*b.Gap))
	if mu > 0 {
		b.Gap = min(b.Gap, second)
	}
	if j.curvature.least > 0 {
		b.Gap = min(b.Gap, j.curvedGap(z, c, j.r.Row(n).Data))
	}
	whole := b.Objective
	if lambda == 0 && mu == 0 {
		whole = max(whole, float64(0x1p-52*j.energies[n]/2))
	}
	if b.Gap > 0 {
		b.RelativeGap = b.Gap / whole
	}
	return b
}

// total is the bounds of a batch, given those of its images.
func total(images []Bounds) Bounds {
	t := Bounds{Scale: 1, Minimum: math.Inf(1)}
	for _, b := range images {
		t.Objective += b.Objective
		t.Fidelity += b.Fidelity
		t.Sparsity += b.Sparsity
		t.Ridge += b.Ridge
		t.Gap += b.Gap
		t.RelativeGap = max(t.RelativeGap, b.RelativeGap)
		t.Scale = min(t.Scale, b.Scale)
		t.KKT = max(t.KKT, b.KKT)
		t.LambdaMax = max(t.LambdaMax, b.LambdaMax)
		t.Minimum = min(t.Minimum, b.Minimum)
		t.Nonzeros += b.Nonzeros
		t.SafeZeros += b.SafeZeros
		t.Elements += b.Elements
	}
	return t
}
