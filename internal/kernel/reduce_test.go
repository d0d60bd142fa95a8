package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestReduce(t *testing.T) { eachNative(t, testReduce[float32], testReduce[float64]) }

func testReduce[T Float](t *testing.T, generic, row *Set[T]) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, n := range lengths() {
		for variant := range 4 {
			_, x := framed[T](n, r.IntN(16))
			_, y := framed[T](n, r.IntN(16))
			tame := variant > 0 // else nearly every sum is NaN
			fill(r, x, tame)
			fill(r, y, tame)
			mean := r.NormFloat64()
			for _, c := range []struct {
				name string
				run  func(s *Set[T]) float64
			}{
				{"Sum", func(s *Set[T]) float64 { return s.Sum(x) }},
				{"SumSquares", func(s *Set[T]) float64 { return s.SumSquares(x, mean) }},
				{"Dot", func(s *Set[T]) float64 { return s.Dot(x, y, mean) }},
			} {
				sameBits(t, name("%s, length %d", c.name, n), []float64{c.run(row)},
					[]float64{c.run(generic)})
			}
		}
	}
}

// TestReduceLanes tests the order of the sums: 16 lanes and a tree, on numbers that show any other order.
func TestReduceLanes(t *testing.T) {
	for _, n := range []int{96, 100} { // without and with a tail
		testReduceLanes(t, n)
	}
}

func testReduceLanes(t *testing.T, n int) {
	x := tame[float64](n)
	var lanes [16]float64
	for i, v := range x {
		lanes[i%16] += v
	}
	for half := 8; half > 0; half /= 2 {
		for i := range half {
			lanes[i] += lanes[i+half]
		}
	}
	for _, row := range All[float64]() {
		if got := row.Sum(x); got != lanes[0] {
			t.Errorf("%s: Sum of %d is %v, want %v", row.Name, n, got, lanes[0])
		}
	}
	sequential := 0.0
	for _, v := range x {
		sequential += v
	}
	if sequential == lanes[0] {
		t.Error("these numbers do not tell one order of summation from another")
	}
}

// TestReduceAccuracy compares with exact sums: each of the 16 lanes makes at most n/16 + 4 roundings of
// partial sums that are at most the sum of magnitudes, and unfused one more of each product, so the error is below (n/16 + 7) 2^-53
// times that.
func TestReduceAccuracy(t *testing.T) {
	const n, mean = 1000, 0.25
	x, y := tame[float32](n), tame[float32](n)[:n]
	rand.New(rand.NewPCG(13, 14)).Shuffle(n, func(i, j int) { y[i], y[j] = y[j], y[i] })
	var sums [3]big.Float
	var magnitudes [3]float64
	for i := range x {
		d := float64(x[i]) - mean
		for s, product := range [3][2]float64{{float64(x[i]), 1}, {d, d}, {d, float64(y[i])}} {
			exact := new(big.Float).SetPrec(500).Mul(big.NewFloat(product[0]), big.NewFloat(product[1]))
			sums[s].SetPrec(500).Add(&sums[s], exact)
			magnitudes[s] += math.Abs(product[0] * product[1])
		}
	}
	for _, row := range All[float32]() {
		for i, got := range []float64{row.Sum(x), row.SumSquares(x, mean), row.Dot(x, y, mean)} {
			want, _ := sums[i].Float64()
			if bound := (n/16. + 7) * 0x1p-53 * magnitudes[i]; math.Abs(got-want) > bound {
				t.Errorf("row %s, sum %d is %v, want %v within %v", row.Name, i, got, want, bound)
			}
		}
	}
}
