package golden

import (
	"errors"
	"math"
	"strings"
	"testing"
)

var (
	nan      = math.NaN()
	infinity = math.Inf(1)
)

func TestCompare(t *testing.T) {
	for name, c := range map[string]struct {
		got, want []float64
		error     float64
		worst     int
	}{
		"equal":                       {[]float64{1, -2}, []float64{1, -2}, 0, 0},
		"norm-wise":                   {[]float64{1.5, -4}, []float64{1, -4}, 0.125, 0},
		"largest want is negative":    {[]float64{0, -5}, []float64{1, -4}, 0.25, 0},
		"worst is the first of two":   {[]float64{4, 1, 1}, []float64{4, 0, 0}, 0.25, 1},
		"want is zero":                {[]float64{0, 1e-3}, []float64{0, 0}, 1e-3, 1},
		"signs of zero":               {[]float64{0}, []float64{math.Copysign(0, -1)}, 0, 0},
		"subnormal":                   {[]float64{1e-323}, []float64{5e-324}, 1, 0},
		"NaN for a number":            {[]float64{1, nan}, []float64{1, 2}, infinity, 1},
		"number for NaN":              {[]float64{1, 2}, []float64{1, nan}, infinity, 1},
		"NaN for NaN":                 {[]float64{1, nan}, []float64{1, nan}, 0, 0},
		"all NaN":                     {[]float64{nan, nan}, []float64{nan, nan}, 0, 0},
		"all NaN for numbers":         {[]float64{nan, nan}, []float64{0, 0}, infinity, 0},
		"infinity for a number":       {[]float64{infinity}, []float64{1}, infinity, 0},
		"number for infinity":         {[]float64{1e308}, []float64{infinity}, infinity, 0},
		"infinity of the other sign":  {[]float64{-infinity}, []float64{infinity}, infinity, 0},
		"NaN for infinity":            {[]float64{nan}, []float64{infinity}, infinity, 0},
		"infinity does not set scale": {[]float64{infinity, 3}, []float64{infinity, 2}, 0.5, 1},
		"NaN does not set scale":      {[]float64{nan, 3}, []float64{nan, 2}, 0.5, 1},
		"difference overflows":        {[]float64{-1.5e308}, []float64{1.5e308}, infinity, 0},
		"quotient overflows":          {[]float64{1e300}, []float64{1e-300}, infinity, 0},
	} {
		d := Compare(c.got, c.want)
		if d.Error != c.error || d.Worst != c.worst || d.Err != nil || d.Compared != len(c.want) {
			t.Errorf("%s: %+v, want error %v at %d", name, d, c.error, c.worst)
		}
		if d.Within(1e300) != !math.IsInf(c.error, 1) || d.Within(infinity) != !math.IsInf(c.error, 1) {
			t.Errorf("%s: passes under a huge bound: %t", name, d.Within(1e300))
		}
	}
}

func TestCompareNothing(t *testing.T) {
	for name, d := range map[string]Difference{
		"zero value":    {},
		"both empty":    Compare[float64](nil, nil),
		"got is empty":  Compare([]float64{}, []float64{0}),
		"want is empty": Compare([]float64{0}, nil),
		"too short":     Compare([]float64{0}, []float64{0, 0}),
		"too long":      Compare([]float32{0, 0}, []float64{0}),
		"NaN error":     {Error: nan, Compared: 1},
		"Err alone":     {Compared: 1, Err: ErrNothing},
		"summary":       CompareSummary(Summary{}, make([]float64, 11)),
		"no summary":    CompareSummary(Summary{}, nil),
	} {
		for _, bound := range []float64{0, 1, infinity, nan} {
			if row := Judge("c", "t", d, bound); row.Pass {
				t.Errorf("%s passes: %v", name, row)
			}
		}
	}
	if d := Compare([]float64{}, []float64{}); !errors.Is(d.Err, ErrNothing) {
		t.Errorf("Err %v, want ErrNothing", d.Err)
	}
	says(t, Compare(make([]float64, 2), make([]float64, 3)).Err, "2 elements, want 3")
}

func TestWithin(t *testing.T) {
	exact, off := CompareScalar(2, 2), CompareScalar(2.5, 2) // 0 and 0.25
	for _, c := range []struct {
		d     Difference
		bound float64
		want  bool
	}{
		{exact, 0, true}, {exact, -1, false}, {exact, nan, false}, {exact, infinity, true},
		{off, 0.25, true}, {off, math.Nextafter(0.25, 0), false}, {off, 0, false}, {off, nan, false},
		{off, -infinity, false},
	} {
		if got := c.d.Within(c.bound); got != c.want {
			t.Errorf("error %v within %v: %t", c.d.Error, c.bound, got)
		}
	}
}

func TestScalarsAndIntegers(t *testing.T) {
	for _, c := range []struct{ got, want, error float64 }{
		{3, 2, 0.5}, {-2, 2, 2}, {0, 2, 1}, {1e-9, 0, 1e-9}, {nan, 2, infinity}, {2, -4, 1.5},
	} {
		if d := CompareScalar(c.got, c.want); d.Error != c.error {
			t.Errorf("%v for %v: error %v, want %v", c.got, c.want, d.Error, c.error)
		}
	}
	if d := CompareInt(50, 50); !d.Within(0) {
		t.Errorf("%+v", d)
	}
	for _, c := range []struct {
		got, want int
		ulp       uint64
	}{{49, 50, 1}, {-3, 2, 5}, {math.MaxInt, math.MaxInt - 1, 1}, {math.MinInt, math.MaxInt, math.MaxUint}} {
		if d := CompareInt(c.got, c.want); d.Within(infinity) || d.ULP != c.ulp {
			t.Errorf("%d for %d: %+v", c.got, c.want, d)
		}
	}
}

func TestULP(t *testing.T) {
	for _, c := range []struct {
		a, b float64
		want uint64
	}{
		{1, 1, 0}, {1, math.Nextafter(1, 2), 1}, {1, math.Nextafter(1, 0), 1}, {1, 2, 1 << 52},
		{0, math.Copysign(0, -1), 0}, {5e-324, -5e-324, 2}, {math.MaxFloat64, infinity, 1},
		{nan, nan, 0}, {nan, 1, math.MaxUint64}, {-infinity, infinity, 2 * 0x7ff0_0000_0000_0000},
	} {
		if got, back := ULP(c.a, c.b), ULP(c.b, c.a); got != c.want || back != c.want {
			t.Errorf("%v, %v: %d and %d, want %d", c.a, c.b, got, back, c.want)
		}
	}
	one := float32(1)
	if got := ULP(one, math.Nextafter32(one, 2)); got != 1 {
		t.Errorf("float32: %d", got)
	}
	// The distance is in the steps of the type of what was computed.
	if d := Compare([]float32{math.Nextafter32(0.1, 1)}, []float64{0.1}); d.ULP != 1 {
		t.Errorf("float32 result: %d", d.ULP)
	}
	if d := Compare([]float64{float64(float32(0.1))}, []float64{0.1}); d.ULP < 1<<20 {
		t.Errorf("float64 result: %d", d.ULP)
	}
}

func TestRow(t *testing.T) {
	for want, row := range map[string]Row{
		"pass layer/a z: error 0, bound 0":                                                                Judge("layer/a", "z", CompareScalar(1, 1), 0),
		"FAIL layer/a z: error 0.5, bound 0.1; element 1 of 2 is 3, want 2":                               Judge("layer/a", "z", Compare([]float64{1, 3}, []float64{1, 2}), 0.1),
		"pass layer/a z: error 1.2e-07, bound 1e-06; element 0 of 1 is 1.0000001192092896, want 1, 1 ulp": Judge("layer/a", "z", Compare([]float32{math.Nextafter32(1, 2)}, []float64{1}), 1e-6),
		"FAIL layer/a z: nothing compared":                                                                Judge("layer/a", "z", Compare[float64](nil, nil), 1),
		"FAIL layer/a z: nothing compared (skipped)":                                                      {Case: "layer/a", Name: "z", Note: "skipped"},
		"FAIL layer/a rounds: error +Inf, bound 0; element 0 of 1 is 49, want 50, 1 ulp":                  Judge("layer/a", "rounds", CompareInt(49, 50), 0),
	} {
		if got := row.String(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		if row.Pass != strings.HasPrefix(want, "pass") {
			t.Errorf("%s: Pass is %t", want, row.Pass)
		}
	}
	pass, fail := Row{Pass: true}, Row{}
	if Passed(nil) || !Passed([]Row{pass, pass}) || Passed([]Row{pass, fail}) || Passed([]Row{fail, pass}) {
		t.Error("Passed is wrong")
	}
}
