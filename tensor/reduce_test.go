package tensor

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// reduceLengths lie around the lanes (16), the piece, and the number of pieces from which goroutines share
// them.
var reduceLengths = []int{0, 1, 2, 15, 16, 17, 100, piece - 1, piece, piece + 1, 2 * piece, 3*piece - 17,
	8*piece + 5, 100003}

// definedSum is the order of summation as the contract states it: pieces of 8192 elements added in ascending
// order; in a piece, lane l adds the elements i = l mod 16 by add, and the lanes are added as 8+8, 4+4, 2+2,
// 1+1.
func definedSum(n int, add func(acc float64, i int) float64) float64 {
	sum := 0.0
	for at := 0; at < n; at += 8192 {
		var lanes [16]float64
		for i := at; i < min(n, at+8192); i++ {
			lanes[(i-at)%16] = add(lanes[(i-at)%16], i)
		}
		for half := 8; half > 0; half /= 2 {
			for l := range half {
				lanes[l] += lanes[l+half]
			}
		}
		sum += lanes[0]
	}
	return sum
}

// exactSum is the sum of products x*y to 300 bits, and the sum of their absolute values.
func exactSum(n int, x, y func(i int) float64) (sum, size float64) {
	total := new(big.Float).SetPrec(300)
	for i := range n {
		product := new(big.Float).SetPrec(300).Mul(big.NewFloat(x(i)), big.NewFloat(y(i)))
		total.Add(total, product)
		size += math.Abs(x(i) * y(i))
	}
	sum, _ = total.Float64()
	return sum, size
}

func TestReductions(t *testing.T) { bothTypes(t, testReductions[float32], testReductions[float64]) }

func testReductions[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for _, n := range reduceLengths {
		x, y := normal[T](r, n), normal[T](r, n)
		at := func(v *Tensor[T]) func(int) float64 {
			return func(i int) float64 { return float64(v.Data[i]) }
		}
		one := func(int) float64 { return 1 }
		magnitude := func(i int) float64 { return math.Abs(float64(x.Data[i])) }
		for _, c := range []struct {
			name    string
			call    func() float64
			a, b    func(i int) float64
			defined float64
		}{
			{"Sum", func() float64 { return Sum(x) }, at(x), one,
				definedSum(n, func(acc float64, i int) float64 { return acc + at(x)(i) })},
			{"SumSquares", func() float64 { return SumSquares(x) }, at(x), at(x),
				definedSum(n, func(acc float64, i int) float64 { return math.FMA(at(x)(i), at(x)(i), acc) })},
			{"Dot", func() float64 { return Dot(x, y) }, at(x), at(y),
				definedSum(n, func(acc float64, i int) float64 { return math.FMA(at(x)(i), at(y)(i), acc) })},
			{"SumAbs", func() float64 { return SumAbs(x) }, magnitude, one, math.NaN()},
		} {
			exact, size := exactSum(n, c.a, c.b)
			first := c.call()
			// Each of at most n additions rounds by half an ulp, 2^-53, of at most the size of all terms.
			if math.Abs(first-exact) > float64(n)*0x1p-53*size {
				t.Errorf("%s of %d elements: %v, exactly %v", c.name, n, first, exact)
			}
			if c.name != "SumAbs" && first != c.defined {
				t.Errorf("%s of %d elements: %v, by its definition %v", c.name, n, first, c.defined)
			}
			everywhere(t, func(where string) {
				if again := c.call(); again != first {
					t.Errorf("%s of %d elements on %s: %v, want %v", c.name, n, where, again, first)
				}
			})
		}
	}
}

// DotSign is the Dot with the signs, added in ascending order within each piece.
func TestDotSign(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for _, n := range reduceLengths {
		z, x := normal[float32](r, n), normal[float32](r, n)
		want := 0.0
		for at := 0; at < n; at += piece {
			part := 0.0
			for i := at; i < min(n, at+piece); i++ {
				switch {
				case i%3 == 0:
					z.Data[i] = float32(math.Copysign(0, float64(z.Data[i])))
				case z.Data[i] < 0:
					part -= float64(x.Data[i])
				default:
					part += float64(x.Data[i])
				}
			}
			want += part
		}
		everywhere(t, func(where string) {
			if got := DotSign(z, x); got != want {
				t.Errorf("DotSign of %d elements on %s: %v, want %v", n, where, got, want)
			}
		})
	}
	if got := DotSign(From([]float64{math.NaN()}, 1), From([]float64{2}, 1)); got != 2 {
		t.Errorf("a NaN counts %v, want the whole number", got)
	}
}

func TestReductionsShowNaN(t *testing.T) {
	everywhere(t, func(where string) {
		for _, place := range []int{0, 8192, 20000} {
			x := New[float32](20001)
			x.Data[place] = float32(math.NaN())
			for name, v := range map[string]float64{"Sum": Sum(x), "SumSquares": SumSquares(x),
				"Dot": Dot(x, x), "SumAbs": SumAbs(x)} {
				if v == v {
					t.Errorf("%s on %s with NaN at %d is %v", name, where, place, v)
				}
			}
		}
	})
}

// In float32 alone these sums would be wrong by far more than the last bit.
func TestSumsAreInFloat64(t *testing.T) {
	x := New[float32](1 << 20)
	x.Fill(0.1)
	each := float64(float32(0.1))
	if got, want := Sum(x), float64(x.Len())*each; math.Abs(got-want) > 1e-9*want {
		t.Errorf("Sum %v, want %v", got, want)
	}
	if got, want := SumSquares(x), float64(x.Len())*each*each; math.Abs(got-want) > 1e-9*want {
		t.Errorf("SumSquares %v, want %v", got, want)
	}
}

func TestCountNonzero(t *testing.T) {
	x := From([]float64{0, 1, math.Copysign(0, -1), -2, math.NaN(), math.Inf(1), 5e-324, 0}, 2, 4)
	if got := CountNonzero(x); got != 5 {
		t.Errorf("CountNonzero = %d, want 5", got)
	}
}
