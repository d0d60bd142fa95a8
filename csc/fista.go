package csc

import (
	"math"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/internal/misuse"
)

// FISTA appends s.Iterations steps of FISTA from z_0 = 0, for the signal x, the atoms w and the step size t, and returns the code:
//
//	z_k     = prox(y_k + t A*(x - A g_k)),  g_k = y_k (Paper) or z_{k-1} (Published),  y_1 = 0     (A.1), first line
//	m_{k+1} = (1 + sqrt(1 + 4 m_k^2))/2,  m_1 = 1                                                  (A.1), second line
//	y_{k+1} = z_k + (m_k - 1)/m_{k+1} (z_k - z_{k-1})                                              (A.1), third line
//
// with A* as in (A.2) and prox as in (A.3). t and lambda are scalars; a nil lambda stands for s.Lambda. Shapes as in the package's
// documentation. The nodes are LAYER/k/ and momentum (y_k, from the third iteration on), synthesis (A g_k) and residual (x - A g_k),
// both from the second iteration on, analysis, prethreshold (what prox is applied to) and code (z_k).
func FISTA(layer string, x, w, t, lambda *autodiff.Node, s Settings) *autodiff.Node {
	if s.Iterations < 1 {
		panic(misuse.Errorf("csc: FISTA needs at least one iteration, got %d", s.Iterations))
	}
	var z, y *autodiff.Node // nil stands for 0
	for k, m := 1, 1.0; ; k++ {
		at := iteration{layer, k, s, x, w, t, lambda}
		g, before := y, z
		if s.Variant == Published {
			g = z
		}
		z = at.prox(at.step(y, at.analysis(at.residual(g)))) // (A.1), first line
		if k == s.Iterations {
			return z
		}
		next := (1 + math.Sqrt(1+float64(4*m*m))) / 2 // (A.1), second line
		y = at.momentum(z, before, (m-1)/next)        // (A.1), third line
		m = next
	}
}

// iteration appends the nodes of one iteration.
type iteration struct {
	layer string
	k     int
	Settings
	x, w, t, lambda *autodiff.Node
}

// residual is x - A g.
func (i iteration) residual(g *autodiff.Node) *autodiff.Node {
	if g == nil {
		return i.x
	}
	height, width := conv.Sizes(i.x.Shape)
	signal := autodiff.Synthesis(g, i.w, height, width, i.Geometry).At(i.layer, i.k, "synthesis")
	return autodiff.Axpy(i.x, signal, -1, nil).At(i.layer, i.k, "residual")
}

// analysis is A* r.
func (i iteration) analysis(r *autodiff.Node) *autodiff.Node {
	return autodiff.Analysis(r, i.w, i.Geometry).At(i.layer, i.k, "analysis")
}

// step is y + t u.
func (i iteration) step(y, u *autodiff.Node) *autodiff.Node {
	if y == nil {
		return autodiff.Scale(u, 1, i.t).At(i.layer, i.k, "prethreshold")
	}
	return autodiff.Axpy(y, u, 1, i.t).At(i.layer, i.k, "prethreshold")
}

// prox is the shrinkage (A.3) at u.
func (i iteration) prox(u *autodiff.Node) *autodiff.Node {
	return autodiff.Prox(u, i.t, i.lambda, i.Shrinkage()).At(i.layer, i.k, "code")
}

// momentum is the next iteration's y: z where the ratio is 0, as after the first iteration.
func (i iteration) momentum(z, before *autodiff.Node, ratio float64) *autodiff.Node {
	if ratio == 0 {
		return z
	}
	return autodiff.Extrapolate(z, before, ratio).At(i.layer, i.k+1, "momentum")
}
