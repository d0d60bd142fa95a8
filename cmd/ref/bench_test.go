package main

import (
	"encoding/json"
	"os"
	"path/filepath"
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

func TestBenchReport(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for two seconds")
	}
	file := filepath.Join(t.TempDir(), "speed.json")
	works(t, []string{"bench", "-run", "^conv/forward/512x512x4/float32$", "-json", file}, "% of peak")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r benchReport
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Results) != 1 || r.Results[0].Name != "conv/forward/512x512x4/float32" || !(r.Results[0].GFLOPS > 0) || !(r.Results[0].ShareOfPeak > 0) ||
		!(r.Peak["float32"] > 0) || !(r.PeakEnd["float64"] > 0) || r.Row == "" || r.Cores < 1 || r.CPU == "" {
		t.Errorf("%s", text)
	}
}
