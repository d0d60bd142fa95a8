package measure

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"sdref/cmd/ref/internal/cli/clitest"
)

// measuredAs is a result of arithmetic with a ratio and quartiles a hundredth to either side.
func measuredAs(name string, gflops, ratio float64) benchResult {
	return benchResult{Name: name, GFLOPS: gflops, All: &threadSpeed{Rate: gflops, Ratio: ratio, Quartiles: [2]float64{ratio - 0.01, ratio + 0.01}}}
}

// A machine at half speed has half of the rate and the same ratio: what is compared is the latter.
func TestAgainst(t *testing.T) {
	before := &benchReport{Results: []benchResult{measuredAs("a", 80, 0.8), measuredAs("b", 80, 0.8)}}
	now := &benchReport{Results: []benchResult{measuredAs("a", 40, 0.81), measuredAs("b", 42, 0.84), measuredAs("c", 1, 1)}}
	for i, want := range []*comparison{{Ratio: 0.81 / 0.8, WithinSpread: true}, {Ratio: 0.84 / 0.8}, nil} {
		got := now.against(before, &now.Results[i], "float32")
		if (got == nil) != (want == nil) || got != nil && (math.Abs(got.Ratio-want.Ratio) > 1e-12 || got.WithinSpread != want.WithinSpread) {
			t.Errorf("%s: %+v, want %+v", now.Results[i].Name, got, want)
		}
	}
}

// A report from before there were quartiles has a peak for all jobs.
func TestAgainstOlder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "old.json")
	clitest.Put(t, path, []byte(`{"cpu": "a CPU", "row": "avx2", "cores": 2, "peak_gflops": {"float32": 200, "float64": 100}, "peak_gflops_at_end": {},
		"results": [{"name": "matmul/1024/float64", "gflops": 80, "share_of_peak": 0.8}, {"name": "predict/sdnet18/batch1", "images_per_second": 50}]}`))
	before, err := readReport(path, []benchJob{{name: "predict/sdnet18/batch1"}})
	if err != nil {
		t.Fatal(err)
	}
	double := measuredAs("matmul/1024/float64", 88, 0.88)
	if got := before.against(before, &double, "float64"); got == nil || math.Abs(got.Ratio-1.1) > 1e-12 {
		t.Errorf("%+v", got)
	}
	images := benchResult{Name: "predict/sdnet18/batch1", ImagesPerSec: 10, All: &threadSpeed{Ratio: 300, Quartiles: [2]float64{290, 310}}}
	if got := before.against(before, &images, "float32"); got == nil || math.Abs(got.Ratio-1.2) > 1e-12 { // 50 images/s at 200 GFLOP/s are 250 per TFLOP
		t.Errorf("%+v", got)
	}
	args := []string{"bench", "-run", "^matmul/1024/float32$", "-against"}
	ref.Call(t, append(args, path)...).Refused(t, "-against", path, "none of its 2 jobs")
	clitest.Put(t, path, []byte("{"))
	ref.Call(t, append(args, path)...).Refused(t, "-against", path)
	ref.Call(t, append(args, path+"x")...).Refused(t, "-against", path+"x")
	ref.Call(t, append(args[:3:3], "-pair", path+"x")...).Refused(t, "-pair", path+"x")
}

// Two programs in turn on a machine that grows slower all the time: the ratio of neighbours is right, in either order.
func TestPair(t *testing.T) {
	speed, started := 100.0, ""
	run := func(program string, into *benchResult) error {
		speed *= 0.99
		into.GFLOPS = speed
		if program == "other" {
			into.GFLOPS /= 1.25
		}
		started += map[string]string{"": "s", "other": "o"}[program]
		return nil
	}
	first, c, err := pairJob("job", "other", run)
	if err != nil || started != "soossoosso" || first.GFLOPS != 99 || c.Pairs != rounds || math.Abs(c.Ratio-1.25) > 0.02 || c.Quartiles[0] < 1.23 || c.Quartiles[1] > 1.27 {
		t.Errorf("%q: %+v, %+v, %v", started, first, c, err)
	}
	refuses := errors.New("not this row")
	if _, _, err := pairJob("job", "other", func(string, *benchResult) error { return refuses }); !errors.Is(err, refuses) {
		t.Error(err)
	}
	if _, _, err := pairJob("solve/job", "other", func(string, *benchResult) error { return nil }); err == nil {
		t.Error("two programs without a rate were compared")
	}
}

func TestComparisonText(t *testing.T) {
	for want, c := range map[string]*comparison{
		"": nil, "  [1.013 =]": {Ratio: 1.0131, WithinSpread: true}, "  [1.050]": {Ratio: 1.05},
		"  1.250 times the other (1.240 to 1.260, 5 pairs)": {Ratio: 1.25, Quartiles: &[2]float64{1.24, 1.26}, Pairs: 5},
	} {
		if got := fmt.Sprint(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if r := measuredAs("a", 40, 0.8); r.String() != "a                                                 40.0 GFLOP/s    0.0 % of peak     0 MB  (79.0 to 81.0)" {
		t.Errorf("%q", r)
	}
}
