package official

import (
	"fmt"
	"math"

	"sdref/csc"
	"sdref/golden"
	"sdref/tensor"
)

// Where a code lies within rounding of its threshold, float32 and float64 may take it for zero and for on,
// and the gradient is one of two one-sided derivatives. The functions of this file tell that from an error.

// supportFlips counts the codes, over all iterations, that are zero in float32 and not in float64 or the
// other way round, and so small that rounding explains it. Codes that differ by more are errors which the
// comparison of z reports.
func supportFlips(l *layerCase) (int, error) {
	in32, err := inputsOf[float32](l)
	if err != nil {
		return 0, err
	}
	in64, err := inputsOf[float64](l)
	if err != nil {
		return 0, err
	}
	flips := 0
	for k := 1; k <= l.settings.Iterations; k++ {
		in32.layer.Iterations, in64.layer.Iterations = k, k
		z32, z64 := codes(in32, l.share), codes(in64, l.share)
		largest := 0.0
		for _, v := range z64.Data {
			largest = max(largest, math.Abs(v))
		}
		for i, v := range z64.Data {
			other := float64(z32.Data[i])
			if (v == 0) != (other == 0) && max(math.Abs(v), math.Abs(other)) <= ambiguousShare*largest {
				flips++
			}
		}
	}
	return flips, nil
}

// codes is the layer's code after its iterations, from its start vector.
func codes[T tensor.Float](in layerInputs[T], share float64) *tensor.Tensor[T] {
	l := *in.layer
	l.Weight, l.Vector, l.StepSize = l.Weight.Clone(), l.Vector.Clone(), l.StepSize.Clone()
	l.Normalize()
	return csc.Solve(in.x, l.Weight, T(share/l.UpdateStep().Value), l.Settings)
}

// judgeOneSided passes a gradient that missed its bound if each element that did so lies, as does the
// expected one, between the one-sided derivatives: those in float64 with lambda a little smaller and a little
// larger, so that each ambiguous code is on in one and zero in the other.
func judgeOneSided(l *layerCase, row *golden.Row, name string, got *tensor.Tensor[float64], want []float64,
	flips int) error {
	scale := 0.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	var sides [2]*tensor.Tensor[float64]
	for i, sign := range []float64{-1, 1} {
		in, err := inputsOf[float64](l)
		if err != nil {
			return err
		}
		in.layer.Lambda += sign * l.shift()
		res := solve(in, l.share)
		sides[i] = res.gradX
		if name == "grad_weight" {
			sides[i] = res.gradWeight
		}
	}
	worst := 0.0 // distance from the range, of the elements that miss the bound
	for i, w := range want {
		g := got.Data[i]
		if !(math.Abs(g-w) <= row.Bound*scale) {
			low, high := min(sides[0].Data[i], sides[1].Data[i]), max(sides[0].Data[i], sides[1].Data[i])
			worst = max(worst, low-g, g-high, low-w, w-high) // NaN if one of them is
		}
	}
	row.Note = fmt.Sprintf("%d %s; error outside their range %.2g", flips, ambiguousNote, worst/scale)
	row.Pass = worst <= row.Bound*scale
	return nil
}

// shift is a change of lambda that moves every code by more than the ambiguous share of the largest.
func (l *layerCase) shift() float64 {
	in, err := inputsOf[float64](l)
	if err != nil {
		return 0 // the inputs have been read before
	}
	res := solve(in, l.share)
	largest := 0.0
	for _, v := range res.z.Data {
		largest = max(largest, math.Abs(v))
	}
	return 2 * ambiguousShare * largest * (1 + l.settings.Mu*res.step) / res.step
}
