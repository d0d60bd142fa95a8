package optim

import (
	"math"

	"sdref/autodiff"
)

// MuonMomentum is the momentum of the published recipe for CIFAR.
const MuonMomentum = 0.6

const (
	// newtonSchulzSteps is how often the polynomial is applied, as in the published recipe for CIFAR.
	newtonSchulzSteps = 3
	// The polynomial's coefficients of x, x^3 and x^5, as published. It has a slope of 3.4 at 0 and stays between 0.7 and 1.2 on the way to
	// 1, since singular values need to be alike, not equal.
	newtonSchulz1, newtonSchulz3, newtonSchulz5 = 3.4445, -4.7750, 2.0315
)

// appendMuon appends one step of Muon (K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024) for the filters w
// (M, K), a row for each: what Nesterov momentum would move them by, with its singular values made alike, from filters whose norm is
// sqrt(M), as K. Jordan's recipe for CIFAR has it,
//
//	v' = momentum*v + g,  O = orthogonal(g + momentum*v'),  w' = sqrt(M) w/|w| - rate*O.
//
// So a step turns the filters by about the rate whatever the size of their gradient; their size, which BatchNorm or atoms that are
// normalised make immaterial, is not trained. zero is a vector (M) of zeros.
func appendMuon(layer, parameter string, w, g, v, zero, rate *autodiff.Node, momentum float64) (after, velocity *autodiff.Node) {
	at := func(n *autodiff.Node, what string, index int) *autodiff.Node {
		return n.At(join(layer, what), index, parameter)
	}
	velocity = at(autodiff.Velocity(v, g, w, autodiff.Descent{Momentum: momentum}), "velocity_after", 0)
	x := at(autodiff.Unit(at(autodiff.Axpy(g, velocity, momentum, nil), "muon_direction", 0)), "muon", 0)
	rows, cols := w.Shape[0], w.Shape[1]
	// The shorter side's inner products A, so that what follows is x' = a x + (b A + c A A) x, or with the factor on the right.
	inner := func() *autodiff.Node { return autodiff.Linear(x, x, zero) }
	apply := func(factor *autodiff.Node) *autodiff.Node { return autodiff.Product(factor, x) }
	if rows > cols {
		inner = func() *autodiff.Node { return autodiff.TransposedProduct(x, x) }
		apply = func(factor *autodiff.Node) *autodiff.Node { return autodiff.Product(x, factor) }
	}
	for i := range newtonSchulzSteps {
		gram := at(inner(), "muon_gram", i)
		square := at(autodiff.Product(gram, gram), "muon_square", i)
		cubic := at(autodiff.Scale(gram, newtonSchulz3, nil), "muon_cubic", i)
		factor := at(autodiff.Axpy(cubic, square, newtonSchulz5, nil), "muon_factor", i)
		x = at(autodiff.Axpy(at(apply(factor), "muon_product", i), x, newtonSchulz1, nil), "muon", i+1)
	}
	unit := at(autodiff.Scale(at(autodiff.Unit(w), "unit", 0), math.Sqrt(float64(rows)), nil), "normalised", 0)
	return at(autodiff.Axpy(unit, x, -1, rate), "after", 0), velocity
}
