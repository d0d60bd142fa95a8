package kernel

import (
	"math"
	"testing"
)

func TestRegular(t *testing.T) { eachRow(t, testRegular[float32], testRegular[float64]) }

// testRegular puts one value of every kind at every place of an otherwise regular slice.
func testRegular[T Float](t *testing.T, row *Set[T]) {
	largest, normal, subnormal := limits[T]()
	kinds := []struct {
		value   float64
		regular bool
	}{
		{0, true}, {math.Copysign(0, -1), false}, {math.Inf(1), false}, {math.Inf(-1), false},
		{math.NaN(), false}, {math.Copysign(math.NaN(), -1), false},
		{largest, true}, {-largest, true}, {normal, true}, {-normal, true}, {subnormal, true},
		{-subnormal, true}, {-1, true},
	}
	for _, n := range lengths() {
		whole, x := framed[T](n, n%16)
		for i := range whole {
			whole[i] = T(math.NaN()) // around x
		}
		for i := range x {
			x[i] = T(i%3 - 1)
		}
		if !row.Regular(x) {
			t.Fatalf("%d integers are not regular", n)
		}
		for i := range x {
			for _, k := range kinds {
				if i > 200 && i < n-40 {
					continue
				}
				was := x[i]
				x[i] = T(k.value)
				if row.Regular(x) != k.regular {
					t.Fatalf("with %v at %d of %d: %v", k.value, i, n, !k.regular)
				}
				x[i] = was
			}
		}
	}
}
