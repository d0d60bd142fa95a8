package judge

import (
	"fmt"
	"math"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
)

// formats are the types that answers may have.
var formats = map[string]precision.Format{"float16": precision.Half, "float32": precision.Single,
	"float64": precision.Double}

// fault says why an answer cannot be compared, if so.
func (a *Answer) problem(n *graph.Node) string {
	if a.Err != nil {
		return a.Err.Error()
	}
	size := 1
	for _, side := range n.Shape {
		size *= side
	}
	format, ok := formats[a.DType]
	switch {
	case !slices.Equal(a.Shape, n.Shape):
		return fmt.Sprintf("shape %v, want %v", a.Shape, n.Shape)
	case len(a.Data) != size || size == 0:
		return fmt.Sprintf("%d values in shape %v", len(a.Data), n.Shape)
	case !ok:
		return fmt.Sprintf("type %q, want float16, float32 or float64", a.DType)
	case !format.Holds(a.Data):
		return fmt.Sprintf("labelled %s, which does not hold its values", a.DType)
	}
	return ""
}

// errorScale is what a node's errors are measured with.
type errorScale struct {
	scale       []float64 // of each element, one number if the same for all
	unit, limit float64   // the profile's unit, and what is provable, as shares of the scale
	floor       float64   // an error that underflow explains

	flushedFloor float64 // an error that underflow explains where subnormal numbers become 0
}

func (y errorScale) at(i int) float64 {
	if len(y.scale) == 1 {
		return y.scale[0]
	}
	return y.scale[i]
}

// error is |got - want| in units, less what underflow explains. It is +Inf, never NaN, where the two cannot
// be compared.
func (y errorScale) error(i int, got, want float64) float64 {
	gap := math.Abs(got - want)
	switch {
	case got == want, math.IsNaN(got) && math.IsNaN(want):
		return 0
	case !(gap <= math.MaxFloat64):
		return math.Inf(1)
	case gap <= y.floor:
		return 0
	}
	if e := (gap - y.floor) / (y.unit * y.at(i)); e == e {
		return e
	}
	return math.Inf(1)
}

// measure returns how to measure a node's errors: v is its value recomputed from of. From the backend's own
// inputs an element's scale is its magnitude. At the end of a longer way it is the tensor's largest, since an
// element that cancelled on the way has errors larger than itself.
func measure(n *graph.Node, of graph.Values, v graph.Value, p precision.Profile, end bool) errorScale {
	contraction := graph.Lookup(n.Op).Class == graph.Contraction
	y := errorScale{scale: v.Magnitude, unit: p.Unit(), limit: p.Limit(v.Terms, contraction)}
	if p == precision.FP32Winograd && v.Spread != nil && byWinograd(n, of) {
		y.scale, y.limit = v.Spread, precision.Winograd(v.Terms)
	}
	if end {
		y.scale = []float64{absMax(y.scale)}
	}
	largest := 0.0
	if contraction {
		for _, name := range n.Inputs {
			largest += absMax(of[name].Data)
		}
	}
	y.floor = p.Floor(v.Terms, contraction, largest)
	y.flushedFloor = p.FlushedFloor(v.Terms, contraction, largest)
	return y
}

// measure is how to measure a node's errors on the platform.
func (c *comparison) measure(n *graph.Node, v graph.Value, end bool) errorScale {
	y := measure(n, c.known, v, c.profile, end)
	if c.platform.FlushesSubnormals {
		y.floor = y.flushedFloor
	}
	return y
}

// Measure returns the largest error of an answer to a node and the element that has it, in units of the
// profile, v being the node's value recomputed from of. With end, the node's inputs are not the backend's
// own. An error that is not a number is +Inf.
func Measure(n *graph.Node, of graph.Values, v graph.Value, got []float64, p precision.Profile,
	end bool) (worst float64, at int) {
	y := measure(n, of, v, p, end)
	if n.Op == "unit" {
		got = alignedSign(got, v.Data)
	}
	for i, want := range v.Data {
		if e := y.error(i, got[i], want); e > worst {
			worst, at = e, i
		}
	}
	return worst, at
}

// EndToEnd returns the largest magnitude of a node's elements and the largest error that bound b allows an
// end result, for those who compare without a judge.
func EndToEnd(n *graph.Node, of graph.Values, v graph.Value, p precision.Profile,
	b Bound) (magnitude, absolute float64) {
	y := measure(n, of, v, p, true)
	return y.at(0), float64(b.End*y.unit*y.at(0)) + y.floor
}

// byWinograd tells whether a contraction is one that F(4x4, 3x3) computes.
func byWinograd(n *graph.Node, of graph.Values) bool {
	kernel := n.Shape // of "filter"
	if n.Op != "filter" {
		kernel = of[n.Inputs[1]].Shape
	}
	return n.Geometry().HasWinograd(kernel)
}

// alignedSign returns a vector that is determined but for its sign with the sign that brings it nearer to
// want.
func alignedSign(v, want []float64) []float64 {
	product := 0.0
	for i, x := range v {
		product += float64(x * want[i])
	}
	if !(product < 0) {
		return v
	}
	opposite := make([]float64, len(v))
	for i, x := range v {
		opposite[i] = -x
	}
	return opposite
}

// absMax is the largest |v|, NaN left out.
func absMax(data []float64) (largest float64) {
	for _, v := range data {
		if size := math.Abs(v); size > largest {
			largest = size
		}
	}
	return largest
}
