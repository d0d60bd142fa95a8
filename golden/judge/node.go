package judge

import (
	"fmt"
	"math"

	"sdref/golden/graph"
	"sdref/golden/precision"
)

// Finding is the verdict on one node.
type Finding struct {
	Node      string  `json:"node"`
	Op        string  `json:"op"`
	Layer     string  `json:"layer,omitempty"`
	Iteration int     `json:"iteration,omitempty"`
	Quantity  string  `json:"quantity"`
	Verdict   Verdict `json:"verdict"`
	Reason    string  `json:"reason,omitempty"`

	// inputs that the backend did not answer, so that they are judged with it
	Through    []string          `json:"through,omitempty"`
	Error      Units             `json:"error"`      // the worst, in the profile's unit
	Calibrated Units             `json:"calibrated"` // beyond it suspect
	Provable   Units             `json:"provable"`   // beyond it wrong
	Inferred   precision.Profile `json:"inferred,omitempty"`
	Worst      *Element          `json:"worst,omitempty"`
	Map        *ErrorMap         `json:"map,omitempty"`
	Support    *Support          `json:"support,omitempty"`
}

// Units is a number of rounding units, null in JSON where it is infinite.
type Units float64

// MarshalJSON writes null for infinity.
func (u Units) MarshalJSON() ([]byte, error) {
	if math.IsInf(float64(u), 0) || u != u {
		return []byte("null"), nil
	}
	return fmt.Appendf(nil, "%.4g", float64(u)), nil
}

// Element is one element of a tensor.
type Element struct {
	Index   []int  `json:"index"`
	Got     string `json:"got"`
	Want    string `json:"want"`
	GotHex  string `json:"got_hex"`
	WantHex string `json:"want_hex"`
	ULP     Units  `json:"ulp"` // steps of the answer's type between the two
}

// suspectFactor is how many times the bound an error may be that only simulation has bounded, before it is
// more than suspect.
const suspectFactor = 16

// uncalibratedFactor is the bound, in provable ones of the node alone, of a way through several nodes that
// nothing has calibrated.
const uncalibratedFactor = 64

// compareNode compares an answer with the node recomputed from the backend's own inputs.
func (c *comparison) compareNode(n *graph.Node, a *Answer) *Finding {
	v, err := c.Recompute(n, c.known)
	if err != nil { // of the case, not of the answer
		c.known[n.Name] = c.expected[n.Name]
		return c.add(n, Untrusted, err.Error())
	}
	f := c.add(n, Pass, "")
	for _, name := range n.Inputs {
		if c.substituted[name] {
			f.Through = append(f.Through, name)
		}
	}
	end := len(f.Through) > 0
	if !end {
		c.report.Direct++
	}
	y := c.measure(n, v, end)
	f.Calibrated, f.Provable = c.limits(n, v, y, end)
	got := a.Data
	if n.Op == "unit" {
		got = alignedSign(got, v.Data)
	}
	low, high := c.valueRange(n, v)
	wrong := c.compare(f, y, a, got, v, low, high)
	c.classify(f, y, got, v, wrong, end)
	c.support(f, y, got, v, end)
	c.accept(n, a, v)
	return f
}

// limits returns the calibrated and the provable bound of a node, in units.
func (c *comparison) limits(n *graph.Node, v graph.Value, y errorScale,
	end bool) (calibrated, provable Units) {
	provable = Units(y.limit / y.unit)
	b, known := c.bounds[n.Name][c.profile]
	switch {
	case known && end:
		return Units(b.End), Units(b.End * suspectFactor)
	case known && b.Local == 0, !end && v.Terms == 0 && c.profile.Results() == precision.Single:
		return 0, 0
	case known:
		return min(Units(b.Local), provable), provable
	case end:
		return provable * uncalibratedFactor, provable * uncalibratedFactor * suspectFactor
	}
	return provable, provable
}

// compare finds the worst element and where the wrong ones are. low and high are what ambiguous codes may
// make of v.
func (c *comparison) compare(f *Finding, y errorScale, a *Answer, got []float64, v graph.Value,
	low, high []float64) (wrong []bool) {
	worst, at := -1.0, 0
	wrong = make([]bool, len(got))
	for i, g := range got {
		want := min(max(g, low[i]), high[i]) // what is nearest to g; NaN if g is
		if g != g {
			want = v.Data[i]
		}
		e := y.error(i, g, want)
		if c.platform.NaNUnspecified && v.Data[i] != v.Data[i] {
			e = 0
		}
		if e > worst {
			worst, at = e, i
		}
		wrong[i] = !(e <= float64(f.Calibrated))
	}
	f.Error = Units(worst)
	if worst > 0 {
		f.Worst = element(at, a, got[at], v.Data[at])
	}
	return wrong
}

func element(at int, a *Answer, got, want float64) *Element {
	e := &Element{Index: make([]int, len(a.Shape)), Got: fmt.Sprintf("%.9g", got),
		Want:   fmt.Sprintf("%.17g", want),
		GotHex: fmt.Sprintf("%x", got), WantHex: fmt.Sprintf("%x", want),
		ULP: Units(math.Abs(got-want) / formats[a.DType].Step(want))}
	for axis := len(a.Shape) - 1; axis >= 0; axis-- {
		e.Index[axis] = at % a.Shape[axis]
		at /= a.Shape[axis]
	}
	return e
}
