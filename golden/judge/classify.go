package judge

import (
	"fmt"
	"math"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor"
)

// An answer that misses its bounds is an error of PRECISION if a format with a name explains it, or if its
// errors look like those of some format: everywhere, of all signs, in proportion to nothing. Otherwise it is
// an error of LOGIC, however small it is.

const (
	// coarseShare is the largest error that coarser arithmetic explains, as a share of the root mean square.
	// Those of bfloat16's operands are about 2^-9 of it, and the worst of a million elements five times that.
	coarseShare = 0x1p-6
	// coarseStored is the relative error of a number that is stored in bfloat16.
	coarseStored = 0x1p-8
	// coarseScalar is the largest relative error of a single number, on the way to which errors average out.
	coarseScalar = 0x1p-7
	// coarseFactor is by what factor errors grow at most, and the codes at kinks that they flip add, on the
	// way through nodes that were not answered, after a node that was found to be coarse.
	coarseFactor = 8
)

// small tells whether coarser arithmetic can explain errors of this share of the elements' scales. Partial
// sums in bfloat16 can make one as large as their unit of the sum of |a||b|, which many rounded terms rarely
// do: that counts after a node that was found to be coarse.
func (c *comparison) small(n *graph.Node, share float64, y errorScale, want []float64, end bool) bool {
	if c.coarse && !end && share <= coarseStored {
		return true
	}
	size := share * absMax(y.scale)
	rms := math.Sqrt(tensor.SumSquares(tensor.From(want, len(want))) / float64(len(want)))
	limit := float64(coarseShare*rms) + float64(coarseStored*absMax(want))
	if len(want) == 1 {
		limit = coarseScalar * absMax(want)
	}
	if graph.Lookup(n.Op).Class == graph.Elementwise { // what cancels keeps its errors
		limit = max(limit, coarseStored*absMax(y.scale))
	}
	if c.coarse && end {
		limit *= coarseFactor
	}
	return size <= limit
}

// classify turns the worst error into a verdict.
func (c *comparison) classify(f *Finding, y errorScale, got []float64, v graph.Value, wrong []bool,
	end bool) {
	n := c.Node(f.Node)
	missed := !(f.Error <= f.Calibrated)
	if missed && c.anyFailure {
		f.Verdict = Logic
		return
	}
	exact := c.Has("exact") && f.Calibrated == 0
	if !exact && !end && (missed || c.inferences < inferredNodes) {
		f.Inferred = c.infer(n, y, got)
	}
	if exact && missed {
		f.Inferred = storedShort(got, v.Data)
	}
	if !missed && !coarser(f.Inferred, c.profile) {
		return
	}
	f.Map = mapErrors(n.Shape, axisNames(len(n.Shape), isWeight(n)), wrong)
	if verdict, reason := specialValues(y, got, v.Data, wrong); reason != "" {
		f.Verdict, f.Reason, f.Inferred = verdict, reason, ""
		return
	}
	small := c.small(n, float64(f.Error)*y.unit, y, v.Data, end)
	systematic := systematicError(n, got, v.Data, end)
	if c.coarse && small { // a norm or a statistic in the same arithmetic explains it
		systematic = ""
	}
	named := c.named(f.Inferred, n, v, got, exact, missed)
	switch {
	case named != "":
		f.Verdict, f.Reason = Precision, fmt.Sprintf("declared %s, behaves like %s", c.profile, named)
		f.Inferred = named
	case exact && !(end && small && systematic == ""):
		f.Verdict, f.Reason = Logic, "differs where nothing is rounded"
	case f.Error <= f.Provable && !exact:
		f.Verdict, f.Reason = Suspect, "beyond what honest backends were seen to do"
		if systematic != "" {
			f.Reason += ": " + systematic
		}
		f.Inferred = c.alternative(n, f, v, got, end)
	case c.storedIn(got, v.Data) != "":
		f.Inferred = c.storedIn(got, v.Data)
		f.Verdict, f.Reason = Precision, fmt.Sprintf("declared %s, stored in %s", c.profile, f.Inferred)
	case systematic != "":
		f.Verdict, f.Reason, f.Inferred = Logic, "another computation: "+systematic, ""
	case small && (exact || c.coarse || everywhere(n, y, got, v.Data)):
		f.Verdict = Precision
		f.Reason = "beyond the declared profile, by no more than coarser arithmetic may explain"
		f.Inferred = c.alternative(n, f, v, got, end)
	default:
		f.Verdict, f.Reason = Logic, "another computation"
	}
	c.coarse = c.coarse || f.Verdict == Precision
}

// named returns the profile that explains all errors of an answer by itself: the inferred one, or where
// nothing should be rounded another one that rounds there. It is empty if there is none.
func (c *comparison) named(inferred precision.Profile, n *graph.Node, v graph.Value, got []float64,
	exact, missed bool) precision.Profile {
	if coarser(inferred, c.profile) && (exact || !missed || c.explains(inferred, n, v, got)) {
		return inferred
	}
	if !exact {
		return ""
	}
	for _, p := range []precision.Profile{precision.FP16, precision.BF16} {
		if coarser(p, c.profile) && shortSums(p.Operands(), got, v) {
			return p
		}
	}
	if c.profile == precision.FP32 && v.Spread != nil && byWinograd(n, c.known) {
		bound, known := c.bounds[n.Name][precision.FP32Winograd]
		if e, _ := Measure(n, c.known, v, got, precision.FP32Winograd, false); known && e <= bound.Local {
			return precision.FP32Winograd
		}
	}
	return ""
}

// shortSums tells whether partial sums that were rounded to a format explain the errors of an exact answer:
// none is larger than the format's unit of the sum of |a||b|, and there is none where that sum is a number of
// the format in units of the smallest term.
func shortSums(f precision.Format, got []float64, v graph.Value) bool {
	quantum := math.Inf(1)
	for _, w := range v.Data {
		if w != 0 && w == w {
			quantum = min(quantum, lastBit(w))
		}
	}
	for i, g := range got {
		e, size := math.Abs(g-v.Data[i]), v.Magnitude[i]
		if e != 0 && (!(e <= f.Unit()*size) || size <= math.Ldexp(quantum, f.Bits) || lastBit(e) < quantum) {
			return false
		}
	}
	return true
}

// lastBit is the largest power of two that a number is a multiple of.
func lastBit(v float64) float64 {
	fraction, exponent := math.Frexp(v)
	bits := uint64(math.Abs(fraction) * (1 << 53))
	return math.Ldexp(float64(bits&-bits), exponent-53)
}

// specialValues explains wrong elements that have to do with special values, and with nothing else.
func specialValues(y errorScale, got, want []float64, wrong []bool) (Verdict, string) {
	infinite, lost, flushed, others := 0, 0, 0, 0
	for i, is := range wrong {
		switch {
		case !is:
		case notFinite(got[i]) && !notFinite(want[i]):
			infinite++
		case want[i] != want[i]:
			lost++
		case math.Abs(got[i]-want[i]) <= y.flushedFloor && got[i] == 0:
			flushed++
		case !(math.Abs(got[i]-want[i]) <= y.flushedFloor):
			others++
		}
	}
	switch {
	case infinite > 0:
		return Logic, "not finite where the right value is"
	case others > 0:
		return "", ""
	case lost > 0:
		return Logic,
			fmt.Sprintf("NaN lost: %d elements are numbers where NaN is right; a backend whose platform "+
				`does so declares "nan": "unspecified"`, lost)
	case flushed > 0:
		return Precision,
			fmt.Sprintf("subnormal numbers flushed to zero, %d elements; a backend whose platform "+
				`does so declares "subnormals": "flushed"`, flushed)
	}
	return "", ""
}

// explains tells whether a profile's provable bound holds all errors of an answer.
func (c *comparison) explains(p precision.Profile, n *graph.Node, v graph.Value, got []float64) bool {
	worst, _ := Measure(n, c.known, v, got, p, false)
	return worst*p.Unit() <= measure(n, c.known, v, p, false).limit
}

// storedIn returns the profile in whose format all elements are stored, each of them next to the right value.
func (c *comparison) storedIn(got, want []float64) precision.Profile {
	for _, p := range []precision.Profile{precision.FP16, precision.BF16} {
		next := func(i int) bool { return math.Abs(got[i]-want[i]) <= p.Results().Step(want[i]) }
		held := coarser(p, c.profile) && p.Results().Holds(got) && !p.Results().Holds(want)
		for i := 0; held && i < len(got); i++ {
			held = next(i)
		}
		if held {
			return p
		}
	}
	return ""
}
