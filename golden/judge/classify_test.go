package judge

import (
	"math"
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/internal/random"
	"sdref/tensor"
)

// norm is BatchNorm in training, with gradients.
func norm(t testing.TB) exercise {
	b := graph.New("norm", "batchnorm", "", "real")
	in := func(name string, seed uint64, offset float64, shape ...int) string {
		return b.Input(name, golden.Fill{Shape: shape, Seed: seed, Scale: 1, Offset: offset})
	}
	state := b.Of(in("weight", 1, 1.5, 12), in("bias", 2, 0, 12), in("running_mean", 3, 0, 12),
		in("running_var", 4, 1.5, 12))
	y, _, _ := b.BatchNorm("", in("x", 5, 0, 3, 12, 5, 4),
		autodiff.Norm{Gamma: state[0], Beta: state[1], Mean: state[2], Variance: state[3], Epsilon: 1e-5,
			Momentum: 0.1}, true)
	b.Require(append(b.Backward(y, in("grad/"+y, 6, 0, 3, 12, 5, 4), "x", "weight", "bias"), y,
		"new_running_var")...)
	return prepare(t, b.Case)
}

// spoiled returns a change of one answer, element by element, rounded to float32.
func spoiled(node string, f func(i int, v float64) float64) func(Answers) {
	return func(a Answers) {
		for i, v := range a[node].Data {
			a[node].Data[i] = precision.Single.Round(f(i, v))
		}
	}
}

// Errors that no format explains and that do not look like a format's are of LOGIC, however small.
func TestSystematicErrors(t *testing.T) {
	real, bn, power := convolution(t, false), norm(t), eigenpair(t)
	plane := 6 * 7
	channel := func(i int) int { return i / plane % 40 }
	noise := func(size float64) func(i int, v float64) float64 {
		return func(i int, v float64) float64 { return v + size*random.New(9).Unit(uint64(i)) }
	}
	variance := func(epsilon float64) func(Answers) { // y with another epsilon
		return func(a Answers) {
			mean, v := a["mean"].Data, a["var"].Data
			spoiled("y", func(i int, _ float64) float64 {
				c := i / 20 % 12
				return bn.in["weight"].Data[c]*(bn.in["x"].Data[i]-mean[c])/math.Sqrt(v[c]+epsilon) +
					bn.in["bias"].Data[c]
			})(a)
		}
	}
	length := func(a Answers) { // |A*A v| for |A v|^2
		image := a["power/4/analysis"].Data
		a["eigenvalue"].Data[0] = precision.Single.Round(math.Sqrt(tensor.SumSquares(from(image,
			len(image)))))
	}
	for what, c := range map[string]struct {
		e      exercise
		node   string
		change func(Answers)
		want   Verdict
		says   string
	}{
		"a factor": {real, "y", spoiled("y", func(_ int, v float64) float64 {
			return v * (1 + 0x1p-9)
		}), Logic, "1.001953 times"},
		"an offset": {real, "y", spoiled("y", func(_ int, v float64) float64 {
			return v + 0x1p-9
		}), Logic, "too large by 0.00195"},
		"one side": {real, "y", spoiled("y", func(i int, v float64) float64 {
			return v * (1 + math.Abs(random.New(9).Unit(uint64(i)))/100)
		}), Logic, "all elements are"},
		"channel offsets": {real, "y", spoiled("y", func(i int, v float64) float64 {
			return v + 0.01*random.New(3).Unit(uint64(channel(i)))
		}), Logic, "each channel"},
		"a channel range": {real, "y", spoiled("y", func(i int, v float64) float64 {
			if channel(i) < 36 {
				return v
			}
			return noise(0x1p-9)(i, v)
		}), Logic, "another computation"},
		"noise":            {real, "y", spoiled("y", noise(0x1p-9)), Precision, "no more than coarser"},
		"noise, too large": {real, "y", spoiled("y", noise(0.5)), Logic, "another computation"},
		"stored in bfloat16": {bn, "y", spoiled("y", func(_ int, v float64) float64 {
			return precision.BFloat.Round(v)
		}), Precision, "stored in bf16"},
		"another epsilon": {bn, "y", variance(1e-3), Logic, "0.9985205 times"},
		"epsilon 1e-6":    {bn, "y", variance(1e-6), Logic, "1.000013 times"},
		"unbiased variance": {bn, "var", spoiled("var", func(_ int, v float64) float64 {
			return v * 60 / 59
		}), Logic, "1.016949 times"},
		"biased afterwards": {bn, "new_running_var", spoiled("new_running_var",
			func(i int, _ float64) float64 {
				return 0.9*bn.in["running_var"].Data[i] + 0.1*bn.expected["var"].Data[i]
			}), Logic, "another computation"},
		"length for square": {power, "eigenvalue", length, Logic, "times what it should be"},
	} {
		r := c.e.judge(precision.FP32, c.e.honest(precision.FP32), c.change)
		if r.First == nil || r.Verdict != c.want || r.First.Node != c.node ||
			!strings.Contains(r.First.Reason, c.says) {
			t.Errorf("%s: %s, %+v", what, r.Verdict, r.First)
		}
	}
}

// A wrong channel is an error of LOGIC in a backend that computes in another format than it declares, too.
func TestWrongInAnotherFormat(t *testing.T) {
	e := convolution(t, false)
	verdict(t, "bf16", e.judge(precision.FP32, e.honest(precision.BF16), nil), Precision, "y")
	verdict(t, "bf16, the last column zero", e.judge(precision.FP32, e.honest(precision.BF16),
		spoiled("y", func(i int, v float64) float64 {
			if i%7 == 6 {
				return 0
			}
			return v
		})), Logic, "y")
}

// ramp is a proximal operator of inputs around the smallest normal number.
func ramp(t testing.TB, nan ...int) exercise {
	b := graph.New("ramp", "prox", "", "exact")
	u := golden.Fill{Shape: []int{1, 1, 8, 8}, Seed: 1, Scale: 0x1p-128, Levels: 33}
	b.Require(b.Node("prox", graph.Place{Quantity: "z"}, graph.Attrs{"lambda": 0x1p-128}, b.Input("u", u),
		b.Constant("step", 0.5)))
	b.Case.Inputs[0].NaN = nan
	e := prepare(t, b.Case)
	return e
}

// Flushing is called so, and so is a lost NaN; who declares it passes.
func TestSpecialValues(t *testing.T) {
	flush := func(a Answers) {
		for i, v := range a["z"].Data {
			if math.Abs(v) < 0x1p-126 {
				a["z"].Data[i] = 0
			}
		}
	}
	lose := func(a Answers) {
		for i, v := range a["z"].Data {
			if v != v {
				a["z"].Data[i] = 0
			}
		}
	}
	one := func(a Answers) { a["z"].Data[5] += 1 }
	for what, c := range map[string]struct {
		e        exercise
		change   func(Answers)
		platform Platform
		want     Verdict
		says     string
	}{
		"kept":                        {ramp(t), nil, Platform{}, Pass, ""},
		"flushed":                     {ramp(t), flush, Platform{}, Precision, `"subnormals": "flushed"`},
		"flushed, declared":           {ramp(t), flush, Platform{FlushesSubnormals: true}, Pass, ""},
		"kept, declared flushed":      {ramp(t), nil, Platform{FlushesSubnormals: true}, Pass, ""},
		"wrong, declared flushed":     {ramp(t), one, Platform{FlushesSubnormals: true}, Logic, ""},
		"flushed, declared otherwise": {ramp(t), flush, Platform{NaNUnspecified: true}, Precision, "flushed"},
		"NaN":                         {ramp(t, 3, 9), nil, Platform{}, Pass, ""},
		"NaN lost": {ramp(t, 3, 9), lose, Platform{}, Logic,
			`2 elements are numbers where NaN is right`},
		"NaN lost, declared": {ramp(t, 3, 9), lose, Platform{NaNUnspecified: true}, Pass, ""},
		"NaN made, declared": {ramp(t), func(a Answers) {
			a["z"].Data[5] = nan()
		}, Platform{NaNUnspecified: true}, Logic,
			"not finite"},
	} {
		a := c.e.honest(precision.FP32)
		if c.change != nil {
			c.change(a)
		}
		r := JudgeOn(c.platform, c.e.Case, c.e.in, c.e.expected, c.e.bounds, a, precision.FP32)
		if r.Verdict != c.want || r.First != nil && !strings.Contains(r.First.Reason, c.says) ||
			r.Inferred == precision.FP16 {
			t.Errorf("%s: %s, %q: %+v", what, r.Verdict, r.Inferred, r.First)
		}
	}
}
