package sdnet

import (
	"math"
	"strings"
	"testing"
)

// Each fault is told by the tensor's name and the element; a network as it is initialised has none.
func TestSound(t *testing.T) {
	spec, err := Lookup("sdnet8_narrow", "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, says string
		spoil      func(values []float64)
	}{
		{"", "", nil},
		{"linear.bias", "element 3 is NaN", func(v []float64) { v[3] = math.NaN() }},
		{"layer0.0.dn.step_size", "element 0 is +Inf", func(v []float64) { v[0] = math.Inf(1) }},
		{"layer0.1.running_mean", "element 1 is -Inf", func(v []float64) { v[1] = math.Inf(-1) }},
		{"layer0.1.running_var", "element 2 is -1e-09: a variance", func(v []float64) { v[2] = -1e-9 }},
		{"layer0.0.dn.weight", "atom 1 is 0 everywhere", func(v []float64) { clear(v[27 : 2*27]) }},
		{"layer0.1.running_mean", "", func(v []float64) { v[2] = -5 }},
		{"layer0.1.running_var", "", func(v []float64) { clear(v) }},
		{"layer1.0.conv1.weight", "", func(v []float64) { clear(v) }},
		{"layer0.0.dn.weight", "", func(v []float64) { clear(v[27 : 2*27-1]) }},
	} {
		net, err := New[float64](spec)
		if err != nil {
			t.Fatal(err)
		}
		net.Initialize(1)
		for _, s := range net.State() {
			if s.Name == c.name {
				c.spoil(s.Data)
			}
		}
		err = net.Sound()
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.name) || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.says)
		}
	}
}
