package measure

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
)

// The names of jobs must not change, since scripts use them.
func TestBenchNames(t *testing.T) {
	list := ref.Works(t, []string{"bench", "-list"}).Out
	for _, name := range []string{"matmul/1024/float32", "matmul/1024/float64",
		"conv/forward/64x64x32/float32", "conv/transpose/512x512x4/float64",
		"conv/filter/128x128x16/float32/winograd", "train/sdnet18/batch32", "train/sdnet18_all/batch128",
		"train/resnet18/batch32/winograd",
		"predict/sdnet18/batch1", "predict/resnet18/batch32", "latency/sdnet18/batch1", "latency/resnet18/batch16", "solve/image/random/fista",
		"solve/torus/gabor/admm", "solve/stem/signed/working-set"} {
		if !strings.Contains("\n"+list, "\n"+name+"\n") {
			t.Errorf("there is no job %s in\n%s", name, list)
		}
	}
	ref.Call(t, "bench", "-run", "nosuch").Refused(t, "nosuch", "-list")
	ref.Call(t, "bench", "-run", "(").Refused(t, "-run", "missing closing")
}

// The pattern for the jobs that an interrupted call has left is for these and no others.
func TestPattern(t *testing.T) {
	jobs := benchJobs()
	match := regexp.MustCompile(pattern(jobs[2:5]))
	for i, j := range jobs {
		if match.MatchString(j.name) != (i >= 2 && i < 5) {
			t.Errorf("%s: %t", j.name, match.MatchString(j.name))
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	path := filepath.Join(t.TempDir(), "bench.json")
	r := ref.CallWith(t, ctx, nil, "bench", "-run", "^matmul/1024/float32$", "-json", path)
	if r.Status != cli.ExitInterrupted || r.Err != "" {
		t.Errorf("status %d, %q", r.Status, r.Err)
	}
	r.Says(t, "stopped after 0 of 1 jobs; go on with: ref bench -run '^(matmul/1024/float32)$'")
	if _, err := os.Stat(path); err == nil {
		t.Error("a file without results was written")
	}
}
