package figures

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"sdref/csc"
	"sdref/sdnet"
	"sdref/tensor"
)

// twinProduct is the inner product of two atoms of norm 1 above which either says what the other does.
const twinProduct = 0.95

// rankAtoms orders the atoms of the stem by the sum of their codes' magnitudes on test images, largest first, with each
// atom's twin (-1 for none), and a note for the caption. Without images that fit the order is the file's.
func (d *drawing[T]) rankAtoms(stem *sdnet.CSC[T]) (order, twins []int, note string, err error) {
	atoms := stem.Weight.Shape[0]
	for m := range atoms {
		order = append(order, m)
	}
	twins, paired := findTwins(stem.Weight)
	note = fmt.Sprintf(" %d of them have a twin (~): another atom with |<a_i,a_j>| > %g, both of norm 1.", paired, twinProduct)
	x, err := d.images(0, contrastImages)
	var none missing
	if errors.As(err, &none) {
		return order, twins, " They are in the file's order." + note, nil
	}
	if err != nil {
		return nil, nil, "", err
	}
	z := csc.Solve(x, stem.Weight, stem.Step(), stem.Current())
	use, plane, used := make([]float64, atoms), z.Shape[2]*z.Shape[3], 0
	for i, v := range z.Data {
		use[i/plane%atoms] += math.Abs(float64(v))
	}
	for _, u := range use {
		if u > 0 {
			used++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(use[b], use[a]) })
	return order, twins, fmt.Sprintf(" They are sorted by use, the sum of their codes over %d images of %s: %d of %d (%.0f %%) "+
		"are used there at all.", x.Shape[0], d.data.Test, used, atoms, 100*float64(used)/float64(atoms)) + note, nil
}

// findTwins finds for each atom of w (M, C, K, K) the other whose direction is nearest up to sign, if their product is above
// twinProduct, else -1, and how many have one.
func findTwins[T tensor.Float](w *tensor.Tensor[T]) (twins []int, paired int) {
	product := func(a, b []T) (sum float64) {
		for i, v := range a {
			sum += float64(float64(v) * float64(b[i]))
		}
		return sum
	}
	for m := range w.Shape[0] {
		a, best, twin := w.Row(m).Data, twinProduct, -1
		for n := range w.Shape[0] {
			b := w.Row(n).Data
			size := math.Sqrt(product(a, a)) * math.Sqrt(product(b, b))
			if c := math.Abs(product(a, b)) / max(size, 1e-300); n != m && c > best {
				best, twin = c, n
			}
		}
		if twins = append(twins, twin); twin >= 0 {
			paired++
		}
	}
	return twins, paired
}
