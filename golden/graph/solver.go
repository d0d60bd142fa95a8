package graph

import (
	"math"

	"sdref/conv"
	"sdref/csc"
)

// FISTA appends s.Iterations steps of FISTA from 0, as csc.FISTA, for the signal x, the atoms w and the step size t, and returns
// the name of the last code. Its nodes are LAYER/k/ and
//
//	momentum      y_k = z_{k-1} + (m_{k-1} - 1)/m_k (z_{k-1} - z_{k-2}), (A.1), third line; from the third iteration on
//	synthesis     A g_k, where g_k is y_k (Paper) or z_{k-1} (Published); from the second iteration on
//	residual      x - A g_k; from the second iteration on
//	analysis      A*(x - A g_k), in the first iteration A*x
//	prethreshold  y_k + t A*(x - A g_k)
//	code          z_k = prox(prethreshold), (A.1), first line
func (b *Builder) FISTA(layer, x, w, t string, s csc.Settings) string {
	threshold := Attrs{"lambda": s.Lambda, "mu": s.Mu}
	if s.Nonnegative {
		threshold["nonnegative"] = 1
	}
	analysis := Convolution(s.Geometry)
	synthesis := TransposedConvolution(s.Geometry, b.Shape(x)[2], b.Shape(x)[3])
	var z, before string
	m := 1.0
	for k := 1; k <= s.Iterations; k++ {
		at := func(quantity string) Place { return Place{layer, k, quantity} }
		if k == 1 {
			slope := b.Node("analysis", at("analysis"), analysis, x, w)
			u := b.Node("scale", at("prethreshold"), Attrs{"scale": 1}, slope, t)
			z = b.Node("prox", at("code"), threshold, u, t)
			continue
		}
		next := (1 + math.Sqrt(1+float64(4*m*m))) / 2 // (A.1), second line
		y := z
		if k > 2 { // at k = 2 the factor m_1 - 1 is 0
			y = b.Node("extrapolate", at("momentum"), Attrs{"ratio": (m - 1) / next}, z, before)
		}
		m = next
		from := z
		if s.Variant == csc.Paper {
			from = y
		}
		signal := b.Node("synthesis", at("synthesis"), synthesis, from, w)
		residual := b.Node("axpy", at("residual"), Attrs{"scale": -1}, x, signal)
		slope := b.Node("analysis", at("analysis"), analysis, residual, w)
		u := b.Node("axpy", at("prethreshold"), Attrs{"scale": 1}, y, slope, t)
		before, z = z, b.Node("prox", at("code"), threshold, u, t)
	}
	return z
}

// Power says how a power iteration is done.
type Power struct {
	Rounds    int     // so many, as the rule gives in float64
	Tolerance float64 // the rule: until the squared norm of the vector's update is at most this
	Share     float64 // the step size is Share/eigenvalue
}

// Published is the published power iteration, with the number of rounds left to set.
var Published = Power{Tolerance: csc.PowerTolerance, Share: csc.StepShare}

// PowerIteration appends rounds of power iteration on A*A from the vector v (1, M, Ho, Wo), for signals of the given height and
// width, as csc.PowerIteration, and returns the names of the last vector and of the step size. Its nodes are LAYER/power/k/ and
//
//	synthesis   A v
//	analysis    A*A v
//	vector      A*A v / |A*A v|, (A.4)
//	change      the squared norm of the vector's update
//
// then LAYER/power/rounds, the number of the first change within the tolerance, LAYER/power/synthesis, A v,
// LAYER/eigenvalue, |A v|^2 (A.5), and LAYER/step.
func (b *Builder) PowerIteration(layer, v, w string, height, width int, p Power, g conv.Geometry) (vector, step string) {
	analysis, synthesis := Convolution(g), TransposedConvolution(g, height, width)
	at := func(k int, quantity string) Place { return Place{join(layer, "power"), k, quantity} }
	var changes []string
	for k := 1; k <= p.Rounds; k++ {
		signal := b.Node("synthesis", at(k, "synthesis"), synthesis, v, w)
		code := b.Node("analysis", at(k, "analysis"), analysis, signal, w)
		next := b.Node("unit", at(k, "vector"), nil, code)
		changes = append(changes, b.Node("distance", at(k, "change"), nil, next, v))
		v = next
	}
	b.Node("rounds", at(0, "rounds"), Attrs{"tolerance": p.Tolerance}, changes...)
	signal := b.Node("synthesis", at(0, "synthesis"), synthesis, v, w)
	value := b.Node("sum_squares", Place{Layer: layer, Quantity: "eigenvalue"}, nil, signal)
	return v, b.Node("step", Place{Layer: layer, Quantity: "step"}, Attrs{"share": p.Share}, value)
}

// UnitAtoms appends LAYER/weight, the atoms of norm 1.
func (b *Builder) UnitAtoms(layer, w string) string {
	return b.Node("unit_atoms", Place{Layer: layer, Quantity: "weight"}, nil, w)
}
