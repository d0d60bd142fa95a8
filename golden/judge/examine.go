package judge

import (
	"fmt"
	"math"
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor"
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

	Through    []string          `json:"through,omitempty"` // inputs that the backend did not answer, so that they are judged with it
	Error      Units             `json:"error"`             // the worst, in the profile's unit
	Calibrated Units             `json:"calibrated"`        // beyond it suspect
	Provable   Units             `json:"provable"`          // beyond it wrong
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

// far is how many times the bound an error may be that only simulation has bounded, before it is more than suspect.
const far = 16

// uncalibrated is the bound, in provable ones of the node alone, of a way through several nodes that nothing has calibrated.
const uncalibrated = 64

// slight is the largest error that a coarser arithmetic may explain. Those of bfloat16's operands are about 2^-9 of the root mean
// square, and the worst of a million elements five times that; a result stored so is off by up to 2^-8 of itself.
func slight(want []float64) float64 {
	rms := math.Sqrt(tensor.SumSquares(tensor.From(want, len(want))) / float64(len(want)))
	return float64(0x1p-6*rms) + float64(0x1p-8*absMax(want))
}

// examine compares an answer with the node recomputed from the backend's own inputs.
func (t *trial) examine(n *graph.Node, a *Answer) *Finding {
	v, err := t.Recompute(n, t.known)
	if err != nil { // of the case, not of the answer
		t.known[n.Name] = t.expected[n.Name]
		return t.add(n, Untrusted, err.Error())
	}
	f := t.add(n, Pass, "")
	for _, name := range n.Inputs {
		if t.composed[name] {
			f.Through = append(f.Through, name)
		}
	}
	end := len(f.Through) > 0
	if !end {
		t.report.Direct++
	}
	y := measure(n, t.known, v, t.profile, end)
	f.Calibrated, f.Provable = t.limits(n, v, y, end)
	got := a.Data
	if n.Op == "unit" {
		got = towards(got, v.Data)
	}
	low, high := t.between(n, v)
	wrong := t.compare(f, y, a, got, v, low, high)
	t.judge(f, y, got, v, wrong, end)
	t.support(f, y, got, v, end)
	t.adopt(n, a, v)
	return f
}

// limits returns the calibrated and the provable bound of a node, in units.
func (t *trial) limits(n *graph.Node, v graph.Value, y yardstick, end bool) (calibrated, provable Units) {
	provable = Units(y.limit / y.unit)
	b, known := t.bounds[n.Name][t.profile]
	switch {
	case known && end:
		return Units(b.End), Units(b.End * far)
	case known && b.Local == 0, !end && v.Terms == 0 && t.profile.Results() == precision.Single:
		return 0, 0
	case known:
		return min(Units(b.Local), provable), provable
	case end:
		return provable * uncalibrated, provable * uncalibrated * far
	}
	return provable, provable
}

// compare finds the worst element and where the wrong ones are. low and high are what ambiguous codes may make of v.
func (t *trial) compare(f *Finding, y yardstick, a *Answer, got []float64, v graph.Value, low, high []float64) (wrong []bool) {
	worst, at := -1.0, 0
	wrong = make([]bool, len(got))
	for i, g := range got {
		want := min(max(g, low[i]), high[i]) // what is nearest to g; NaN if g is
		if g != g {
			want = v.Data[i]
		}
		e := y.error(i, g, want)
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
	e := &Element{Index: make([]int, len(a.Shape)), Got: fmt.Sprintf("%.9g", got), Want: fmt.Sprintf("%.17g", want),
		GotHex: fmt.Sprintf("%x", got), WantHex: fmt.Sprintf("%x", want), ULP: Units(math.Abs(got-want) / formats[a.DType].Step(want))}
	for axis := len(a.Shape) - 1; axis >= 0; axis-- {
		e.Index[axis] = at % a.Shape[axis]
		at /= a.Shape[axis]
	}
	return e
}

// judge turns the worst error into a verdict.
func (t *trial) judge(f *Finding, y yardstick, got []float64, v graph.Value, wrong []bool, end bool) {
	n := t.Node(f.Node)
	missed := !(f.Error <= f.Calibrated)
	switch {
	case t.Has("exact") && f.Calibrated == 0:
		if missed {
			f.Inferred = shortened(got, v.Data)
		}
	case !end && (missed || t.inferences < enough):
		f.Inferred = t.infer(n, y, got)
	}
	switch {
	case missed && slices.ContainsFunc(got, notFinite) && !slices.ContainsFunc(v.Data, notFinite):
		f.Verdict, f.Reason = Logic, "not finite where the right value is"
	case coarser(f.Inferred, t.profile):
		f.Verdict, f.Reason = Precision, fmt.Sprintf("declared %s, behaves like %s", t.profile, f.Inferred)
	case !missed:
		return
	case t.Has("exact") && f.Calibrated == 0:
		f.Verdict, f.Reason = Logic, "differs where nothing is rounded"
	case f.Error <= f.Provable:
		f.Verdict, f.Reason = Suspect, "beyond what honest backends were seen to do"
		f.Inferred = t.alternative(n, f, v, got, end)
	case float64(f.Error)*y.unit*absMax(y.scale) <= slight(v.Data):
		f.Verdict, f.Reason = Precision, "beyond the declared profile, by no more than coarser arithmetic may explain"
		f.Inferred = t.alternative(n, f, v, got, end)
	default:
		f.Verdict, f.Reason = Logic, "another computation"
	}
	f.Map = mapErrors(n.Shape, axisNames(len(n.Shape), isWeight(n)), wrong)
}

func notFinite(v float64) bool { return !(math.Abs(v) <= math.MaxFloat64) }

// isWeight tells whether a node has the shape of a kernel.
func isWeight(n *graph.Node) bool {
	return slices.Contains([]string{"filter", "unit_atoms", "linear_dw", "velocity", "nesterov"}, n.Op)
}
