package cases

import (
	"errors"
	"testing"

	"sdref/golden"
	"sdref/golden/own"
)

// TestModuleAgrees: what this module's own functions give in float64, asked for the whole computation, is what the graphs give.
func TestModuleAgrees(t *testing.T) {
	for _, c := range All() {
		in, values := evaluated(t, c)
		answers, err := own.Answers[float64](c, in)
		if errors.Is(err, own.ErrNotCovered) && (c.Kind == "block" || c.ID == "batchnorm-eval-exact") {
			continue // networks have the blocks; the module's epsilon is no power of two
		}
		if err != nil {
			t.Errorf("%s: %v", c.ID, err)
			continue
		}
		for _, n := range c.Nodes {
			if n.Required && answers[n.Name] == nil {
				t.Errorf("%s: no answer to %s", c.ID, n.Name)
			}
		}
		for name, got := range answers {
			if d := golden.Compare(got.Data, values[name].Data); !d.Within(1e-10) {
				t.Errorf("%v", golden.Judge(c.ID, name, d, 1e-10))
			}
		}
	}
}
