package solve

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"sdref/tensor"
)

// reference is a case of testdata/reference.py.
type reference struct {
	X, W, Z struct {
		Shape []int
		Data  []float64
	}
	Lambda, Objective float64
}

// TestOtherLibraries: one problem as SPORCO poses it and one as alphacsc does, solved by scripts that share
// nothing with this package: each solver comes to their z and objective, and the certificate accepts theirs.
func TestOtherLibraries(t *testing.T) {
	for name, dictionary := range map[string]func(*tensor.Tensor[float64]) Dictionary[float64]{
		"circular": Circular[float64], "full": Full[float64],
	} {
		data, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var want reference
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		p := &Problem[float64]{
			A:      dictionary(tensor.From(want.W.Data, want.W.Shape...)),
			X:      tensor.From(want.X.Data, want.X.Shape...),
			Lambda: want.Lambda, Nonnegative: name == "full",
		}
		z := tensor.From(want.Z.Data, want.Z.Shape...)
		if c := Certify(p, z); !(c.RelativeGap <= 1e-13) ||
			math.Abs(c.Objective-want.Objective) > 1e-13*want.Objective {
			t.Errorf("%s: their z has objective %.17g and relative gap %g, want %.17g and 0", name,
				c.Objective, c.RelativeGap, want.Objective)
		}
		for _, s := range Solvers[float64]() {
			if !converges(s, p) {
				continue
			}
			r := s.Solve(p, Stop{RelativeGap: 1e-13, Iterations: 20000, Every: 10}, nil)
			if e := relative(r.Z, z); !(e <= 1e-9) ||
				math.Abs(r.Last.Objective-want.Objective) > 1e-13*want.Objective {
				t.Errorf("%s: %s is %g away, with objective %.17g, want %.17g", name, s.Name(), e,
					r.Last.Objective, want.Objective)
			}
		}
	}
}
