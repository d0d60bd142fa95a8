package golden

import (
	"math"
	"math/big"
	"testing"
)

// honest is a tensor with a cancelling sum, as gradients are.
func honest() []float64 { return Fill{Shape: []int{3, 5, 100}, Seed: 5, Scale: 0.25}.Values() }

func TestSummarize(t *testing.T) {
	got := Summarize([]float64{3, -4})
	if want := (Summary{-1, 7, 5, 4, 3, -4}); got != want {
		t.Errorf("%v, want %v", got, want)
	}
	if narrow := Summarize([]float32{3, -4}); narrow != got {
		t.Errorf("float32: %v", narrow)
	}
	// Plain summation gives 0 here.
	if lost := Summarize([]float64{1, 1e100, 1, -1e100}); lost[0] != 2 {
		t.Errorf("sum %v, want 2", lost[0])
	}
	nine := Summarize([]float64{1, 2, 3, 4, 5, 6, 7, 8, 9})
	if want := (Summary{45, 45, math.Sqrt(285), 9, 1, 2, 3, 4, 5, 6, 7, 8}); nine != want {
		t.Errorf("%v, want %v", nine, want)
	}
}

// Against exact arithmetic: values over many magnitudes, whose sum cancels.
func TestSummarizeIsAccurate(t *testing.T) {
	values := honest()
	for i := range values {
		values[i] = math.Ldexp(values[i], 40-i%80)
	}
	for i := 0; i < 700; i++ {
		values = append(values, -values[i])
	}
	exact := func(term func(v float64) *big.Float) float64 {
		sum := new(big.Float).SetPrec(500)
		for _, v := range values {
			sum.Add(sum, term(v))
		}
		f, _ := sum.Float64()
		return f
	}
	number := func(v float64) *big.Float { return new(big.Float).SetPrec(200).SetFloat64(v) }
	s := Summarize(values)
	sum, absolute := exact(number), exact(func(v float64) *big.Float { return number(math.Abs(v)) })
	norm := math.Sqrt(exact(func(v float64) *big.Float { return new(big.Float).Mul(number(v), number(v)) }))
	// 2^-53 for each of the few roundings, relative to what the sum is made of.
	for name, miss := range map[string]float64{
		"sum":      math.Abs(s[0]-sum) / absolute,
		"absolute": math.Abs(s[1]-absolute) / absolute,
		"l2":       math.Abs(s[2]-norm) / norm,
	} {
		if !(miss <= 0x1p-52) {
			t.Errorf("%s is off by %g", name, miss)
		}
	}
}

func TestSummaryOfTheUncountable(t *testing.T) {
	for i, values := range [][]float64{{}, {1, nan, 2}, {nan, infinity}, {infinity, -infinity}} {
		s := Summarize(values)
		if !math.IsNaN(s[0]) {
			t.Errorf("%d: sum %v", i, s[0])
		}
		want := Summarize([]float64{1, 0, 2})
		if d := CompareSummary(s, want[:]); d.Within(infinity) {
			t.Errorf("%d passes: %+v", i, d)
		}
	}
	if s := Summarize([]float64{1, nan, 2}); !math.IsNaN(s[3]) || !math.IsNaN(s[1]) || !math.IsNaN(s[2]) {
		t.Errorf("NaN was lost: %v", s)
	}
	if s := Summarize([]float64{1, infinity}); s[0] != infinity || s[1] != infinity || s[2] != infinity ||
		s[3] != infinity {
		t.Errorf("infinity was lost: %v", s)
	}
}

func TestCompareSummary(t *testing.T) {
	want := Summary{1e-9, 100, 20, 4, 1, -2, 3, 0, 0, 0, 0, 0}
	for _, c := range []struct {
		part  string
		index int
		by    float64 // added to the number
		error float64
	}{
		{"sum", 0, 50, 0.5}, // relative to 100, not to 1e-9
		{"sum of absolute values", 1, 50, 0.5},
		{"l2 norm", 2, 5, 0.25},
		{"largest absolute value", 3, -1, 0.25},
		{"element 0", 4, 2, 0.5},
		{"element 7", 11, -1, 0.25},
	} {
		got := want
		got[c.index] += c.by
		d := CompareSummary(got, want[:])
		if math.Abs(d.Error-c.error) > 1e-9 || d.Part != c.part || d.Worst != c.index || d.Err != nil {
			t.Errorf("%s: %+v, want error %v", c.part, d, c.error)
		}
		got[c.index] = nan
		if d := CompareSummary(got, want[:]); d.Within(infinity) || d.Part != c.part {
			t.Errorf("%s is NaN: %+v", c.part, d)
		}
	}
	if d := CompareSummary(want, want[:]); !d.Within(0) {
		t.Errorf("equal: %+v", d)
	}
	// An overflowed scale must not hide a difference.
	huge := Summary{5, infinity, infinity, infinity}
	other := huge
	other[0] = 6
	if d := CompareSummary(other, huge[:]); d.Within(0.5) {
		t.Errorf("infinite scale: %+v", d)
	}
}

// Faults that an implementation could have; neither comparison may pass any.
func TestPlantedFaults(t *testing.T) {
	want := honest()
	stored := Summarize(want)
	const bound = 1e-12
	if d := Compare(honest(), want); !d.Within(0) {
		t.Fatalf("the honest tensor: %+v", d)
	}
	if d := CompareSummary(Summarize(honest()), stored[:]); !d.Within(0) {
		t.Fatalf("the honest summary: %+v", d)
	}
	each := func(change func(i int, v float64) float64) func([]float64) []float64 {
		return func(values []float64) []float64 {
			for i, v := range values {
				values[i] = change(i, v)
			}
			return values
		}
	}
	last := len(want) - 1
	for name, fault := range map[string]func([]float64) []float64{
		"zeros":      each(func(int, float64) float64 { return 0 }),
		"a constant": each(func(int, float64) float64 { return 0.1 }),
		"all NaN":    each(func(int, float64) float64 { return nan }),
		"one NaN": each(func(i int, v float64) float64 {
			return map[bool]float64{true: nan, false: v}[i == last]
		}),
		"one infinity": each(func(i int, v float64) float64 {
			return map[bool]float64{true: infinity, false: v}[i == 700]
		}),
		"sign": each(func(_ int, v float64) float64 { return -v }),
		"last doubled": each(func(i int, v float64) float64 {
			return map[bool]float64{true: 2 * v, false: v}[i == last]
		}),
		"one percent":         each(func(_ int, v float64) float64 { return 1.01 * v }),
		"scaled by 1 + 2^-12": each(func(_ int, v float64) float64 { return v * (1 + 0x1p-12) }),
		"added 2^-20":         each(func(_ int, v float64) float64 { return v + 0x1p-20 }),
		"bf16": each(func(_ int, v float64) float64 {
			return float64(math.Float32frombits(math.Float32bits(float32(v)) &^ 0xffff))
		}),
		"ReLU":              each(func(_ int, v float64) float64 { return max(v, 0) }),
		"reversed":          each(func(i int, _ float64) float64 { return want[last-i] }),
		"first two swapped": func(v []float64) []float64 { v[0], v[1] = v[1], v[0]; return v },
		"another tensor": func([]float64) []float64 {
			return Fill{Shape: []int{1500}, Seed: 6, Scale: 0.25}.Values()
		},
		"last one missing": func(v []float64) []float64 { return v[:last] },
		"nothing":          func([]float64) []float64 { return nil },
	} {
		if row := Judge("planted", name, Compare(fault(honest()), want), bound); row.Pass {
			t.Error(row)
		}
		if row := Judge("planted", name, CompareSummary(Summarize(fault(honest())), stored[:]),
			bound); row.Pass {
			t.Error(row)
		}
	}
	// What only the tensor itself can show.
	swapped := honest()
	swapped[100], swapped[101] = swapped[101], swapped[100]
	if Compare(swapped, want).Within(bound) {
		t.Error("two swapped elements pass")
	}
	if !CompareSummary(Summarize(swapped), stored[:]).Within(bound) {
		t.Error("a summary claims to see the order of elements after the eighth")
	}
}
