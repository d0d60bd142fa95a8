package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// geluPoints returns numbers of every exponent and both signs, as many more where GELU bends, the numbers
// around its ends, and what is no number.
func geluPoints[T Float](more int) []T {
	r := rand.New(rand.NewPCG(12, 13))
	largest, _, subnormal := limits[T]()
	g := geluOf[T]()
	x := []T{0, T(corner("-0")), T(corner("inf")), T(-corner("inf")), T(corner("nan")), T(largest), T(-largest)}
	for v := subnormal; v <= largest/2; v *= 2 {
		x = append(x, T(v), T(-v))
		for range 10 {
			x = append(x, T(v*(1+r.Float64())), T(-v*(1+r.Float64())))
		}
	}
	for range more / 4 {
		x = append(x, 2*g.low*T(r.Float64()), 2*g.high*T(r.Float64()), T(r.NormFloat64()),
			[]T{g.low, g.high}[r.IntN(2)]*T(1+0x1p-13*(r.Float64()-0.5)))
	}
	return x
}

// geluBounds is the errors that gelu.go tells, in units of half a bit of 1: of y relative to x, and to y
// itself where x > 0 and where x > -5; of the derivative; and the largest |y| that is taken for 0.
type geluBounds struct{ toX, above, below, slope, lost float64 }

// TestGELUAccuracy holds both functions against exact ones. What is subnormal has half a bit of its own.
func TestGELUAccuracy(t *testing.T) {
	exact32, exact64 := geluBounds{2, 2.2, 30, 4, 4.3e-38}, geluBounds{2, 2.2, 30, 4, 1.7e-307}
	unfused32, unfused64 := geluBounds{2, 2.2, 36, 4.5, 4.3e-38}, geluBounds{2, 2.2, 36, 4.5, 1.7e-307}
	t.Run("float32", func(t *testing.T) { testGELUAccuracy(t, Rows[float32]()[0], 300_000, 0x1p-24, exactGELU, exact32) })
	t.Run("float64", func(t *testing.T) { testGELUAccuracy(t, Rows[float64]()[0], 4_000, 0x1p-53, preciseGELU, exact64) })
	t.Run("unfused/float32", func(t *testing.T) {
		testGELUAccuracy(t, Unfused[float32](), 300_000, 0x1p-24, exactGELU, unfused32)
	})
	t.Run("unfused/float64", func(t *testing.T) {
		testGELUAccuracy(t, Unfused[float64](), 4_000, 0x1p-53, preciseGELU, unfused64)
	})
}

func testGELUAccuracy[T Float](t *testing.T, row *Set[T], more int, unit float64, exact func(x float64) (y, slope float64), want geluBounds) {
	x := geluPoints[T](more)
	y, slope, ones := make([]T, len(x)), make([]T, len(x)), make([]T, len(x))
	for i := range ones {
		ones[i] = 1
	}
	row.GELU(y, x)
	row.GELUGrad(slope, x, ones)
	_, _, subnormal := limits[T]()
	var got geluBounds
	for i, v := range x {
		v := float64(v)
		if v == 0 || math.IsInf(v, 0) || v != v {
			continue // TestGELUEnds
		}
		exactY, exactSlope := exact(v)
		if y[i] == 0 {
			got.lost = max(got.lost, math.Abs(exactY))
			continue
		}
		e := max(0, math.Abs(float64(y[i])-exactY)-subnormal/2) / unit
		got.toX = max(got.toX, e/math.Abs(v))
		if v > 0 {
			got.above = max(got.above, e/math.Abs(exactY))
		}
		if v > -5 {
			got.below = max(got.below, e/math.Abs(exactY))
		}
		got.slope = max(got.slope, math.Abs(float64(slope[i])-exactSlope)/unit)
	}
	t.Logf("%d points: %+v", len(x), got)
	if !(got.toX <= want.toX && got.above <= want.above && got.below <= want.below && got.slope <= want.slope &&
		got.lost <= want.lost) {
		t.Errorf("errors %+v, want at most %+v", got, want)
	}
}

// TestGELUEnds: what gelu.go says of the ends, of zeros and of NaN.
func TestGELUEnds(t *testing.T) { eachRow(t, testGELUEnds[float32], testGELUEnds[float64]) }

func testGELUEnds[T Float](t *testing.T, row *Set[T]) {
	nan, inf, negativeZero := T(corner("nan")), T(corner("inf")), T(corner("-0"))
	largest, _, subnormal := limits[T]()
	tiny, huge := T(subnormal), T(largest)
	g := geluOf[T]()
	for _, c := range []struct{ x, y, slope T }{
		{nan, nan, nan}, {0, 0, 0.5}, {negativeZero, negativeZero, 0.5}, {2 * tiny, tiny, 0.5},
		{-6 * tiny, -3 * tiny, 0.5}, {inf, inf, 1}, {huge, huge, 1}, {g.high, g.high, 1}, {-inf, negativeZero, 0},
		{-huge, negativeZero, 0}, {g.low, negativeZero, 0},
	} {
		x, ones := make([]T, 3*row.Lanes+1), make([]T, 3*row.Lanes+1)
		y, slope, wantY, wantSlope := make([]T, len(x)), make([]T, len(x)), make([]T, len(x)), make([]T, len(x))
		for i := range x {
			x[i], ones[i], wantY[i], wantSlope[i] = c.x, 1, c.y, c.slope
		}
		row.GELU(y, x)
		row.GELUGrad(slope, x, ones)
		sameBits(t, name("GELU of %v", c.x), y, wantY)
		sameBits(t, name("derivative at %v", c.x), slope, wantSlope)
	}
}

// TestGELURows compares the rows where TestElementwise seldom looks.
func TestGELURows(t *testing.T) { eachNative(t, testGELURows[float32], testGELURows[float64]) }

func testGELURows[T Float](t *testing.T, generic, row *Set[T]) {
	x := geluPoints[T](100_000)
	dy, got, want := make([]T, len(x)), make([]T, len(x)), make([]T, len(x))
	fill(rand.New(rand.NewPCG(14, 15)), dy, false)
	row.GELU(got, x)
	generic.GELU(want, x)
	sameBits(t, "GELU", got, want)
	row.GELUGrad(got, x, dy)
	generic.GELUGrad(want, x, dy)
	sameBits(t, "GELUGrad", got, want)
}

// exactGELU is GELU and its derivative in float64.
func exactGELU(x float64) (y, slope float64) {
	u := math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x)
	e := math.Exp(-2 * u)
	s := 1 / (1 + e)
	if x < -30 {
		return math.Copysign(0, -1), 0
	}
	if x > 30 {
		return x, 1
	}
	return x * s, s * (1 + x*(e*s)*math.Sqrt(8/math.Pi)*(1+3*0.044715*x*x))
}

// preciseGELU is that with 200 bits, rounded to float64.
func preciseGELU(x float64) (y, slope float64) {
	if math.Abs(x) > 30 || x != x {
		return exactGELU(x)
	}
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	mul := func(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(200).Mul(a, b) }
	add := func(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(200).Add(a, b) }
	pi, _, _ := big.ParseFloat("3.14159265358979323846264338327950288419716939937510582097494459231", 10, 200, big.ToNearestEven)
	c, _, _ := big.ParseFloat("0.044715", 10, 200, big.ToNearestEven)
	root := new(big.Float).SetPrec(200)
	root.Sqrt(root.Quo(number(8), pi))
	square := mul(number(x), number(x))
	exponent := mul(mul(root, number(-x)), add(number(1), mul(c, square)))
	// e^v is the Taylor series at v/2^12, squared twelve times.
	exponent.SetMantExp(exponent, -12)
	e, term := number(1), number(1)
	for n := 1.0; term.Sign() != 0 && term.MantExp(nil) > -200; n++ {
		term = mul(term, exponent)
		term.Quo(term, number(n))
		e = add(e, term)
	}
	for range 12 {
		e = mul(e, e)
	}
	s := number(1)
	s.Quo(s, add(number(1), e))
	y, _ = mul(number(x), s).Float64()
	bend := mul(root, add(number(1), mul(mul(number(3), c), square)))
	slope, _ = mul(s, add(number(1), mul(mul(number(x), mul(e, s)), bend))).Float64()
	return y, slope
}
