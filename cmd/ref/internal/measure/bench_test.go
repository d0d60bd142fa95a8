package measure

import (
	"strings"
	"testing"
)

// The names of jobs must not change, since scripts use them.
func TestBenchNames(t *testing.T) {
	list := ref.Works(t, []string{"bench", "-list"}).Out
	for _, name := range []string{"matmul/1024/float32", "matmul/1024/float64",
		"conv/forward/64x64x32/float32", "conv/transpose/512x512x4/float64",
		"conv/filter/128x128x16/float32/winograd", "train/sdnet18/batch32", "train/sdnet18_all/batch128",
		"train/resnet18/batch32/winograd",
		"predict/sdnet18/batch1", "predict/resnet18/batch32", "solve/image/random/fista",
		"solve/torus/gabor/admm", "solve/stem/signed/working-set"} {
		if !strings.Contains("\n"+list, "\n"+name+"\n") {
			t.Errorf("there is no job %s in\n%s", name, list)
		}
	}
	ref.Call(t, "bench", "-run", "nosuch").Refused(t, "nosuch", "-list")
	ref.Call(t, "bench", "-run", "(").Refused(t, "-run", "missing closing")
}
