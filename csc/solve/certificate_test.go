package solve

import (
	"math"
	"testing"

	"sdref/conv"
	"sdref/internal/random"
	"sdref/tensor"
)

// exact returns a solution.
func exact(p *Problem[float64]) *tensor.Tensor[float64] {
	gap := 1e-13
	if p.Mu > 0 {
		gap = 1e-17
	}
	return Coordinate[float64]{}.Solve(p, Stop{RelativeGap: gap, Iterations: 5000}, nil).Z
}

// TestCertificateOfAnyCode: for codes that are wrong in many ways, the gap is at least the true distance
// from the least objective, the safe zeros are zeros of the solution, and with mu > 0 |z - z*| keeps its
// bound.
func TestCertificateOfAnyCode(t *testing.T) {
	for _, b := range boundaries {
		for seed := range uint64(12) {
			p := randomProblem(seed, b, seed%2 == 0)
			best := exact(p)
			least := Certify(p, best).Objective
			for kind, z := range foreign(p, best, seed) {
				c := Certify(p, z)
				if !(c.Gap >= (c.Objective-least)*(1-1e-9)-1e-13*least) {
					t.Errorf("%s, %s: gap %g, but the objective is %g too high", describe(p), kind, c.Gap,
						c.Objective-least)
				}
				if zeros := best.Len() - tensor.CountNonzero(best); c.SafeZeros > zeros {
					t.Errorf("%s, %s: %d safe zeros, the solution has %d zeros", describe(p), kind,
						c.SafeZeros, zeros)
				}
				if d := distance(z, best); p.Mu > 0 && d > c.Distance(p.Mu)*(1+1e-9)+1e-7 {
					t.Errorf("%s, %s: %g away from the solution, proven %g", describe(p), kind, d,
						c.Distance(p.Mu))
				}
			}
		}
	}
}

// foreign lists codes that are not solutions, or only nearly.
func foreign(p *Problem[float64], best *tensor.Tensor[float64],
	seed uint64) map[string]*tensor.Tensor[float64] {
	s, codes := random.New(seed), map[string]*tensor.Tensor[float64]{"solution": best,
		"zero": tensor.New[float64](best.Shape...)}
	for kind, change := range map[string]func(i int, v float64) float64{
		"scaled":   func(_ int, v float64) float64 { return 1.3 * v },
		"shrunk":   func(_ int, v float64) float64 { return 0.7 * v },
		"noisy":    func(i int, v float64) float64 { return v + 1e-3*math.Abs(s.Unit(uint64(i))) },
		"thinned":  func(i int, v float64) float64 { return v * float64(s.Intn(uint64(i), 2)) },
		"rounded":  func(_ int, v float64) float64 { return float64(float32(v)) },
		"random":   func(i int, _ float64) float64 { return math.Abs(s.Unit(uint64(i))) },
		"opposite": func(_ int, v float64) float64 { return -v },
	} {
		if kind == "opposite" && p.Nonnegative {
			continue
		}
		z := best.Clone()
		for i, v := range z.Data {
			z.Data[i] = change(i, v)
		}
		codes[kind] = z
	}
	return codes
}

// TestCertificateByDefinition computes every number of a certificate by other means: the operator written as
// loops, sums in plain order, and the duality gap as the difference of the primal and the dual objective.
func TestCertificateByDefinition(t *testing.T) {
	for _, b := range boundaries {
		for seed := range uint64(9) {
			p := randomProblem(seed, b, seed%2 == 0)
			p.X = oneImage(p.X, 0)
			z := exact(p)
			for i := range z.Data {
				z.Data[i] *= 0.9
			}
			c := Certify(p, z)
			r := defined(p, z)
			tensor.AddScaled(r, p.X, r, -1)
			a := tensor.New[float64](z.Shape...)
			p.A.Analyze(a, r)
			var l1, squares, slope, violation float64
			for i, v := range z.Data {
				s := a.Data[i] - p.Mu*v
				l1 += math.Abs(v)
				squares += v * v
				up := math.Abs(s)
				if p.Nonnegative {
					up = s
				}
				slope = max(slope, up)
				if v != 0 {
					up = math.Abs(s - math.Copysign(p.Lambda, v))
				} else {
					up -= p.Lambda
				}
				violation = max(violation, up)
			}
			primal := p.Lambda*l1 + p.Mu/2*squares + tensor.SumSquares(r)/2
			// the dual point s [r; -sqrt(mu) z], and its value <point, [x; 0]> - |point|^2/2
			s := min(1, p.Lambda/slope)
			gap := primal - s*tensor.Dot(r, p.X) + s*s*(tensor.SumSquares(r)+p.Mu*squares)/2
			if safe := safeZeros(p, z, a, s, math.Sqrt(2*gap)); c.SafeZeros != safe {
				t.Errorf("%s: %d safe zeros, want %d", describe(p), c.SafeZeros, safe)
			}
			if p.Mu > 0 { // r itself
				conjugate := 0.0
				for _, v := range a.Data {
					if !p.Nonnegative {
						v = math.Abs(v)
					}
					conjugate += max(0, v-p.Lambda) * max(0, v-p.Lambda) / (2 * p.Mu)
				}
				gap = min(gap, primal-tensor.Dot(r, p.X)+tensor.SumSquares(r)/2+conjugate)
			}
			for what, pair := range map[string][2]float64{
				"objective": {c.Objective, primal}, "gap": {c.Gap, gap}, "scale": {c.Scale, s},
				"violation":    {c.KKT, violation},
				"relative gap": {c.RelativeGap, gap / primal},
			} {
				if math.Abs(pair[0]-pair[1]) > 1e-11*primal {
					t.Errorf("%s: %s %.17g, want %.17g", describe(p), what, pair[0], pair[1])
				}
			}
		}
	}
}

// safeZeros counts the elements whose slope, at every dual point within radius of s times z's, stays below
// lambda: it moves by at most the length of [atom; sqrt(mu)] times radius.
func safeZeros(p *Problem[float64], z, a *tensor.Tensor[float64], s, radius float64) (count int) {
	plane := z.Shape[2] * z.Shape[3]
	for i, v := range z.Data {
		slope := s * (a.Data[i] - p.Mu*v)
		if !p.Nonnegative {
			slope = math.Abs(slope)
		}
		if slope+radius*math.Sqrt(tensor.SumSquares(p.A.Atoms.Row(i/plane%z.Shape[1]))+p.Mu) < p.Lambda {
			count++
		}
	}
	return count
}

// TestOrthonormal: with Haar's atoms at stride 2, whose shifts are an orthonormal basis, the solution is soft
// thresholding of A*x by lambda, divided by 1 + mu, and its certificate says so.
func TestOrthonormal(t *testing.T) {
	w := tensor.From([]float64{1, 1, 1, 1, 1, -1, 1, -1, 1, 1, -1, -1, 1, -1, -1, 1}, 4, 1, 2, 2)
	tensor.Scale(w, w, 0.5)
	for _, mu := range []float64{0, 0.5} {
		p := &Problem[float64]{A: ZeroPadded(w, conv.Geometry{Stride: 2}), X: fill[float64](1, 2, 2, 1, 6, 8),
			Lambda: 0.4, Mu: mu}
		want := tensor.New[float64](p.CodeShape()...)
		p.A.Analyze(want, p.X)
		for i, v := range want.Data {
			want.Data[i] = math.Copysign(max(0, math.Abs(v)-p.Lambda)/(1+mu), v)
		}
		if c := Certify(p, want); c.RelativeGap > 1e-15 || c.KKT > 1e-14 ||
			c.SafeZeros != want.Len()-tensor.CountNonzero(want) {
			t.Errorf("mu %g: the closed form has %+v", mu, c.Bounds)
		}
		for _, s := range Solvers[float64]() {
			if !converges(s, p) {
				continue
			}
			if r := s.Solve(p, Stop{RelativeGap: 1e-15, Iterations: 2000}, nil); relative(r.Z, want) > 1e-7 {
				t.Errorf("mu %g: %s misses the closed form by %g", mu, s.Name(), relative(r.Z, want))
			}
		}
	}
}

// TestLambdaMax: from lambda_max on the solution is 0, just below it is not.
func TestLambdaMax(t *testing.T) {
	for _, nonnegative := range []bool{false, true} {
		p := randomProblem(4, ZeroBoundary, nonnegative)
		p.X = oneImage(p.X, 0)
		most := lambdaMax(p)
		zero := tensor.New[float64](p.CodeShape()...)
		p.Lambda = most
		if c := Certify(p, zero); c.Gap != 0 || c.KKT != 0 || c.RelativeGap != 0 {
			t.Errorf("lambda_max: gap %g, violation %g", c.Gap, c.KKT)
		}
		if z := exact(p); tensor.CountNonzero(z) != 0 {
			t.Error("lambda_max: the solution is not 0")
		}
		p.Lambda = most * (1 - 1e-6)
		if c := Certify(p, zero); c.Gap <= 0 {
			t.Error("below lambda_max: 0 is certified")
		}
		if z := exact(p); tensor.CountNonzero(z) == 0 {
			t.Error("below lambda_max: the solution is 0")
		}
	}
}

// TestNotAllowed: codes that are no candidates have infinite gaps; of a signal of zeros the solution is 0.
func TestNotAllowed(t *testing.T) {
	p := randomProblem(2, FullBoundary, true)
	for what, v := range map[string]float64{"negative": -1e-300, "NaN": math.NaN(), "infinite": math.Inf(1)} {
		z := tensor.New[float64](p.CodeShape()...)
		z.Data[3] = v
		if c := Certify(p, z); !math.IsInf(c.Gap, 1) || !math.IsInf(c.RelativeGap, 1) ||
			!math.IsInf(c.Objective, 1) {
			t.Errorf("%s: %+v", what, c.Bounds)
		}
	}
	clear(p.X.Data)
	for _, s := range Solvers[float64]() {
		if s.Supports(p) == nil {
			if r := s.Solve(p, Stop{Iterations: 3}, nil); r.Reason != GapReached || r.Last.Objective != 0 {
				t.Errorf("%s: zeros are coded as %+v", s.Name(), r.Last)
			}
		}
	}
	mustPanic(t, "a code of another shape", func() { Certify(p, tensor.New[float64](1, 1, 1, 1)) })
	p.Lambda = math.NaN()
	mustPanic(t, "lambda NaN", func() { Certify(p, tensor.New[float64](p.CodeShape()...)) })
}

// TestFloat32Certificate: the certificate of a float32 code has the numbers of the same code in float64.
func TestFloat32Certificate(t *testing.T) {
	p := Convert[float32](randomProblem(5, ZeroBoundary, false))
	z := FISTA[float32]{}.Solve(p, Stop{Iterations: 20}, nil).Z
	got, want := Certify(p, z), Certify(Convert[float64](p), tensor.Convert[float64](z))
	if got.Bounds != want.Bounds {
		t.Errorf("%+v, want %+v", got.Bounds, want.Bounds)
	}
}
