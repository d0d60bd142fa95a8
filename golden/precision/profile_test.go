package precision

import (
	"math"
	"testing"
)

func TestLookup(t *testing.T) {
	for _, p := range Profiles {
		if got, err := Lookup(string(p)); err != nil || got != p {
			t.Errorf("%s: %v, %v", p, got, err)
		}
	}
	for _, name := range []string{"", "FP32", "fp64"} {
		if p, err := Lookup(name); err == nil {
			t.Errorf("%q is %v", name, p)
		}
	}
}

// The limits of a sum of 576 products, by hand.
func TestLimit(t *testing.T) {
	u := 0x1p-24
	for p, want := range map[Profile]float64{
		FP32:           578 * u,
		FP32Truncating: 578 * 2 * u,
		TF32:           4*0x1p-11 + 578*2*u,
		FP16:           12*0x1p-11 + 578*2*u,
		BF16:           12*0x1p-8 + 578*2*u,
	} {
		if got := p.Limit(576, true); math.Abs(got-want) > 0.01*want {
			t.Errorf("%s: %v, want %v", p, got, want)
		}
	}
	if got := TF32.Limit(3, false); math.Abs(got-5*u) > 1e-3*u {
		t.Errorf("elementwise under tf32: %v", got)
	}
	if got := BF16.Limit(3, false); math.Abs(got-4*0x1p-8-5*u) > 1e-3*u {
		t.Errorf("elementwise under bf16: %v", got)
	}
	if Winograd(576) < 3*FP32.Limit(576, true) || !math.IsInf(FP32.Limit(1<<25, true), 1) {
		t.Error("Winograd's limit is no wider, or a chain beyond all bounds has one")
	}
}

func TestFloor(t *testing.T) {
	if got := FP16.Floor(10, true, 3); got != 8*0x1p-25+10*(3*0x1p-25+0x1p-150) {
		t.Errorf("fp16: %v", got)
	}
	if got := FP32.Floor(0, false, 0); got != 0x1p-150 {
		t.Errorf("fp32: %v", got)
	}
}
