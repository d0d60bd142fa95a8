package judge

import (
	"math"
	"testing"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/precision"
)

// threshold is one proximal operator whose input is a ramp through the threshold 1/16 and its neighbourhood,
// and its gradient.
func threshold(t *testing.T) exercise {
	b := graph.New("threshold", "prox", "", "real")
	b.Require(b.Node("prox", graph.Place{Quantity: "z"}, graph.Attrs{"lambda": 0.25, "nonnegative": 1},
		b.Input("u", golden.Fill{Shape: []int{1, 4, 5, 6}, Seed: 1, Scale: 1}), b.Constant("step", 0.25)))
	b.Require(b.Backward("z", b.Input("grad/z", golden.Fill{Shape: []int{1, 4, 5, 6}, Seed: 2, Scale: 1}),
		"u")...)
	return prepare(t, b.Case)
}

// A code on the wrong side of its threshold fails, however small it is.
func TestWrongSupport(t *testing.T) {
	e := threshold(t)
	a := e.honest(precision.FP32)
	zero := -1
	for i, z := range e.expected["z"].Data {
		if z == 0 && zero < 0 {
			zero = i
		}
	}
	r := e.judge(precision.FP32, a, func(a Answers) { a["z"].Data[zero] = 0x1p-140 })
	verdict(t, "a code that should be zero", r, Logic, "z")
	if s := r.First.Support; s == nil || s.Wrong != 1 || s.On+s.Zero+s.Ambiguous != 120 {
		t.Errorf("%+v", s)
	}
}

// Within rounding of the threshold either side is right, but not always the same one.
func TestAmbiguousSupport(t *testing.T) {
	e := threshold(t)
	u := e.in["u"]
	for i := range u.Data {
		u.Data[i] = 0.0625 + math.Copysign(0x1p-27, float64(i%2)-0.5) // float32's step is 2^-28 there
	}
	var err error
	if e.expected, err = e.Evaluate(e.in); err != nil {
		t.Fatal(err)
	}
	a := e.honest(precision.FP32)
	flip := func(n int) func(Answers) {
		return func(a Answers) {
			for i := range n {
				a["z"].Data[2*i+1], a["grad/u"].Data[2*i+1] = 0, 0
			}
		}
	}
	r := e.judge(precision.FP32, a, flip(20))
	verdict(t, "some flip", r, Pass, "")
	if s := r.Findings[0].Support; s.Ambiguous != 120 || s.Flipped != 20 || s.Wrong != 0 {
		t.Errorf("%+v", s)
	}
	for i := range u.Data {
		u.Data[i] = 0.0625 + 0x1p-27
	}
	if e.expected, err = e.Evaluate(e.in); err != nil {
		t.Fatal(err)
	}
	verdict(t, "all flip", e.judge(precision.FP32, a, func(a Answers) {
		clear(a["z"].Data)
		clear(a["grad/u"].Data)
	}), Suspect, "z")
}

// Without the code, a gradient at an ambiguous one may be either one-sided derivative, and nothing else.
func TestOneSidedDerivatives(t *testing.T) {
	e := threshold(t)
	e.in["u"].Data[7] = 0.0625 + 0x1p-27
	var err error
	if e.expected, err = e.Evaluate(e.in); err != nil {
		t.Fatal(err)
	}
	a := e.honest(precision.FP32)
	delete(a, "z")
	e.Case.Node("z").Required = false
	other := func(i int, v float64) func(Answers) { return func(a Answers) { a["grad/u"].Data[i] = v } }
	dz := e.in["grad/z"].Data[7]
	verdict(t, "on", e.judge(precision.FP32, a, other(7, dz)), Pass, "")
	verdict(t, "zero", e.judge(precision.FP32, a, other(7, 0)), Pass, "")
	verdict(t, "beyond", e.judge(precision.FP32, a, other(7, 2*dz)), Logic, "grad/u")
	verdict(t, "the other sign", e.judge(precision.FP32, a, other(7, -dz)), Logic, "grad/u")
	for i, z := range e.expected["z"].Data {
		if z > 0.01 {
			verdict(t, "zero where the code is on", e.judge(precision.FP32, a, other(i, 0)), Logic, "grad/u")
			break
		}
	}
}
