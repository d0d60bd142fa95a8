package judge

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"sdref/golden/precision"
)

// verdict fails unless a report says what is wanted.
func verdict(t *testing.T, what string, r Report, want Verdict, node string) {
	t.Helper()
	first := ""
	if r.First != nil {
		first = r.First.Node
	}
	if r.Verdict != want || first != node {
		t.Errorf("%s: %s at %q, want %s at %q; %+v", what, r.Verdict, first, want, node, r.First)
	}
}

func TestHonestAnswersPass(t *testing.T) {
	for _, e := range []exercise{convolution(t, true), convolution(t, false), layer(t, true), layer(t, false),
		eigenpair(t)} {
		for _, p := range precision.Profiles {
			if e.Has("exact") && p == precision.BF16 {
				continue // its results are not exact
			}
			a := e.honest(p)
			verdict(t, e.ID+" "+string(p), e.judge(p, a, nil), Pass, "")
			verdict(t, e.ID+" without trace "+string(p), e.judge(p, e.only(a), nil), Pass, "")
		}
	}
}

// Whatever is no answer never passes.
func TestHostileAnswers(t *testing.T) {
	for _, e := range []exercise{layer(t, true), layer(t, false)} {
		a := e.honest(precision.FP32)
		const node = "2/code"
		data := func(f func(d []float64) []float64) func(Answers) {
			return func(a Answers) { a[node].Data = f(a[node].Data) }
		}
		set := func(i int, v float64) func(Answers) {
			return data(func(d []float64) []float64 { d[i] = v; return d })
		}
		for what, c := range map[string]struct {
			change func(Answers)
			want   Verdict
		}{
			"NaN":  {set(3, nan()), Logic},
			"+Inf": {set(0, math.Inf(1)), Logic},
			"-Inf": {set(5, math.Inf(-1)), Logic},
			"all NaN": {data(func(d []float64) []float64 {
				return each(d, func(float64) float64 { return nan() })
			}), Logic},
			"zeros":       {data(func(d []float64) []float64 { return make([]float64, len(d)) }), Logic},
			"empty":       {data(func([]float64) []float64 { return nil }), Protocol},
			"too short":   {data(func(d []float64) []float64 { return d[1:] }), Protocol},
			"too long":    {data(func(d []float64) []float64 { return append(d, 0) }), Protocol},
			"empty shape": {func(a Answers) { a[node].Shape, a[node].Data = []int{0}, nil }, Protocol},
			"flat":        {func(a Answers) { a[node].Shape = []int{len(a[node].Data)} }, Protocol},
			"NHWC": {func(a Answers) {
				s := a[node].Shape
				a[node].Shape = []int{s[0], s[2], s[3],
					s[1]}
			}, Protocol},
			"a wrong label": {func(a Answers) {
				a[node].DType = "float16"
				a[node].Data[0] = 1 + 0x1p-20
			}, Protocol},
			"no label":     {func(a Answers) { a[node].DType = "" }, Protocol},
			"integers":     {func(a Answers) { a[node].DType = "int64" }, Protocol},
			"an odd label": {func(a Answers) { a[node].DType = "bfloat16" }, Protocol},
			"no shape":     {func(a Answers) { *a[node] = Answer{} }, Protocol},
		} {
			verdict(t, e.ID+": "+what, e.judge(precision.FP32, a, c.change), c.want, node)
		}
		last := e.Nodes[len(e.Nodes)-1].Name
		verdict(t, "missing", e.judge(precision.FP32, a, func(a Answers) { delete(a, last) }), Protocol, last)
		if r := e.judge(precision.FP32, Answers{}, nil); !r.Verdict.Failed() {
			t.Errorf("no answers: %s", r.Verdict)
		}
		r := e.judge(precision.FP32, a, func(a Answers) { a["nonsense"] = a[node] })
		if r.Verdict != Protocol || r.First.Place() != `answer "nonsense"` {
			t.Errorf("an unknown name: %s, %+v", r.Verdict, r.First)
		}
		r = e.judge(precision.FP32, a, func(a Answers) {
			for i := range 100 {
				a[fmt.Sprintf("file%d", i)] = &Answer{Err: errors.New("no node")}
			}
		})
		if r.Verdict != Protocol || len(r.Findings) > len(e.Nodes)+maxUnknown ||
			!strings.Contains(r.Notes[0], "100 answers") {
			t.Errorf("a hundred unknown names: %d findings, %q", len(r.Findings), r.Notes)
		}
	}
}

func each(d []float64, f func(float64) float64) []float64 {
	out := make([]float64, len(d))
	for i, v := range d {
		out[i] = f(v)
	}
	return out
}

// One wrong element anywhere in the trace is found at its own node, and at no later one.
func TestFirstDivergence(t *testing.T) {
	for _, e := range []exercise{layer(t, true), layer(t, false)} {
		a := e.honest(precision.FP32)
		for _, n := range e.Nodes {
			r := e.judge(precision.FP32, a, func(a Answers) {
				d := a[n.Name].Data
				for i, v := range d {
					if v != 0 {
						d[i] = v * 2
						return
					}
				}
				d[0] = 1
			})
			verdict(t, e.ID, r, Logic, n.Name)
			if r.First != nil && r.First.Map != nil && (r.First.Map.Pattern != "one element" ||
				r.First.Worst.ULP < 1000) {
				t.Errorf("%s: %+v", n.Name, r.First)
			}
		}
	}
}

// An exact case allows no wrong bit, a real one no more than rounding.
func TestSmallErrors(t *testing.T) {
	exact, real := convolution(t, true), convolution(t, false)
	scale := func(f float64) func(Answers) {
		return func(a Answers) {
			a["y"].Data = each(a["y"].Data, func(v float64) float64 { return precision.Single.Round(v * f) })
		}
	}
	verdict(t, "one ULP, exact", exact.judge(precision.FP32, exact.honest(precision.FP32), scale(1+0x1p-23)),
		Logic, "y")
	verdict(t, "one ULP, real", real.judge(precision.FP32, real.honest(precision.FP32), scale(1+0x1p-23)),
		Pass, "")
	verdict(t, "2^-16, real", real.judge(precision.FP32, real.honest(precision.FP32), scale(1+0x1p-16)),
		Suspect, "y")
	verdict(t, "1 %, real", real.judge(precision.FP32, real.honest(precision.FP32), scale(1.01)), Logic, "y")
	verdict(t, "2^-9, real", real.judge(precision.FP32, real.honest(precision.FP32), scale(1+0x1p-9)),
		Logic, "y")
	reports := []Report{exact.judge(precision.FP32, exact.honest(precision.FP32), scale(1+0x1p-9)),
		real.judge(precision.FP32, real.honest(precision.FP32), scale(1+0x1p-9))}
	CrossCheck(reports)
	verdict(t, "2^-9, both", reports[1], Logic, "y")
}

// The arithmetic is told from the numbers.
func TestInferredProfile(t *testing.T) {
	for _, e := range []exercise{convolution(t, false), layer(t, false)} {
		for _, p := range []precision.Profile{precision.FP32, precision.TF32, precision.FP16,
			precision.BF16} {
			a := e.honest(p)
			if r := e.judge(p, a, nil); r.Inferred != p {
				t.Errorf("%s: %s behaves like %q", e.ID, p, r.Inferred)
			}
			r := e.judge(precision.FP32, a, nil)
			if r.Inferred != p || p != precision.FP32 && r.Verdict != Precision {
				t.Errorf("%s: %s declared fp32 is %s, behaves like %q: %+v", e.ID, p, r.Verdict, r.Inferred,
					r.First)
			}
		}
	}
}

// Scaling the problem by a power of two changes no verdict.
func TestScaleInvariance(t *testing.T) {
	for _, p := range []precision.Profile{precision.FP32, precision.TF32, precision.BF16} {
		for _, f := range []float64{0x1p8, 0x1p-8} {
			e := layer(t, false)
			e.Case.Input("x").Fill.Scale *= f
			for i := range e.Nodes {
				if e.Nodes[i].Op == "prox" {
					e.Nodes[i].Attrs["lambda"] *= f
				}
			}
			scaled := prepare(t, e.Case)
			r := scaled.judge(precision.FP32, scaled.honest(p), nil)
			if want := layer(t, false); r.Verdict != want.judge(precision.FP32, want.honest(p), nil).Verdict {
				t.Errorf("%s times %g: %s", p, f, r.Verdict)
			}
		}
	}
}

// A vector's sign is free, its direction is not.
func TestEigenvector(t *testing.T) {
	e := eigenpair(t)
	a := e.only(e.honest(precision.FP32))
	opposite := func(a Answers) {
		a["power/4/vector"].Data = each(a["power/4/vector"].Data, func(v float64) float64 { return -v })
	}
	verdict(t, "opposite", e.judge(precision.FP32, a, opposite), Pass, "")
	earlier := e.honest(precision.FP32)["power/3/vector"]
	verdict(t, "a round short", e.judge(precision.FP32, a, func(a Answers) {
		a["power/4/vector"] = earlier
	}), Logic, "power/4/vector")
	verdict(t, "root of the value", e.judge(precision.FP32, a, func(a Answers) {
		a["eigenvalue"].Data[0] = precision.Single.Round(math.Sqrt(a["eigenvalue"].Data[0]))
	}), Logic, "eigenvalue")
}
