package judge

import (
	"fmt"
	"math"
	"slices"

	"sdref/golden/graph"
)

const (
	// minFitted is how many elements are needed to tell a systematic error from chance.
	minFitted = 8
	// maxRest is the share of the errors' squares that a systematic error leaves at the most, and
	// maxRestOfFew that in less than minFitted elements.
	maxRest, maxRestOfFew = 0.1, 0.001
	// minOneSided is the share of wrong elements that err to the same side where the error is systematic, if
	// there are minSided of them, or minSidedOfOne of an operator that sums up nothing.
	minOneSided, minSided, minSidedOfOne = 0.98, 16, 5
	// minSpread is the share of elements whose errors are at least 1/maxUneven of the largest if errors look
	// like those of a format.
	minSpread, maxUneven = 0.5, 32
)

// systematicError says in words what explains nearly all errors of an answer at once and is no matter of
// rounding; empty if nothing simple does.
func systematicError(n *graph.Node, got, want []float64, end bool) string {
	if len(got) == 1 {
		if end {
			return "" // the errors of many nodes have averaged out
		}
		return fmt.Sprintf("it is %.7g times what it should be", got[0]/want[0])
	}
	var all fit
	for i, g := range got {
		all.add(g, want[i])
	}
	most := maxRest * all.errors
	if len(got) < minFitted {
		most = maxRestOfFew * all.errors
	}
	sided := float64(minSided)
	alone := !end || len(n.Shape) == 1
	if class := graph.Lookup(n.Op).Class; alone && (class == graph.Elementwise || class == graph.Selection) {
		sided = minSidedOfOne
	}
	switch {
	case all.rest(true, false) <= most:
		return fmt.Sprintf("all elements are %.7g times what they should be", 1+all.ew/all.ww)
	case all.rest(false, true) <= most:
		return fmt.Sprintf("all elements are too large by %.3g", all.e/all.n)
	case n.Op == "unit_atoms": // an atom has its own factor
	case all.sided(true) >= sided:
		return "all elements are too large"
	case all.sided(false) >= sided:
		return "all elements are too small"
	}
	return channelwise(n, got, want, most, end)
}

// channelwise is systematicError of what a statistic does to its channel: a factor and an offset. Where the
// statistics of the channels err to either side, coarser arithmetic explains them too, if there are any on
// the way.
func channelwise(n *graph.Node, got, want []float64, most float64, end bool) string {
	s := n.Shape
	if len(s) != 4 || s[0]*s[2]*s[3] < 2*minFitted {
		return ""
	}
	rest, up, down := 0.0, 0, 0
	for channel := range s[1] {
		f := channelFit(s, channel, got, want)
		left := f.rest(true, true)
		rest += left
		switch slope := f.ew - f.e*f.w/f.n; {
		case left > f.errors/2: // the channel tells nothing
		case slope > 0:
			up++
		case slope < 0:
			down++
		}
	}
	statistics := end || n.Op == "batchnorm" || n.Op == "batchnorm_dx"
	if rest > most || statistics && min(up, down) > 0 {
		return ""
	}
	return "each channel has a factor and an offset, as of a statistic that is computed otherwise"
}

// fit is the sums, over n elements, that least squares needs to fit the errors e = got - want by a factor of
// want and an offset: of e, want, their squares and product; and how many elements are too large and too
// small.
type fit struct{ n, e, w, errors, ew, ww, above, below float64 }

// channelFit sums up one channel of a tensor (N, C, H, W).
func channelFit(shape []int, channel int, got, want []float64) (f fit) {
	area := shape[2] * shape[3]
	for image := range shape[0] {
		for i := range area {
			at := (image*shape[1]+channel)*area + i
			f.add(got[at], want[at])
		}
	}
	return f
}

func (f *fit) add(got, w float64) {
	if notFinite(got) || notFinite(w) {
		return
	}
	e := got - w
	f.n, f.e, f.w = f.n+1, f.e+e, f.w+w
	f.errors, f.ew, f.ww = f.errors+float64(e*e), f.ew+float64(e*w), f.ww+float64(w*w)
	switch {
	case e*w > 0:
		f.above++
	case e*w < 0:
		f.below++
	}
}

// rest is the sum of squares of the errors that a factor, an offset or both leave.
func (f fit) rest(factor, offset bool) float64 {
	if f.n == 0 || f.ww == 0 {
		return f.errors
	}
	switch {
	case !offset:
		return max(0, f.errors-f.ew*f.ew/f.ww)
	case !factor:
		return max(0, f.errors-f.e*f.e/f.n)
	}
	variance, covariance := f.ww-f.w*f.w/f.n, f.ew-f.e*f.w/f.n
	rest := f.errors - f.e*f.e/f.n
	if variance > 0 {
		rest -= covariance * covariance / variance
	}
	return max(0, rest)
}

// sided is how many elements are too large, or too small, if nearly all are; 0 otherwise.
func (f fit) sided(large bool) float64 {
	side := f.above
	if !large {
		side = f.below
	}
	if side < minOneSided*(f.above+f.below) {
		return 0
	}
	return side
}

// everywhere tells whether errors lie all over a tensor, as a format's do: at least half of the elements that
// are not zero err by about as much, and no row, channel or other part of the tensor is free of errors.
func everywhere(n *graph.Node, y errorScale, got, want []float64) bool {
	errors, largest := make([]float64, len(got)), 0.0
	for i, g := range got {
		errors[i] = y.error(i, g, want[i])
		largest = max(largest, errors[i])
	}
	err, nonzero := make([]bool, len(got)), make([]bool, len(got))
	for i, e := range errors {
		err[i], nonzero[i] = e >= largest/maxUneven, want[i] != 0 || got[i] != 0
	}
	names := axisNames(len(n.Shape), isWeight(n))
	m, all := mapErrors(n.Shape, names, err), mapErrors(n.Shape, names, nonzero)
	for k, a := range m.Axes {
		for at, wrong := range a.Wrong {
			if wrong == 0 && all.Axes[k].Wrong[at] >= minFitted {
				return false
			}
		}
	}
	return float64(m.Wrong) >= minSpread*float64(all.Wrong)
}

func notFinite(v float64) bool { return !(math.Abs(v) <= math.MaxFloat64) }

// isWeight tells whether a node has the shape of a kernel.
func isWeight(n *graph.Node) bool {
	return slices.Contains([]string{"filter", "unit_atoms", "linear_dw", "velocity", "nesterov"}, n.Op)
}
