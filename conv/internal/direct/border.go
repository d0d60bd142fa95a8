package direct

import (
	"slices"

	"sdref/internal/kernel"
)

// Elements beyond the border are zeros, and links of their chains like all others. Yet such a link fma(a, 0,
// acc) leaves acc as it is, with two exceptions: if a is infinite or NaN the result is NaN, and if acc is -0
// it becomes +0. So the products skip these links, a sixth of all for a 3x3 kernel on 8x8 pixels and a third
// on 4x4, and then look at the results:
//
//   - An infinite or NaN operand has made some result infinite or NaN, since it is a link of some other chain
//     (newAxis sees to that).
//   - A sum becomes -0 only if a product too small to be represented is added to a sum of zero. If a link
//     that is not zero follows, the bits are again what they would have been with all links; if none follows,
//     the result is -0.
//
// Where all results are finite and none is -0, they have the definition's bits. Where one is not, all are
// computed again with every link. The tests bring this about on purpose, on every kernel row.

// span is pixels first..first+count-1 along an axis, which all have taps tap0..tap1-1 inside the border.
type span struct{ first, count, tap0, tap1 int }

// axis is the pixels of a product along an axis, cut into spans of pixels with the same taps.
type axis struct {
	spans      []span
	skips      bool // whether links with the border's zeros are skipped
	borderless bool // whether none of the links that remain reads the border
}

// maxLinksPerSkip is the number of links up to which one of them must be skipped for skipping to pay.
const maxLinksPerSkip = 30

// newAxis is an axis of n pixels, each with so many taps; inside(i, k) tells whether tap k of pixel i is
// inside the border, and the taps inside follow each other. It is cut into several spans only if mayCut, and
// not if that would skip too few links, or if some tap is never inside: no result would then show that its
// weights are infinite or NaN.
func newAxis(n, taps int, mayCut bool, inside func(i, k int) bool) axis {
	var a axis
	used, links := make([]bool, taps), 0
	for i := range n {
		s := span{i, 1, 0, 0}
		for k := range taps {
			if inside(i, k) {
				if s.tap0 == s.tap1 {
					s.tap0 = k
				}
				s.tap1 = k + 1
				used[k] = true
				links++
			}
		}
		if last := len(a.spans) - 1; last >= 0 && a.spans[last].tap0 == s.tap0 &&
			a.spans[last].tap1 == s.tap1 {
			a.spans[last].count++
		} else {
			a.spans = append(a.spans, s)
		}
	}
	skipped := n*taps - links
	if !mayCut || slices.Contains(used, false) || skipped*maxLinksPerSkip < n*taps {
		return axis{spans: []span{{0, n, 0, taps}}, borderless: skipped == 0}
	}
	return axis{spans: a.spans, skips: true, borderless: true}
}

// mayCut tells whether the rows and the columns of a target with height x width pixels may be cut into spans:
// both if vectors run over interleaved images. Where vectors run along the rows only the rows may be, and
// only if the outermost rows of a group of images fill a tile's columns, so that each weight that is read
// serves enough of them.
func (k planKey) mayCut(interleaved, height, width int) (rows, cols bool) {
	if interleaved > 1 {
		return !k.allLinks, !k.allLinks
	}
	wholeVectors := width%k.lanes == 0
	fillsTile := k.groupSize(interleaved, height*width)*width >= kernel.Vectors*k.lanes
	return !k.allLinks && k.N >= k.workers && wholeVectors && fillsTile, false
}
