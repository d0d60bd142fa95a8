package main

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// The names are what scripts hold on to.
func TestBenchNames(t *testing.T) {
	list := works(t, []string{"bench", "-list"}).out
	for _, name := range []string{"matmul/1024/float32", "matmul/1024/float64", "conv/forward/64x64x32/float32", "conv/transpose/512x512x4/float64",
		"conv/filter/128x128x16/float32/winograd", "train/sdnet18/batch32", "train/sdnet18_all/batch128", "train/resnet18/batch32/winograd",
		"predict/sdnet18/batch1", "predict/resnet18/batch32", "solve/image/random/fista", "solve/torus/gabor/admm", "solve/stem/signed/working-set"} {
		if !strings.Contains("\n"+list, "\n"+name+"\n") {
			t.Errorf("there is no job %s in\n%s", name, list)
		}
	}
	ref(t, "bench", "-run", "nosuch").refused(t, "nosuch", "-list")
	ref(t, "bench", "-run", "(").refused(t, "-run", "missing closing")
}

// benchFile measures two jobs with the program. The second needs less memory than the first, whose it must not be taken for.
func benchFile(t *testing.T, program string) {
	file := filepath.Join(t.TempDir(), "speed.json")
	large, small := "conv/transpose/3x64x224/7x7s2/float32", "matmul/1024/float64"
	r := callProgram(t, exec.Command(program, "bench", "-run", "^("+large+"|"+small+")$", "-json", file))
	if r.status != 0 || strings.Count(r.out, "% of peak") != 2 {
		t.Errorf("status %d, %q, %q", r.status, r.out, r.err)
	}
	var report benchReport
	if err := json.Unmarshal([]byte(content(t, file)), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 2 || report.Results[0].Name != large || report.Results[1].Name != small ||
		!(report.Peak["float32"] > 0) || !(report.PeakEnd["float64"] > 0) || report.Row == "" || report.Cores < 1 || report.CPU == "" {
		t.Fatalf("%+v", report)
	}
	for _, r := range report.Results {
		if !(r.GFLOPS > 0) || !(r.ShareOfPeak > 0) {
			t.Errorf("%+v", r)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	const operands = 3 * 8 // MB of three matrices of float64
	if first, second := report.Results[0].PeakRSS, report.Results[1].PeakRSS; !(second > operands) || !(first > 120) || !(second < first/2) {
		t.Errorf("%s took %.0f MB, then %s %.0f", large, first, small, second)
	}
}
