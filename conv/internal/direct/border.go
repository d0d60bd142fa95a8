package direct

import (
	"slices"

	"sdref/internal/kernel"
)

// Elements beyond the border are zeros, and links of their chains like all others. Yet such a link fma(a, 0, acc) leaves acc as it is,
// with two exceptions: if a is infinite or NaN the result is NaN, and if acc is -0 it becomes +0. So the products leave these links
// out, a sixth of all for a 3x3 kernel on 8x8 pixels and a third on 4x4, and then look at what has come out:
//
//   - An infinite or NaN operand has made some result infinite or NaN, since it is a link of some other chain (newAxis sees to that).
//   - A sum becomes -0 only if a product too small to be represented meets a sum of zero. If a link that is not zero
//     follows, the bits are again what they would have been with all links; if none follows, the result is -0.
//
// Where all results are finite and none is -0, they have the definition's bits. Where one is not, all are computed again with
// every link. The tests do so on purpose, on every kernel row.

// span is pixels first..first+count-1 along an axis, which all have taps tap0..tap1-1 inside the border.
type span struct{ first, count, tap0, tap1 int }

// axis is the pixels of a product along an axis, cut into spans.
type axis struct {
	spans  []span
	spares bool // whether the spans leave out links with the border's zeros
	bare   bool // whether what they leave in never meets the border
}

// leastSpared is the part of the links, as a divisor, that must be spared for it to pay.
const leastSpared = 30

// newAxis is an axis of n pixels; inside(i, k) tells whether tap k of pixel i is inside the border, and those that are follow each other.
// It is cut only if it may be, unless that would spare too little, or a tap is never inside, so that its weights would show in no result.
func newAxis(n, taps int, cut bool, inside func(i, k int) bool) axis {
	var a axis
	met, links := make([]bool, taps), 0
	for i := range n {
		s := span{i, 1, 0, 0}
		for k := range taps {
			if inside(i, k) {
				if s.tap0 == s.tap1 {
					s.tap0 = k
				}
				s.tap1 = k + 1
				met[k] = true
				links++
			}
		}
		if last := len(a.spans) - 1; last >= 0 && a.spans[last].tap0 == s.tap0 && a.spans[last].tap1 == s.tap1 {
			a.spans[last].count++
		} else {
			a.spans = append(a.spans, s)
		}
	}
	spared := n*taps - links
	if !cut || slices.Contains(met, false) || spared*leastSpared < n*taps {
		return axis{spans: []span{{0, n, 0, taps}}, bare: spared == 0}
	}
	return axis{spans: a.spans, spares: true, bare: true}
}

// cuts tells whether the rows and columns of a target of so many may be cut: both if vectors run over images, rows if vectors run along
// them and the outermost rows of a group of images are a tile's columns, so that weights are read for enough of them.
func (k planKey) cuts(side, height, width int) (rows, cols bool) {
	if side > 1 {
		return !k.whole, !k.whole
	}
	return !k.whole && k.N >= k.workers && width%k.lanes == 0 && k.group(side, height*width)*width >= kernel.Vectors*k.lanes, false
}
