package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli/clitest"
)

// benchFile measures two jobs with the program. The second needs less memory than the first, whose it must not be taken for.
func benchFile(t *testing.T, program string) {
	file := filepath.Join(t.TempDir(), "speed.json")
	large, small := "conv/transpose/3x64x224/7x7s2/float32", "matmul/1024/float64"
	r := callProgram(t, exec.Command(program, "bench", "-run", "^("+large+"|"+small+")$", "-json", file))
	if r.Status != 0 || strings.Count(r.Out, "% of peak") != 2 {
		t.Errorf("status %d, %q, %q", r.Status, r.Out, r.Err)
	}
	var report struct {
		CPU, Row string
		Cores    int
		Peak     map[string]float64 `json:"peak_gflops"`
		PeakEnd  map[string]float64 `json:"peak_gflops_at_end"`
		Results  []struct {
			Name        string
			GFLOPS      float64
			ShareOfPeak float64 `json:"share_of_peak"`
			PeakRSS     float64 `json:"peak_rss_mb"`
			All         struct {
				Rate, Ratio float64
				Quartiles   [2]float64
				Pairs       int
			} `json:"all_threads"`
		}
	}
	if err := json.Unmarshal([]byte(clitest.Content(t, file)), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 2 || report.Results[0].Name != large || report.Results[1].Name != small ||
		!(report.Peak["float32"] > 0) || !(report.PeakEnd["float64"] > 0) || report.Row == "" || report.Cores < 1 || report.CPU == "" {
		t.Fatalf("%+v", report)
	}
	for _, r := range report.Results {
		if a := r.All; !(r.GFLOPS > 0) || r.ShareOfPeak != a.Ratio || a.Rate != r.GFLOPS || !(a.Quartiles[0] > 0) || a.Ratio < a.Quartiles[0] || a.Ratio > a.Quartiles[1] || a.Pairs < 5 {
			t.Errorf("%+v", r)
		}
	}
	callProgram(t, exec.Command(program, "bench", "-run", "^"+small+"$", "-against", file)).Says(t, "the ratio to "+file, small, "  [")
	quick := "conv/forward/256x512x8/1x1s2/float32"
	pair := exec.Command(program, "bench", "-run", "^"+quick+"$", "-pair", program)
	pair.Env = append(os.Environ(), "GOMAXPROCS=1") // half of the time
	callProgram(t, pair).Says(t, quick, " times the other (", "5 pairs)")
	if runtime.GOOS != "linux" {
		return
	}
	const operands = 3 * 8 // MB of three matrices of float64
	if first, second := report.Results[0].PeakRSS, report.Results[1].PeakRSS; !(second > operands) || !(first > 120) || !(second < first/2) {
		t.Errorf("%s took %.0f MB, then %s %.0f", large, first, small, second)
	}
}
