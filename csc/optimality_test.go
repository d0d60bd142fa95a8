package csc

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"sdref/tensor"
)

// residualAndSlope returns r = x - A z and A*r by gonum, one column per image.
func (p problem) residualAndSlope(z *tensor.Tensor[float64]) (r, slope *mat.Dense) {
	r, slope = new(mat.Dense), new(mat.Dense)
	r.Mul(p.a, columns(z))
	r.Sub(columns(p.x), r)
	slope.Mul(p.a.T(), r)
	return r, slope
}

// violation is by how much z misses the optimality conditions of (B.1): with slope = A*(x - A z) - mu z,
//
//	slope = lambda sign(z) where z is not 0,   |slope| <= lambda where it is,
//
// or slope <= lambda there and z >= 0 everywhere under the sign constraint.
func (p problem) violation(z *tensor.Tensor[float64], s Settings) float64 {
	_, slopes := p.residualAndSlope(z)
	worst := 0.0
	for i, slope := range images(slopes, z.Shape...).Data {
		v := z.Data[i]
		slope -= s.Mu * v
		switch {
		case v != 0:
			worst = max(worst, math.Abs(slope-math.Copysign(s.Lambda, v)))
		case s.Nonnegative:
			worst = max(worst, slope-s.Lambda)
		default:
			worst = max(worst, math.Abs(slope)-s.Lambda)
		}
		if s.Nonnegative && v < 0 {
			worst = math.Inf(1)
		}
	}
	return worst
}

// objective is (B.1) in plain loops.
func (p problem) objective(z *tensor.Tensor[float64], s Settings) float64 {
	total := 0.0
	for _, v := range z.Data {
		total += penalty(v, s)
	}
	r, _ := p.residualAndSlope(z)
	norm := mat.Norm(r, 2)
	return total + norm*norm/2
}

// dual is a lower bound of the least objective, from Fenchel's duality: for every v, the sum over images of
//
//	<v, x> - |v|^2/2 - h*(A*v),   h*(q) = sum of max(|q|-lambda, 0)^2 / (2 mu),
//
// without |.| under the sign constraint; for mu = 0, h* is 0 where |q| <= lambda and infinite elsewhere. Here v is the residual
// at z, scaled down into that region if mu = 0.
func (p problem) dual(z *tensor.Tensor[float64], s Settings) float64 {
	r, slope := p.residualAndSlope(z)
	over := func(q float64) float64 {
		if s.Nonnegative {
			return max(q, 0)
		}
		return math.Abs(q)
	}
	x, total := columns(p.x), 0.0
	for n := range p.n {
		shrink, conjugate := 1.0, 0.0
		for j := range p.codeSize() {
			q := over(slope.At(j, n))
			if s.Mu == 0 {
				shrink = min(shrink, s.Lambda/max(q, s.Lambda))
			} else {
				conjugate += max(q-s.Lambda, 0) * max(q-s.Lambda, 0) / (2 * s.Mu)
			}
		}
		v := r.ColView(n)
		total += shrink*mat.Dot(v, x.ColView(n)) - shrink*shrink*mat.Dot(v, v)/2 - conjugate
	}
	return total
}
