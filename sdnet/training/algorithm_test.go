package training

import (
	"encoding/json"
	"strings"
	"testing"

	"sdref/conv"
)

// TestAlgorithmInConfig: the direct algorithm is not written, so that older files stay as they are; another one reaches the
// network, and an unknown one is refused by name.
func TestAlgorithmInConfig(t *testing.T) {
	for _, a := range []conv.Algorithm{conv.Direct, conv.Winograd} {
		c := Demo()
		c.Algorithm = a
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "algorithm") != (a != conv.Direct) {
			t.Errorf("%v: the configuration is written as %s", a, text)
		}
		var back Config
		if err := json.Unmarshal(text, &back); err != nil || back.Algorithm != a {
			t.Errorf("%v comes back as %v, error %v", a, back.Algorithm, err)
		}
		if s, err := back.Spec(); err != nil || s.Algorithm != a {
			t.Errorf("%v: the network has %v, error %v", a, s.Algorithm, err)
		}
	}
	var c Config
	if err := json.Unmarshal([]byte(`{"algorithm": "fourier"}`), &c); err == nil || !strings.Contains(err.Error(), "fourier") {
		t.Errorf("the error of an unknown algorithm is %v", err)
	}
}
