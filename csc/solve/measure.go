package solve

import (
	"math"

	"sdref/internal/parallel"
	"sdref/tensor"
)

// piece is the number of elements of a code of one partial sum. The partial sums of an image are added in ascending
// order.
const piece = 1 << 13

// pieces calls part for consecutive pieces of [0, n), of size elements each, and then add, in order, with what
// each returned.
func pieces[S any](size, n int, part func(lo, hi int) S, add func(S)) {
	count := (n + size - 1) / size
	parts := make([]S, count)
	parallel.Ranges(count, 2, func(first, last int) {
		for i := first; i < last; i++ {
			parts[i] = part(i*size, min((i+1)*size, n))
		}
	})
	for _, s := range parts {
		add(s)
	}
}

// measures is what one pass over z and c computes.
type measures struct {
	l1, squares float64 // |z|_1, |z|^2
	slope       float64 // max |c|, or max(c, 0) where z >= 0
	violation   float64 // the worst violation of an optimality condition
	least       float64 // the smallest element of z
	nonzeros    int
}

// measure computes the measures of one image's z and c.
func (j *certifier[T]) measure(z, c []float64) measures {
	all := measures{least: math.Inf(1)}
	pieces(piece, len(z), func(lo, hi int) measures { return j.measurePiece(z[lo:hi], c[lo:hi]) }, func(s measures) {
		all.l1 += s.l1
		all.squares += s.squares
		all.slope = max(all.slope, s.slope)
		all.violation = max(all.violation, s.violation)
		all.least = min(all.least, s.least)
		all.nonzeros += s.nonzeros
	})
	return all
}

// measurePiece is measure for some of the elements. The optimality conditions of (B.1) are c = lambda sign(z)
// where z is not 0, and |c| <= lambda (c <= lambda where z >= 0 is asked for) where it is.
func (j *certifier[T]) measurePiece(z, c []float64) measures {
	s, lambda := measures{least: math.Inf(1)}, j.p.Lambda
	for i, v := range z {
		slope := j.oneSided(c[i])
		s.slope = max(s.slope, slope)
		s.least = min(s.least, v)
		if v == 0 {
			s.violation = max(s.violation, slope-lambda)
			continue
		}
		s.nonzeros++
		s.l1 += math.Abs(v)
		s.squares += float64(v * v)
		s.violation = max(s.violation, math.Abs(c[i]-math.Copysign(lambda, v)))
	}
	return s
}

// oneSided is |c|, or max(c, 0) where z >= 0 is asked for.
func (j *certifier[T]) oneSided(c float64) float64 {
	if j.p.Nonnegative {
		return max(c, 0)
	}
	return math.Abs(c)
}

// gaps are the sums over an image's elements of the two gaps of Certify; the second is 0 for mu = 0.
func (j *certifier[T]) gaps(z, c []float64, s float64) (first, second float64) {
	lambda, mu := j.p.Lambda, j.p.Mu
	pieces(piece, len(z), func(lo, hi int) (part [2]float64) {
		for i := lo; i < hi; i++ {
			if z[i] != 0 { // s c = lambda may be a rounding error below
				part[0] += max(0, float64(lambda*math.Abs(z[i]))-float64(s*c[i]*z[i]))
			}
			if mu > 0 {
				part[1] += j.elasticGap(z[i], c[i]+float64(mu*z[i]), lambda, mu)
			}
		}
		return part
	}, func(part [2]float64) { first, second = first+part[0], second+part[1] })
	return first, second
}

// elasticGap is an element of the second gap, lambda |z| - z b + mu/2 (z-q)^2.
func (j *certifier[T]) elasticGap(z, a, lambda, mu float64) float64 {
	q := math.Copysign(max(0, j.oneSided(a)-lambda)/mu, a)
	b := a
	if q != 0 { // b = a - mu q
		b = math.Copysign(lambda, a)
	}
	d := z - q
	return max(0, float64(lambda*math.Abs(z))-float64(z*b)) + float64(mu/2*d*d)
}

// safeZeros counts the elements that are 0 in every solution. radius is a bound of the distance from the
// dual's solution.
func (j *certifier[T]) safeZeros(c []float64, s, radius float64) (count int) {
	plane := j.c.Shape[2] * j.c.Shape[3]
	for m, norm := range j.norms {
		limit := j.p.Lambda - float64(norm*radius)
		pieces(piece, plane, func(lo, hi int) (n int) {
			for _, v := range c[m*plane+lo : m*plane+hi] {
				if !j.p.Nonnegative { // where z >= 0 is asked for, a negative c counts as it is
					v = math.Abs(v)
				}
				if float64(s*v) < limit {
					n++
				}
			}
			return n
		}, func(n int) { count += n })
	}
	return count
}

// norm is |v|, summed as tensor.SumSquares does.
func norm[T tensor.Float](v *tensor.Tensor[T]) float64 { return math.Sqrt(tensor.SumSquares(v)) }
