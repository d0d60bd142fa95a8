package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachRow runs a test for both element types on every row, unfused included.
func eachRow(t *testing.T, single func(*testing.T, *Set[float32]), double func(*testing.T, *Set[float64])) {
	for _, row := range All[float32]() {
		t.Run(row.Name+"/float32", func(t *testing.T) { single(t, row) })
	}
	for _, row := range All[float64]() {
		t.Run(row.Name+"/float64", func(t *testing.T) { double(t, row) })
	}
}

// linkOf returns the multiply-add of a row. That of unfused rounds the product, which is fma(a, b, -0), so that no compiler can
// make one operation of it.
func linkOf[T Float](row *Set[T]) func(a, b, c T) T {
	if row.Name != unfusedName {
		return FMA[T]
	}
	negativeZero := T(corner("-0"))
	return func(a, b, c T) T { return FMA(a, b, negativeZero) + c }
}

// eachNative runs f for every row in assembly, for both element types.
func eachNative(t *testing.T, f32 func(t *testing.T, generic, row *Set[float32]),
	f64 func(t *testing.T, generic, row *Set[float64])) {
	if len(Rows[float32]()) == 1 {
		t.Skip("this build on this machine has only the generic row")
	}
	for _, row := range Rows[float32]()[1:] {
		t.Run(row.Name+"/float32", func(t *testing.T) { f32(t, Rows[float32]()[0], row) })
	}
	for _, row := range Rows[float64]()[1:] {
		t.Run(row.Name+"/float64", func(t *testing.T) { f64(t, Rows[float64]()[0], row) })
	}
}

// bitsOf returns the bits of v, the same for every NaN.
func bitsOf[T Float](v T) uint64 {
	if v != v {
		return 1<<63 - 1
	}
	return math.Float64bits(float64(v)) // exact and injective for both types
}

// firstDifference returns the first index at which the bits differ, or -1.
func firstDifference[T Float](got, want []T) int {
	for i := range want {
		if bitsOf(got[i]) != bitsOf(want[i]) {
			return i
		}
	}
	return -1
}

func sameBits[T Float](t *testing.T, what string, got, want []T) {
	t.Helper()
	if i := firstDifference(got, want); i >= 0 {
		t.Fatalf("%s: element %d of %d is %v (%#x), want %v (%#x)", what, i, len(want), got[i],
			bitsOf(got[i]), want[i], bitsOf(want[i]))
	}
}

// limits returns the largest value, the smallest normal and the smallest subnormal of T.
func limits[T Float]() (largest, normal, subnormal float64) {
	if _, ok := any(T(0)).(float32); ok {
		return math.MaxFloat32, 0x1p-126, math.SmallestNonzeroFloat32
	}
	return math.MaxFloat64, 0x1p-1022, math.SmallestNonzeroFloat64
}

// fill draws values: half of them ordinary, half from the corners of the format. Ordinary values only if
// tame, for sums that should not all end as NaN.
func fill[T Float](r *rand.Rand, x []T, tame bool) {
	largest, normal, subnormal := limits[T]()
	for i := range x {
		sign := 1 - 2*float64(r.IntN(2))
		v := r.NormFloat64()
		if !tame && r.IntN(2) == 0 {
			switch r.IntN(9) {
			case 0:
				v = 0
			case 1:
				v = math.Inf(1)
			case 2:
				v = math.NaN()
			case 3:
				v = largest * r.Float64()
			case 4:
				v = normal * r.Float64()
			case 5:
				v = subnormal * float64(r.IntN(100))
			case 6:
				v = math.Sqrt(largest) * (0.5 + r.Float64())
			case 7:
				v = math.Sqrt(normal) * (0.5 + r.Float64())
			case 8:
				v = float64(r.IntN(3))
			}
		}
		x[i] = T(math.Copysign(v, sign*v))
	}
}

// margin is the number of poisoned elements on either side of a slice.
const margin = 40

// poison is the value of a destination's elements before a call, finite so that it cannot pass for a computed
// NaN.
const poison = 12345.678

// framed returns a slice of n elements at an odd place of a larger array, poisoned in and around it.
func framed[T Float](n, shift int) (whole, x []T) {
	whole = make([]T, margin+shift+n+margin)
	for i := range whole {
		whole[i] = poison
	}
	return whole, whole[margin+shift : margin+shift+n : margin+shift+n]
}

func name(format string, arguments ...any) string { return fmt.Sprintf(format, arguments...) }
