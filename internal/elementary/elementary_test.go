package elementary_test

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"testing"

	"sdref/internal/elementary"
	"sdref/internal/random"
)

// The reference is a Taylor series in floating point with 320 bits, summed until it stops changing.
const precision = 320

func number(x float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(x) }

func fresh() *big.Float { return new(big.Float).SetPrec(precision) }

// series sums term(0) + term(1) + ..., each term being the last times x over step(n).
func series(first, x *big.Float, step func(n int64) int64) *big.Float {
	sum, term := fresh().Set(first), fresh().Set(first)
	for n := int64(1); term.Sign() != 0 && term.MantExp(nil) > sum.MantExp(nil)-precision; n++ {
		term.Mul(term, x)
		term.Quo(term, fresh().SetInt64(step(n)))
		sum.Add(sum, term)
	}
	return sum
}

// bigExp is the series at x/2^20, squared twenty times.
func bigExp(x float64) *big.Float {
	y := number(x)
	y.SetMantExp(y, -20)
	sum := series(number(1), y, func(n int64) int64 { return n })
	for range 20 {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigLog is one Newton step y + x e^-y - 1 (error d^2/2) from the value under test, taken twice.
func bigLog(x, near float64) *big.Float {
	y := number(near)
	d := fresh().Sub(fresh().Mul(number(x), bigExp(-near)), number(1))
	// log(1+d) = d - d^2/2 + d^3/3, with d around 2^-53.
	d2 := fresh().Mul(d, d)
	d3 := fresh().Mul(d2, d)
	y.Add(y, d)
	y.Sub(y, d2.Quo(d2, number(2)))
	return y.Add(y, d3.Quo(d3, number(3)))
}

// bigPi is Machin's formula, 16 atan(1/5) - 4 atan(1/239).
var bigPi = func() *big.Float {
	atan := func(n int64) *big.Float {
		power, sum := fresh().Quo(number(1), fresh().SetInt64(n)), fresh()
		square := fresh().SetInt64(-n * n)
		for k := int64(1); power.MantExp(nil) > -precision; k += 2 {
			sum.Add(sum, fresh().Quo(power, fresh().SetInt64(k)))
			power.Quo(power, square)
		}
		return sum
	}
	return fresh().Sub(fresh().Mul(number(16), atan(5)), fresh().Mul(number(4), atan(239)))
}()

// bigSin is the sine of x + quarter*pi/2.
func bigSin(x float64, quarter int64) *big.Float {
	half := fresh().Quo(bigPi, number(2))
	y := fresh().Add(number(x), fresh().Mul(half, fresh().SetInt64(quarter)))
	turns, _ := fresh().Quo(y, fresh().Mul(bigPi, number(2))).Int(nil)
	y.Sub(y, fresh().Mul(fresh().SetInt(turns), fresh().Mul(bigPi, number(2))))
	square := fresh().Neg(fresh().Mul(y, y))
	return series(y, square, func(n int64) int64 { return 2 * n * (2*n + 1) })
}

// ulps returns |got - want| in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	nearest, _ := want.Float64()
	unit := math.Nextafter(math.Abs(nearest), math.Inf(1)) - math.Abs(nearest)
	diff := fresh().Sub(number(got), want)
	ratio, _ := diff.Quo(diff, number(unit)).Float64()
	return math.Abs(ratio)
}

// accurate calls f on points and reports the worst error. The bounds the tests give it are what 200,000
// points measured (0.61 for Exp and Log, 0.72 for Sin and Cos), rounded up.
func accurate(t *testing.T, bound float64, points []float64, f func(float64) float64,
	exact func(x, got float64) *big.Float) {
	t.Helper()
	worst, at := 0.0, 0.0
	for _, x := range points {
		got := f(x)
		if e := ulps(got, exact(x, got)); !(e <= worst) {
			worst, at = e, x
		}
	}
	t.Logf("worst of %d: %.4f ulp at %v", len(points), worst, at)
	if !(worst <= bound) {
		t.Errorf("error %.4f ulp at %v (%x), bound %v", worst, at, at, bound)
	}
}

// spread returns n points of [low, high).
func spread(n int, low, high float64) []float64 {
	s, p := random.New(1).Sub("points", math.Float64bits(low), math.Float64bits(high)), make([]float64, n)
	for i := range p {
		p[i] = low + float64(s.Float(uint64(i))*(high-low))
	}
	return p
}

// around returns the three floats next to each x on either side, and x.
func around(xs ...float64) []float64 {
	var p []float64
	for _, x := range xs {
		low, high := x, x
		p = append(p, x)
		for range 3 {
			low, high = math.Nextafter(low, math.Inf(-1)), math.Nextafter(high, math.Inf(1))
			p = append(p, low, high)
		}
	}
	return p
}

// binades returns n positive points spread over all exponents, subnormal ones among them.
func binades(n int) []float64 {
	s, p := random.New(2), make([]float64, n)
	for i := range p {
		p[i] = math.Float64frombits(s.At(uint64(i)) >> 1 % (0x7FF << 52))
	}
	return p
}

func exactExp(x, _ float64) *big.Float { return bigExp(x) }

func TestExp(t *testing.T) {
	points := append(spread(4000, -708, 709.78), spread(4000, -1, 1)...)
	points = append(points, spread(500, -0x1p-20, 0x1p-20)...)
	points = append(points, around(0.5*math.Ln2, -0.5*math.Ln2, 1.5*math.Ln2, 1, -1, -708.39, 709.78)...)
	accurate(t, 0.65, points, elementary.Exp, exactExp)
	// A subnormal result is rounded a second time.
	accurate(t, 1, append(spread(1000, -745, -708), around(-708.3964185322641, -744.4)...), elementary.Exp,
		exactExp)
}

func TestLog(t *testing.T) {
	points := append(binades(4000), spread(4000, 0.5, 2)...)
	points = append(points, spread(500, 1-0x1p-20, 1+0x1p-20)...)
	points = append(points, around(math.Sqrt2, math.Sqrt2/2, 2, 10, 0x1p-1022, math.E)...)
	points = append(points, math.SmallestNonzeroFloat64, math.MaxFloat64)
	for _, x := range around(1) {
		if x != 1 {
			points = append(points, x)
		}
	}
	accurate(t, 0.65, points, elementary.Log, bigLog)
}

func TestSinCos(t *testing.T) {
	points := append(spread(3000, -elementary.CircleLimit, elementary.CircleLimit), spread(3000, -7, 7)...)
	points = append(points, spread(500, -0x1p-20, 0x1p-20)...)
	points = append(points, elementary.CircleLimit, -elementary.CircleLimit, 0x1p-1022)
	for k := 1.0; k < 63000; k = math.Floor(k*1.05) + 1 {
		// where the reduction cancels, and where k changes
		points = append(points, around(k*math.Pi/2, k*math.Pi/4)...)
	}
	accurate(t, 0.75, points, elementary.Sin, func(x, _ float64) *big.Float { return bigSin(x, 0) })
	accurate(t, 0.75, points, elementary.Cos, func(x, _ float64) *big.Float { return bigSin(x, 1) })
}

func TestSpecialValues(t *testing.T) {
	inf, nan, zero := math.Inf(1), math.NaN(), math.Copysign(0, -1)
	tiny := math.SmallestNonzeroFloat64
	for _, c := range []struct {
		name    string
		f       func(float64) float64
		x, want float64
	}{
		{"Exp", elementary.Exp, inf, inf}, {"Exp", elementary.Exp, -inf, 0},
		{"Exp", elementary.Exp, nan, nan},
		{"Exp", elementary.Exp, 0, 1}, {"Exp", elementary.Exp, zero, 1}, {"Exp", elementary.Exp, tiny, 1},
		{"Exp", elementary.Exp, 709.782712893384, 0x1.fffffffffff2ap+1023},
		{"Exp", elementary.Exp, 709.7827128933841, inf},
		{"Exp", elementary.Exp, 711, inf}, {"Exp", elementary.Exp, math.MaxFloat64, inf},
		{"Exp", elementary.Exp, -745.1332191019411, tiny}, {"Exp", elementary.Exp, -745.1332191019412, 0},
		{"Exp", elementary.Exp, -747, 0}, {"Exp", elementary.Exp, -math.MaxFloat64, 0},
		{"Log", elementary.Log, inf, inf}, {"Log", elementary.Log, -inf, nan},
		{"Log", elementary.Log, nan, nan},
		{"Log", elementary.Log, 0, -inf}, {"Log", elementary.Log, zero, -inf},
		{"Log", elementary.Log, -1, nan},
		{"Log", elementary.Log, 1, 0}, {"Log", elementary.Log, -tiny, nan},
		{"Sin", elementary.Sin, 0, 0}, {"Sin", elementary.Sin, zero, zero},
		{"Sin", elementary.Sin, tiny, tiny},
		{"Sin", elementary.Sin, inf, nan}, {"Sin", elementary.Sin, nan, nan},
		{"Sin", elementary.Sin, -tiny, -tiny},
		{"Cos", elementary.Cos, 0, 1}, {"Cos", elementary.Cos, zero, 1}, {"Cos", elementary.Cos, tiny, 1},
		{"Cos", elementary.Cos, -inf, nan}, {"Cos", elementary.Cos, nan, nan},
	} {
		got := c.f(c.x)
		same := math.Float64bits(got) == math.Float64bits(c.want) || math.IsNaN(got) && math.IsNaN(c.want)
		if !same {
			t.Errorf("%s(%v) = %v (%x), want %v", c.name, c.x, got, got, c.want)
		}
	}
}

func TestCircleLimit(t *testing.T) {
	for _, f := range []func(float64) float64{elementary.Sin, elementary.Cos} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("no panic beyond the limit")
				}
			}()
			f(math.Nextafter(elementary.CircleLimit, math.Inf(1)))
		}()
	}
}

// TestSameBits compares the results of each function at 4000 points with hashes that were computed on amd64
// and must be the same on any architecture and with any compiler setting.
func TestSameBits(t *testing.T) {
	for _, c := range []struct {
		name   string
		f      func(float64) float64
		points []float64
		want   string
	}{
		{"Exp", elementary.Exp, append(spread(2000, -746, 710), spread(2000, -1, 1)...), "254288f726161aef"},
		{"Log", elementary.Log, append(binades(2000), spread(2000, 0.5, 2)...), "df63807ea32f2358"},
		{"Sin", elementary.Sin, append(spread(2000, -1e5, 1e5), spread(2000, -4, 4)...), "782bcd0b60b148a7"},
		{"Cos", elementary.Cos, append(spread(2000, -1e5, 1e5), spread(2000, -4, 4)...), "28dae567b58ade51"},
	} {
		h := sha256.New()
		for _, x := range c.points {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(c.f(x))))
		}
		if got := fmt.Sprintf("%x", h.Sum(nil)[:8]); got != c.want {
			t.Errorf("%s: bits %s, want %s", c.name, got, c.want)
		}
	}
}

func BenchmarkExp(b *testing.B) {
	points, sum := spread(1024, -10, 10), 0.0
	for i := 0; b.Loop(); i++ {
		sum += elementary.Exp(points[i%1024])
	}
	_ = sum
}

// The values are those of the mathematics to the last printed digit.
func Example() {
	fmt.Printf("%.15f\n", elementary.Exp(1))
	fmt.Printf("%.15f\n", elementary.Log(10))
	fmt.Printf("%.15f\n", elementary.Cos(1))
	// Output:
	// 2.718281828459045
	// 2.302585092994046
	// 0.540302305868140
}
