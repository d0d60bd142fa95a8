package judge

import (
	"slices"

	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor"
)

// Which arithmetic made an answer is found out by trying: operands rounded as a profile would, sums exact, the result stored as
// the profile would. The right guess leaves the errors of the sums alone, and every wrong one leaves hundreds of times as much.

// guess is one arithmetic to try.
type guess struct {
	profile  precision.Profile
	operands func(float64) float64
	results  precision.Format
}

// guesses lists what is tried, the finest first. TF32 operands come from rounding or, in some matrix units, from dropping bits.
var guesses = []guess{
	{precision.FP32, nil, precision.Double},
	{precision.TF32, precision.TensorFloat.Round, precision.Double},
	{precision.TF32, precision.TensorFloat.Truncate, precision.Double},
	{precision.FP16, precision.Half.Round, precision.Half},
	{precision.FP16, nil, precision.Half},
	{precision.BF16, precision.BFloat.Round, precision.Double},
	{precision.BF16, precision.BFloat.Round, precision.BFloat},
	{precision.BF16, nil, precision.BFloat},
}

const (
	enough   = 2  // nodes of a case are looked at, and those that fail
	fewest   = 16 // elements of a result tell one arithmetic from another
	sampled  = 1000
	clearly  = 4  // times smaller are the errors that a right guess leaves
	plainest = 16 // units of float32 are the most that it leaves
	plainly  = 1  // unit or less is left by no operand that was shortened, in sums of less than a million products
)

// infer returns the profile that explains a contraction best, and nothing if none does or if the operator does not tell.
func (t *trial) infer(n *graph.Node, y yardstick, got []float64) precision.Profile {
	op := graph.Lookup(n.Op)
	if op.Class != graph.Contraction || len(got) < fewest {
		return ""
	}
	t.inferences++
	var best precision.Profile
	var least, plain float64
	for i, g := range guesses {
		in := t.gather(n, nil)
		if g.operands != nil {
			in = mapped(in, g.operands)
		}
		left := median(y, got, op.Value(n, in).Data, g.results)
		if i == 0 {
			plain = left
			best, least = g.profile, left
			if left <= plainly*precision.Single.Unit() {
				break
			}
		} else if left < least && left*clearly < plain {
			best, least = g.profile, left
		}
	}
	if least > plainest*precision.Single.Unit() {
		return ""
	}
	return best
}

// shortened returns the profile whose short results explain an exact answer's errors, if one does.
func shortened(got, want []float64) precision.Profile {
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

// median is that of a sample of the errors, as shares of their scales. Unlike a mean it does not see a few elements that are wrong
// for another reason.
func median(y yardstick, got, want []float64, stored precision.Format) float64 {
	var shares []float64
	for i := 0; i < len(got); i += 1 + len(got)/sampled {
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
func (t *trial) alternative(n *graph.Node, f *Finding, v graph.Value, got []float64, end bool) precision.Profile {
	for p, b := range t.bounds[n.Name] {
		bound := b.Local
		if end {
			bound = b.End
		}
		if p == t.profile || class(p) != class(f.Inferred) || f.Inferred == "" && !end {
			continue
		}
		if worst, _ := Measure(n, t.known, v, got, p, end); worst <= bound {
			return p
		}
	}
	return f.Inferred
}

// stored returns the profile whose short results all answers are stored in, where no contraction has told more.
func (t *trial) stored() precision.Profile {
	for _, p := range []precision.Profile{precision.BF16, precision.FP16} {
		held, count := true, 0
		for _, a := range t.answers {
			if a.Err == nil {
				held = held && p.Results().Holds(a.Data)
				count += len(a.Data)
			}
		}
		if held && count >= fewest && !t.Has("exact") {
			return p
		}
	}
	return ""
}
