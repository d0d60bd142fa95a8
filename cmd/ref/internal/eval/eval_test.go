package eval

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// The file of -json has the numbers that ref eval prints, the run's settings and epochs, and a digest that
// one more step changes.
func TestEvalJSON(t *testing.T) {
	data, folder := clitest.CIFAR10(t), t.TempDir()
	read := func(run string, more ...string) (e evaluated, out string) {
		path := filepath.Join(folder, "eval.json")
		out = ref.Works(t, append([]string{"eval", "-checkpoint", cli.CheckpointIn(run), "-overwrite", "-json", path},
			more...)).Out
		if err := json.Unmarshal([]byte(clitest.Content(t, path)), &e); err != nil {
			t.Fatal(err)
		}
		return e, out
	}
	run := filepath.Join(folder, "run")
	ref.Works(t, clitest.Short(data, run, "-stop", "5"))
	before, _ := read(run, "-data", data)
	ref.Works(t, []string{"train", "-resume", run, "-data", data})
	e, out := read(run, "-data", data)
	for _, says := range []string{
		fmt.Sprintf("top-1 %.2f %%, top-5 %.2f %%, loss %.4f on %d images", 100*e.Top1, 100*e.Top5, e.Loss,
			e.Images),
		fmt.Sprintf("codes of %s: %.1f %%", e.Zeros[0].Layer, 100*e.Zeros[0].Share), e.Set,
	} {
		if !strings.Contains(out, says) {
			t.Errorf("no %q in %q", says, out)
		}
	}
	if e.Configuration.Network != "sdnet8_narrow" || len(before.Epochs) != 1 || len(e.Epochs) != 2 ||
		len(e.Digest) != 64 || e.Digest == before.Digest {
		t.Errorf("before %+v, after %+v", before, e)
	}
	if e, _ := read(run); e.Loss != 0 || e.Top1 != 0 || e.Zeros[0].Share == 0 {
		t.Errorf("on images of other classes: %+v", e)
	}
}
