package figures

import (
	"math"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/tensor"
)

// network is a narrow network for images of the given side, with random weights.
func network(t testing.TB, name string, side int) *sdnet.Network[float64] {
	t.Helper()
	spec, err := sdnet.Lookup(name, "shapes")
	if err != nil {
		t.Fatal(err)
	}
	spec.Data.Image = side
	return build(t, spec)
}

func build(t testing.TB, spec sdnet.Spec) *sdnet.Network[float64] {
	t.Helper()
	n, err := sdnet.New[float64](spec)
	if err != nil {
		t.Fatal(err)
	}
	n.Initialize(1)
	return n
}

func noise(seed uint64, shape ...int) *tensor.Tensor[float64] {
	x := tensor.New[float64](shape...)
	tensor.FillUniform(x, seed, 1, 0)
	return x
}

// near tells whether two lists agree to a relative error.
func near(a, b []float64, tolerance float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !(math.Abs(a[i]-b[i]) <= tolerance*max(1, math.Abs(b[i]))) {
			return false
		}
	}
	return true
}

// says fails unless err is one line with each of the texts.
func says(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %q, want one line that says %q", err, text)
		}
	}
}
