package golden

import (
	"errors"
	"fmt"
	"math"

	"sdref/internal/misuse"
)

// Float is a type of the numbers that are judged.
type Float interface{ float32 | float64 }

// Difference is how far one result lies from what was expected. The zero value
// means that nothing was compared.
type Difference struct {
	// Error is the relative error, 0 or more, of the worst element; +Inf where
	// the two cannot be compared. It is never NaN.
	Error float64
	// Compared is the number of elements compared.
	Compared int
	// Worst is the index of the first element whose error is Error, and Got and
	// Want are its values.
	Worst     int
	Got, Want float64
	// ULP is the distance between Got and Want in steps of Got's own type, and
	// for integers the distance itself.
	ULP uint64
	// Part says which number of a Summary Worst is; otherwise it is empty.
	Part string
	// Err says why there was nothing to compare. It is nil for a mere miss.
	Err error
}

// ErrNothing is the Err of a comparison without elements.
var ErrNothing = errors.New("nothing compared")

// Within reports whether the error is finite and at most bound. Without a
// comparison, and for a bound that is NaN, it reports false.
func (d Difference) Within(bound float64) bool {
	return d.Err == nil && d.Compared > 0 && d.Error <= bound && !math.IsInf(d.Error, 1)
}

// Compare sets a tensor against what was expected, row-major both. The error is
// norm-wise: the largest |got - want| over the largest finite |want|, or the
// largest |got - want| itself if no finite want differs from zero.
//
// Equal infinities, and NaN where NaN is expected, count as equal; any other
// infinity or NaN, on either side, makes the error +Inf. Zeros are equal
// whatever their sign. Different lengths and empty tensors set Err.
func Compare[T Float](got []T, want []float64) Difference {
	scale := 0.0
	for _, w := range want {
		if size := math.Abs(w); size > scale && !math.IsInf(w, 0) {
			scale = size
		}
	}
	return compare(got, want, func(gap float64, _ int) float64 { return relative(gap, scale) })
}

// CompareElements is Compare with every element measured by itself: the error is the largest |got - want| / magnitude. magnitude is
// the sum of the absolute values of the terms that an element is a sum of, the one scale on which the rounding of a sum can be
// bounded. Where it is 0, any difference makes the error +Inf. It panics for another number of magnitudes than of elements.
func CompareElements[T Float](got []T, want, magnitude []float64) Difference {
	if len(magnitude) != len(want) {
		panic(misuse.Errorf("golden.CompareElements: %d magnitudes of %d elements", len(magnitude), len(want)))
	}
	return compare(got, want, func(gap float64, i int) float64 { return gap / magnitude[i] })
}

// CompareScalar sets a number against what was expected: |got - want| / |want|,
// with Compare's rules for zeros, infinities and NaN.
func CompareScalar(got, want float64) Difference {
	return Compare([]float64{got}, []float64{want})
}

// CompareInt sets a count against what was expected. Any difference makes the
// error +Inf.
func CompareInt(got, want int) Difference {
	d := Difference{Compared: 1, Got: float64(got), Want: float64(want)}
	if got != want {
		d.Error = math.Inf(1)
		d.ULP = uint64(max(got, want)) - uint64(min(got, want))
	}
	return d
}

// compare finds the element with the largest error, which is 0 where there is no gap.
func compare[T Float](got []T, want []float64, errorOf func(gap float64, i int) float64) Difference {
	switch {
	case len(got) != len(want):
		return Difference{Error: math.Inf(1), Err: fmt.Errorf("%d elements, want %d", len(got), len(want))}
	case len(got) == 0:
		return Difference{Error: math.Inf(1), Err: ErrNothing}
	}
	d := Difference{Compared: len(got), Error: -1}
	for i, w := range want {
		e := gap(float64(got[i]), w)
		if e > 0 {
			e = errorOf(e, i)
		}
		if !(e >= 0) { // a magnitude that is none
			e = math.Inf(1)
		}
		if e > d.Error {
			d.Error, d.Worst = e, i
		}
	}
	d.Got, d.Want = float64(got[d.Worst]), want[d.Worst]
	d.ULP = ULP(got[d.Worst], T(d.Want))
	return d
}

// gap is |got - want|, 0 for what counts as equal and +Inf for what cannot be compared.
func gap(got, want float64) float64 {
	switch distance := math.Abs(got - want); {
	case got == want, math.IsNaN(got) && math.IsNaN(want):
		return 0
	case math.IsNaN(distance):
		return math.Inf(1)
	default:
		return distance
	}
}

// relative is gap/scale, or gap where there is no scale to divide by.
func relative(gap, scale float64) float64 {
	if !(scale > 0) || math.IsInf(scale, 1) {
		return gap
	}
	return gap / scale
}

// ULP returns how many steps of their type lie between a and b, one step being
// from a number to the next one. Both zeros are the same, and so are all NaNs;
// a NaN is the largest uint64 away from everything else.
func ULP[T Float](a, b T) uint64 {
	switch {
	case a == b, a != a && b != b:
		return 0
	case a != a || b != b:
		return math.MaxUint64
	}
	x, y := rank(a), rank(b)
	return uint64(max(x, y)) - uint64(min(x, y))
}

// rank numbers the values of a type in their order, both zeros being 0.
func rank[T Float](v T) int64 {
	size := int64(0)
	switch v := any(v).(type) {
	case float32:
		size = int64(math.Float32bits(v) &^ (1 << 31))
	case float64:
		size = int64(math.Float64bits(v) &^ (1 << 63))
	}
	if v < 0 {
		return -size
	}
	return size
}
