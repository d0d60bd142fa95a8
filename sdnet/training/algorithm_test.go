package training

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/csc"
)

// TestAlgorithmInConfig: the direct algorithm is not written, so that older files stay as they are; another
// one reaches the network, and an unknown one is an error that names it.
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
	if err := json.Unmarshal([]byte(`{"algorithm": "fourier"}`), &c); err == nil ||
		!strings.Contains(err.Error(), "fourier") {
		t.Errorf("the error of an unknown algorithm is %v", err)
	}
}

// TestCSCInConfig: what a CSC layer learns, and by which gradient, is not written unless it was asked for,
// and reaches the network.
func TestCSCInConfig(t *testing.T) {
	plain, err := json.Marshal(Demo())
	if err != nil || strings.Contains(string(plain), "learn") || strings.Contains(string(plain), "gradient") {
		t.Errorf("the configuration is written as %s, %v", plain, err)
	}
	for _, change := range []func(*Config){
		func(c *Config) { c.LearnLambda = true },
		func(c *Config) { c.LearnStep = true },
		func(c *Config) { c.Gradient = csc.Implicit },
	} {
		c := Demo()
		change(&c)
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var back Config
		if err := json.Unmarshal(text, &back); err != nil || !reflect.DeepEqual(back, c) {
			t.Errorf("%s comes back as %+v, %v", text, back, err)
		}
		s, err := back.Spec()
		if err != nil || s.CSC.LearnLambda != c.LearnLambda || s.CSC.LearnStep != c.LearnStep ||
			s.CSC.Gradient != c.Gradient {
			t.Errorf("%s: the network has %+v, %v", text, s.CSC, err)
		}
	}
	both := Demo()
	if both.LearnStep, both.Gradient = true, csc.Implicit; both.Check() == nil {
		t.Error("the solution does not depend on the step size, and yet it can be learned from it")
	}
}
