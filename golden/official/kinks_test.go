package official

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/golden"
	"sdref/tensor/safetensors"
)

// TestAmbiguousCode puts one code so near to its threshold that float64 sees it on and float32 zero. The
// gradients then differ by far more than rounding there, which must pass, with a note; an error elsewhere, or
// a larger one there, must not.
func TestAmbiguousCode(t *testing.T) {
	l := plainLayer{batch: 1, atoms: 1, channels: 1, kernel: 1, height: 5, width: 6, stride: 1, dilation: 1,
		iterations: 1, share: 0.9, nonnegative: true, unitNorm: true}
	fills := l.fills(40)
	sign := math.Copysign(1, fills["weight_raw"].Values()[0])
	at := slices.IndexFunc(fills["x"].Values(), func(x float64) bool { return sign*x > 0.25 && sign*x < 1 })
	l.lambda = sign*fills["x"].Values()[at] - 1e-10
	d := l.draft("layer/ambiguous", 40)

	rows := check32(t, d)
	for _, r := range rows {
		if !r.Pass {
			t.Errorf("an ambiguous code fails: %v", r)
		}
	}
	if r := rowOf(rows, "grad_x"); r.Worst != at || !(r.Error > r.Bound) ||
		!strings.Contains(r.Note, "1 codes within rounding") {
		t.Errorf("the ambiguous code %d is not reported: %v", at, r)
	}

	gradX, err := d.tensors[3].Float64s()
	if err != nil || d.tensors[3].Name != "grad_x" {
		t.Fatal(err, d.tensors[3].Name)
	}
	for name, plant := range map[string]func(g []float64){
		"elsewhere": func(g []float64) {
			g[slices.IndexFunc(g, func(v float64) bool { return math.Abs(v) > 0.3 })] *= 1.01
		},
		"wrong sign":   func(g []float64) { g[at] *= -1 },
		"not a number": func(g []float64) { g[at] = math.NaN() },
	} {
		off := slices.Clone(gradX)
		plant(off)
		d.tensors[3] = safetensors.New("grad_x", d.tensors[3].Shape, off)
		if r := rowOf(check32(t, d), "grad_x"); r.Pass {
			t.Errorf("%s: passes: %v", name, r)
		}
	}
}

func check32(t *testing.T, d *draft) []golden.Row {
	t.Helper()
	rows, err := Check[float32](d.load(t))
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func rowOf(rows []golden.Row, name string) golden.Row {
	return rows[slices.IndexFunc(rows, func(r golden.Row) bool { return r.Name == name })]
}
