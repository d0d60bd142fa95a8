package trial

import (
	"slices"
	"testing"

	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/simulate"
	"sdref/tensor"
)

// In every real case with 64 channels or more and a convolution, the arithmetic is told from the numbers,
// whatever was declared; and declared right, it passes.
func TestArithmeticIsTold(t *testing.T) {
	if testing.Short() {
		t.Skip("a quarter of a minute; golden/faults has some of these cases")
	}
	told := 0
	for _, c := range cases.All() {
		wide := slices.ContainsFunc(c.Nodes, func(n graph.Node) bool {
			return len(n.Shape) == 4 && n.Shape[1] >= 64
		})
		if !c.Has("real") || !wide || c.Kind == "batchnorm" {
			continue
		}
		in := c.Generate()
		expected, err := c.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range []precision.Profile{precision.FP32, precision.TF32, precision.FP16,
			precision.BF16} {
			m := simulate.New(p)
			values, err := m.Run(c, in)
			if err != nil {
				t.Fatal(err)
			}
			a := judge.Answers{}
			for name, v := range values {
				a[name] = &judge.Answer{Shape: v.Shape, DType: "float32",
					Data: tensor.Convert[float64](v).Data}
			}
			if r := judge.Judge(c, in, expected, cases.Bounds(c.ID), a, p); r.Inferred != p ||
				r.Verdict != judge.Pass {
				t.Errorf("%s: %s is %s, behaves like %q: %s", c.ID, p, r.Verdict, r.Inferred, r.Summary())
			}
			r := judge.Judge(c, in, expected, cases.Bounds(c.ID), a, precision.FP32)
			if want := map[bool]judge.Verdict{true: judge.Pass,
				false: judge.Precision}[p == precision.FP32]; r.Inferred != p || r.Verdict != want {
				t.Errorf("%s: %s declared fp32 is %s, behaves like %q: %s", c.ID, p, r.Verdict, r.Inferred,
					r.Summary())
			}
			told++
		}
	}
	if told < 40 {
		t.Errorf("only %d", told)
	}
}
