package golden

import (
	"fmt"
	"math"
)

// Summary is a tensor in twelve numbers: the sum, the sum of absolute values,
// the l2 norm, the largest absolute value, and the first eight elements, with
// zeros for those it does not have. Cases of whole networks store these.
//
// It is much less than the tensor: elements after the eighth may change places.
type Summary [12]float64

// head is how many of the numbers describe the whole tensor.
const head = 4

// Summarize returns the summary of a tensor. The three sums are compensated, so
// that their errors do not grow with the number of elements; squares are taken
// as they are, so that the l2 norm loses elements below 1e-154. If
// any element is NaN the first four numbers are NaN. Without elements all
// twelve are, which no expected number accepts.
func Summarize[T Float](values []T) Summary {
	var s Summary
	if len(values) == 0 {
		for i := range s {
			s[i] = math.NaN()
		}
		return s
	}
	var sum, absolute, squares accumulator
	for _, value := range values {
		v := float64(value)
		size := math.Abs(v)
		sum.add(v)
		absolute.add(size)
		squares.add(float64(v * v))
		if !(size <= s[3]) && s[3] == s[3] { // true for a NaN, and then never again
			s[3] = size
		}
	}
	s[0], s[1], s[2] = sum.total(), absolute.total(), math.Sqrt(squares.total())
	for i := 0; head+i < len(s) && i < len(values); i++ {
		s[head+i] = float64(values[i])
	}
	return s
}

// CompareSummary sets a tensor's summary, which Summarize makes, against a
// stored one. The error is the largest of twelve: the sum's relative to the
// sum of absolute values, because a sum may cancel to nothing and its rounding
// errors do not; the sum of absolute values', the l2 norm's and the largest
// absolute value's relative to themselves; the elements' relative to the
// largest absolute value. For a zero, an infinite or a NaN scale, and for what
// counts as equal, see Compare. A want that is not twelve numbers sets Err.
func CompareSummary(got Summary, want []float64) Difference {
	d := compare(got[:], want, func(gap float64, i int) float64 {
		return relative(gap, math.Abs(want[min(max(i, 1), head-1)]))
	})
	if d.Err != nil {
		d.Err = fmt.Errorf("summary: %w", d.Err)
		return d
	}
	names := [head]string{"sum", "sum of absolute values", "l2 norm", "largest absolute value"}
	if d.Worst < head {
		d.Part = names[d.Worst]
	} else {
		d.Part = fmt.Sprintf("element %d", d.Worst-head)
	}
	return d
}

// accumulator is a sum and what was lost in rounding it.
type accumulator struct{ sum, lost float64 }

// add adds v. The loss is exact (two-sum: Knuth, The Art of Computer
// Programming, volume 2, 4.2.2, theorem B).
func (a *accumulator) add(v float64) {
	sum := a.sum + v
	part := sum - a.sum
	a.lost += (a.sum - (sum - part)) + (v - part)
	a.sum = sum
}

// total returns the sum. One that is infinite or NaN has no meaningful loss.
func (a *accumulator) total() float64 {
	if math.IsInf(a.sum, 0) || math.IsNaN(a.sum) {
		return a.sum
	}
	return a.sum + a.lost
}
