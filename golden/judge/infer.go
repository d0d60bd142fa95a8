package judge

import (
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor"
)

// Which arithmetic made an answer is found out by trying: operands rounded as a profile would, sums exact,
// the result stored as the profile would. The right candidate leaves the errors of the sums alone, and every
// wrong one leaves hundreds of times as much.

// candidate is one arithmetic to try.
type candidate struct {
	profile  precision.Profile
	operands operands
	results  precision.Format
}

// operands is a way to shorten the operands of a contraction.
type operands int

const (
	unshortened operands = iota
	roundedTF32
	truncatedTF32 // in some matrix units
	roundedFP16
	roundedBF16
)

// shorten has what each way does to an operand.
var shorten = [...]func(float64) float64{
	roundedTF32: precision.TensorFloat.Round, truncatedTF32: precision.TensorFloat.Truncate,
	roundedFP16: precision.Half.Round, roundedBF16: precision.BFloat.Round,
}

// candidates lists what is tried, the finest first.
var candidates = []candidate{
	{precision.FP32, unshortened, precision.Double},
	{precision.TF32, roundedTF32, precision.Double},
	{precision.TF32, truncatedTF32, precision.Double},
	{precision.FP16, roundedFP16, precision.Half},
	{precision.FP16, unshortened, precision.Half},
	{precision.BF16, roundedBF16, precision.Double},
	{precision.BF16, roundedBF16, precision.BFloat},
	{precision.BF16, unshortened, precision.BFloat},
}

const (
	// inferredNodes is how many contractions of a case are looked at, beside those that fail.
	inferredNodes = 2
	// minElements is the size of the smallest result that tells one arithmetic from another.
	minElements = 16
	// sampleElements is how many elements of a result are looked at, about.
	sampleElements = 1000
	// minImprovement is by what factor a candidate's errors must be smaller than those of exact operands.
	minImprovement = 4
	// maxUnexplainedUnits is the largest error, in units of float32, that the right candidate leaves: that
	// of the sums.
	maxUnexplainedUnits = 16
	// unroundedUnits is the error, in units of float32, that no shortened operand stays below, in sums of
	// less than a million products.
	unroundedUnits = 1
)

// infer returns the profile that explains a contraction best, and nothing if none does or if the operator
// does not tell.
func (c *comparison) infer(n *graph.Node, y errorScale, got []float64) precision.Profile {
	op := graph.Lookup(n.Op)
	if op.Class != graph.Contraction || len(got) < minElements {
		return ""
	}
	c.inferences++
	var best precision.Profile
	var least, plain float64
	var values [len(shorten)]*graph.Tensor // the contraction of the operands in each way
	for i, g := range candidates {
		if values[g.operands] == nil {
			in := c.inputsOf(n, nil)
			if f := shorten[g.operands]; f != nil {
				in = mapped(in, f)
			}
			values[g.operands] = op.Value(n, in)
		}
		left := median(y, got, values[g.operands].Data, g.results)
		if i == 0 {
			plain = left
			best, least = g.profile, left
			if left <= unroundedUnits*precision.Single.Unit() {
				break
			}
		} else if left < least && left*minImprovement < plain {
			best, least = g.profile, left
		}
	}
	if least > maxUnexplainedUnits*precision.Single.Unit() {
		return ""
	}
	return best
}

// storedShort returns the profile whose short results explain an exact answer's errors, if one does.
func storedShort(got, want []float64) precision.Profile {
	for _, p := range []precision.Profile{precision.FP16, precision.BF16} {
		stored := make([]float64, len(want))
		for i, v := range want {
			stored[i] = p.Results().Round(v)
		}
		if sameBits(got, stored) {
			return p
		}
	}
	return ""
}

// mapped returns tensors with every element mapped.
func mapped(in []*graph.Tensor, f func(float64) float64) []*graph.Tensor {
	out := make([]*graph.Tensor, len(in))
	for i, t := range in {
		out[i] = tensor.New[float64](t.Shape...)
		for j, v := range t.Data {
			out[i].Data[j] = f(v)
		}
	}
	return out
}

// median is that of a sample of the errors, as shares of their scales. Unlike a mean it does not see a few
// elements that are wrong for another reason.
func median(y errorScale, got, want []float64, stored precision.Format) float64 {
	var shares []float64
	for i := 0; i < len(got); i += 1 + len(got)/sampleElements {
		shares = append(shares, y.error(i, got[i], stored.Round(want[i]))*y.unit)
	}
	slices.Sort(shares)
	return shares[len(shares)/2]
}

// class is the arithmetic of a profile's operands and results: fp32, tf32, fp16 or bf16.
func class(p precision.Profile) precision.Profile {
	if p.Operands() == precision.Single {
		return precision.FP32
	}
	return p
}

// coarser tells whether p is an arithmetic of a coarser class than q; none is not.
func coarser(p, q precision.Profile) bool { return p != "" && class(p).Unit() > class(q).Unit() }

// alternative returns another profile of the inferred class whose calibrated bound an answer keeps.
func (c *comparison) alternative(n *graph.Node, f *Finding, v graph.Value, got []float64,
	end bool) precision.Profile {
	for p, b := range c.bounds[n.Name] {
		bound := b.Local
		if end {
			bound = b.End
		}
		if p == c.profile || class(p) != class(f.Inferred) || f.Inferred == "" && !end {
			continue
		}
		if worst, _ := Measure(n, c.known, v, got, p, end); worst <= bound {
			return p
		}
	}
	return f.Inferred
}

// storedProfile returns the profile whose short results all answers are stored in, where no contraction has
// told more.
func (c *comparison) storedProfile() precision.Profile {
	for _, p := range []precision.Profile{precision.BF16, precision.FP16} {
		held, count := true, 0
		for _, a := range c.answers {
			if a.Err == nil {
				held = held && p.Results().Holds(a.Data)
				count += len(a.Data)
			}
		}
		if held && count >= minElements && !c.Has("exact") {
			return p
		}
	}
	return ""
}
