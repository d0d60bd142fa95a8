package csc

import (
	"math"
	"testing"

	"sdref/autodiff"
	"sdref/internal/random"
	"sdref/tensor"
)

// penalties are the proximal operator's four kinds, with lambda and mu distinct from 1 and from each other.
var penalties = map[string]Settings{
	"signed":              {Lambda: 0.375},
	"nonnegative":         {Lambda: 0.375, Nonnegative: true},
	"elastic":             {Lambda: 0.375, Mu: 0.7},
	"elastic nonnegative": {Lambda: 0.375, Mu: 0.7, Nonnegative: true},
}

const proxStep = 0.8

func prox(u []float64, step float64, s Settings) []float64 {
	g := autodiff.NewGraph()
	at, t := g.Input("u", len(u)), g.Input("t")
	z := autodiff.Prox(at, t, nil, s.Shrinkage())
	return values(map[*autodiff.Node]*tensor.Tensor[float64]{at: tensor.From(u, len(u)), t: scalar(step)}, z)[0].Data
}

// penalty is lambda |z| + mu/2 z^2, infinite where z must not be.
func penalty(z float64, s Settings) float64 {
	if s.Nonnegative && z < 0 {
		return math.Inf(1)
	}
	return s.Lambda*math.Abs(z) + s.Mu/2*z*z
}

// points are numbers on both sides of the threshold 0.3, on it, and zero.
func points() []float64 {
	u := []float64{0, math.Copysign(0, -1), 0.375 * proxStep, -0.375 * proxStep, 1e-300, -1e-300, 1e6, -1e6}
	for i := -60; i <= 60; i++ {
		u = append(u, float64(i)/32)
	}
	return u
}

// TestProxIsTheMinimiser finds the minimum of t penalty(z) + (z-u)^2/2 by ternary search. Near the minimum m a function value
// near f shows only differences of z beyond sqrt(2 f ulp), hence the bound.
func TestProxIsTheMinimiser(t *testing.T) {
	for name, s := range penalties {
		u := points()
		for i, z := range prox(u, proxStep, s) {
			f := func(z float64) float64 { return proxStep*penalty(z, s) + (z-u[i])*(z-u[i])/2 }
			lo, hi := -math.Abs(u[i])-1, math.Abs(u[i])+1
			if s.Nonnegative {
				lo = 0
			}
			for range 200 {
				a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
				if f(a) <= f(b) {
					hi = b
				} else {
					lo = a
				}
			}
			if bound := 4 * math.Sqrt(f(z)*0x1p-52); math.Abs(z-lo) > bound+1e-15 {
				t.Errorf("%s: prox(%g) = %g, the minimum is at %g", name, u[i], z, lo)
			}
		}
	}
}

// TestProxOptimality is sharper: u - z - t mu z is t lambda times a subgradient of |.| at z, or, at z = 0 under the sign
// constraint, not above t lambda.
func TestProxOptimality(t *testing.T) {
	for name, s := range penalties {
		u := points()
		for i, z := range prox(u, proxStep, s) {
			slope, bound := u[i]-z-proxStep*s.Mu*z, 1e-15*math.Abs(u[i])
			threshold := proxStep * s.Lambda
			ok := false
			switch {
			case z != 0:
				ok = math.Abs(slope-math.Copysign(threshold, z)) <= bound && (z > 0 || !s.Nonnegative)
			case s.Nonnegative:
				ok = slope <= threshold+bound
			default:
				ok = math.Abs(slope) <= threshold+bound
			}
			if !ok {
				t.Errorf("%s: prox(%g) = %g leaves %g, threshold %g", name, u[i], z, slope, threshold)
			}
		}
	}
}

// TestProxFirmlyNonexpansive: |Pu - Pv|^2 <= <Pu - Pv, u - v>, with the factor 1 + mu t on the left because the penalty is
// mu-strongly convex.
func TestProxFirmlyNonexpansive(t *testing.T) {
	const pairs = 4000
	r := random.New(31)
	for name, s := range penalties {
		u, v := make([]float64, pairs), make([]float64, pairs)
		for i := range u {
			u[i], v[i] = 2*r.Unit(uint64(2*i)), 2*r.Unit(uint64(2*i+1))
		}
		pu, pv := prox(u, proxStep, s), prox(v, proxStep, s)
		moved := 0
		for i := range u {
			d, e := pu[i]-pv[i], u[i]-v[i]
			if d != 0 {
				moved++
			}
			if (1+s.Mu*proxStep)*d*d > d*e+1e-15 {
				t.Errorf("%s: prox takes %g, %g to %g, %g", name, u[i], v[i], pu[i], pv[i])
			}
		}
		if moved < pairs/4 {
			t.Errorf("%s: only %d of %d pairs are told apart", name, moved, pairs)
		}
	}
}
