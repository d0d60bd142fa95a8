package graph

import (
	"math"

	"sdref/internal/elementary"
)

// GELU's tanh has the argument geluScale (x + geluCubic x^3); geluScale is sqrt(2/pi).
const (
	geluScale = 0.79788456080286535587989211986876
	geluCubic = 0.044715
)

// geluTanh returns tanh u, 1 - tanh(u)^2 and du/dx, u being tanh's argument in GELU of x. Both are computed from exp(-2|u|), so
// that nothing overflows or cancels.
func geluTanh(x float64) (tanh, rest, slope float64) {
	square := float64(x * x)
	e := elementary.Exp(-2 * math.Abs(geluScale*x*math.FMA(geluCubic, square, 1)))
	tanh = math.Copysign((1-e)/(1+e), x)
	return tanh, 4 * e / float64((1+e)*(1+e)), geluScale * math.FMA(3*geluCubic, square, 1)
}

func gelu(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 {
		x := in[0].Data[i]
		if math.IsInf(x, -1) {
			return 0
		}
		tanh, _, _ := geluTanh(x)
		return x / 2 * (1 + tanh)
	})
}

// geluMagnitude is |x|: 1 + tanh cancels where x < 0.
func geluMagnitude(_ *Node, in []*Tensor, _ *Tensor) *Tensor { return absolute(nil, nil, in[0]) }

// geluGrad is dy times half the derivative of x (1 + tanh u).
func geluGrad(_ *Node, in []*Tensor) *Tensor {
	return each(in[0], func(i int) float64 {
		x := geluBound(in[0].Data[i])
		tanh, rest, slope := geluTanh(x)
		return in[1].Data[i] * (1 + tanh + float64(x*rest*slope)) / 2
	})
}

// geluGradMagnitude takes both differences, 1 + tanh and 1 - tanh^2, for sums.
func geluGradMagnitude(_ *Node, in []*Tensor, _ *Tensor) *Tensor {
	return each(in[0], func(i int) float64 {
		x := math.Abs(geluBound(in[0].Data[i]))
		tanh, _, slope := geluTanh(x)
		return math.Abs(in[1].Data[i]) * (1 + tanh + float64(x*slope*math.FMA(tanh, tanh, 1))) / 2
	})
}

// geluBound is x where the derivative is not 0 or 1 in any arithmetic. It keeps NaN, and infinity from meeting 0.
func geluBound(x float64) float64 { return max(-100, min(x, 100)) }
