package judge

import (
	"slices"
	"strings"
	"testing"

	"sdref/golden/precision"
)

func TestFalsePasses(t *testing.T) {
	for _, e := range []exercise{convolution(t, true), layer(t, true), layer(t, false), eigenpair(t),
		threshold(t)} {
		if passed := FalsePasses(e.Case, e.in, e.expected, e.bounds,
			convolution(t, len(e.Nodes) > 1).expected); len(passed) > 0 {
			t.Errorf("%s would pass %q", e.ID, passed)
		}
	}
	e := convolution(t, true)
	clear(e.in["w"].Data)
	var err error
	if e.expected, err = e.Evaluate(e.in); err != nil {
		t.Fatal(err)
	}
	if passed := FalsePasses(e.Case, e.in, e.expected, e.bounds, nil); !slices.Contains(passed, "zeros") {
		t.Errorf("a kernel of zeros: %q", passed)
	}
	e.Case.Nodes[0].Required = false
	if passed := FalsePasses(e.Case, e.in, e.expected, e.bounds, nil); len(passed) != len(wrongAnswers) {
		t.Errorf("a case that requires nothing: %q", passed)
	}
}

func TestRepeat(t *testing.T) {
	e := layer(t, false)
	a, b := e.honest(precision.FP32), e.honest(precision.FP32)
	if differ := Repeat(e.Case, a, b); differ != nil {
		t.Errorf("the same: %q", differ)
	}
	b["2/code"].Data[0]++
	delete(b, "3/code")
	if differ := Repeat(e.Case, a, b); !slices.Equal(differ, []string{"2/code", "3/code"}) {
		t.Errorf("%q", differ)
	}
}

func TestRelate(t *testing.T) {
	e := convolution(t, false)
	base := AnsweredCase{e.Case, e.bounds, e.honest(precision.FP32), precision.FP32}
	with := func(f func(i int, v float64) float64) AnsweredCase {
		d := base
		d.Answers = e.honest(precision.FP32)
		for i, v := range base.Answers["y"].Data {
			d.Answers["y"].Data[i] = precision.Single.Round(f(i, v))
		}
		return d
	}
	plane := 40 * 6 * 7
	turned := func(i int, _ float64) float64 { return base.Answers["y"].Data[(1-i/plane)*plane+i%plane] }
	for what, c := range map[string]struct {
		r      Relation
		change func(i int, v float64) float64
		broken bool
	}{
		"times 256": {Relation{Factor: 256}, func(_ int, v float64) float64 { return 256 * v }, false},
		"not quite": {Relation{Factor: 256}, func(i int, v float64) float64 {
			return 256*v + float64(i/(2*plane-1))
		}, true},
		"turned": {Relation{Factor: 1, Reversed: []int{0}}, turned, false},
		"a little off": {Relation{Factor: 1, Reversed: []int{0}}, func(i int, v float64) float64 {
			return turned(i, v) * (1 + 0x1p-23)
		}, false},
		"far off": {Relation{Factor: 1, Reversed: []int{0}}, func(i int, v float64) float64 {
			return turned(i, v) * 1.01
		}, true},
		"not turned": {Relation{Factor: 1, Reversed: []int{0}}, func(_ int, v float64) float64 {
			return v
		}, true},
		"NaN": {Relation{Factor: 1, Reversed: []int{0}}, func(int, float64) float64 {
			return nan()
		}, true},
		"NaN, to the bit": {Relation{Factor: 1}, func(int, float64) float64 { return nan() }, true},
	} {
		c.r.Name, c.r.Base, c.r.BaseNode, c.r.DerivedNode = what, e.ID, "y", "y"
		f := Relate(c.r, base, with(c.change), true)
		if (f != nil) != c.broken || f != nil && (f.Verdict != Suspect || !strings.Contains(f.Reason, what)) {
			t.Errorf("%s: %+v", what, f)
		}
		if f := Relate(c.r, base, with(c.change), false); f != nil && len(c.r.Reversed) == 0 {
			t.Errorf("%s: bits are asked of a backend that is not deterministic", what)
		}
	}
	half, not := base, with(func(i int, v float64) float64 { return 256*v + float64(i/(2*plane-1)) })
	half.Profile, not.Profile = precision.FP16, precision.FP16
	if f := Relate(Relation{Factor: 256, BaseNode: "y", DerivedNode: "y"}, half, not, true); f != nil {
		t.Errorf("scaled under fp16: %+v", f)
	}
	gone := base
	gone.Answers = Answers{}
	if f := Relate(Relation{Factor: 1, BaseNode: "y", DerivedNode: "y"}, base, gone, true); f != nil {
		t.Errorf("without an answer: %+v", f)
	}
}

func TestOverall(t *testing.T) {
	for _, c := range []struct {
		verdicts []Verdict
		want     Verdict
	}{
		{nil, Untrusted},
		{[]Verdict{NotCovered, NotCovered}, Untrusted},
		{[]Verdict{NotCovered, Pass}, Pass},
		{[]Verdict{Pass, NotCovered}, Pass},
		{[]Verdict{Pass, Suspect, NotCovered}, Suspect},
		{[]Verdict{Logic, Precision, Pass}, Logic},
		{[]Verdict{Protocol, Logic}, Protocol},
		{[]Verdict{Protocol, Untrusted, Pass}, Untrusted},
	} {
		var reports []Report
		for _, v := range c.verdicts {
			reports = append(reports, Report{Verdict: v})
		}
		if got := Overall(reports); got != c.want {
			t.Errorf("%v: %s, want %s", c.verdicts, got, c.want)
		}
	}
}

func TestCheckEigenvalue(t *testing.T) {
	e := eigenpair(t)
	a := e.honest(precision.FP32)
	s := a["eigenvalue"].Data[0]
	for largest, want := range map[float64]Verdict{s * 1.1: Pass, s: Pass, s * 0.99: Logic, nan(): Logic} {
		r := e.judge(precision.FP32, a, nil)
		r.CheckEigenvalue(e.Case, a, largest)
		if r.Verdict != want {
			t.Errorf("largest %v of %v: %s", largest, s, r.Verdict)
		}
	}
	if r := e.judge(precision.FP32, a, nil); !strings.Contains(strings.Join(r.Notes, ""),
		"some eigenvalue lies within") {
		t.Errorf("%q", r.Notes)
	}
}
