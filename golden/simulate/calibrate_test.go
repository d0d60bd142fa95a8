package simulate

import (
	"testing"

	"sdref/golden/judge"
	"sdref/golden/precision"
)

// TestCalibratedBoundsHold calibrates with a few machines and judges others by the result: every node lies
// within its bounds, and not all by far, so that the bounds are of use.
func TestCalibratedBoundsHold(t *testing.T) {
	for _, c := range testCases()[:2] {
		in := c.Generate()
		expected, err := c.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range precision.Profiles {
			bounds, err := Calibrate(c, in, expected, p, 12)
			if err != nil {
				t.Fatal(err)
			}
			nearest := judge.Bound{}
			for i := range 6 {
				m := Drawn(p, 500+i)
				got, err := m.Run(c, in)
				if err != nil {
					t.Fatal(err)
				}
				found, err := Errors(c, in, expected, got, p)
				if err != nil {
					t.Fatal(err)
				}
				for name, e := range found {
					b := bounds[name]
					if !(e.Local <= b.Local && e.End <= b.End) {
						t.Errorf("%s, %v: %s is %v, calibrated %v", c.ID, m, name, e, b)
					}
					if b.Local > 0 && b.End > 0 {
						nearest = judge.Bound{Local: max(nearest.Local, e.Local/b.Local),
							End: max(nearest.End, e.End/b.End)}
					}
				}
			}
			if least := 1 / (1.5 * Margin); nearest.Local < least || nearest.End < least {
				t.Errorf("%s, %s: errors reach %v of the bounds", c.ID, p, nearest)
			}
		}
	}
}
