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

// With other iterations or another lambda the weights see other codes; with those of the training nothing changes.
func TestEvalOtherIterations(t *testing.T) {
	data := clitest.CIFAR10(t)
	eval := func(args ...string) string {
		r := ref.Works(t, append([]string{"eval", "-checkpoint", "pretrained:sdnet8_slim", "-data", data}, args...))
		_, result, _ := strings.Cut(r.Out, "top-1")
		return result
	}
	as := eval()
	if same := eval("-iterations", "2", "-lambda", "0.1"); same != as {
		t.Errorf("%q, want %q", same, as)
	}
	if eval("-iterations", "3") == as || eval("-lambda", "0.2") == as {
		t.Error("another number of iterations, or another lambda, changes nothing")
	}
	ref.Call(t, "eval", "-checkpoint", "pretrained:sdnet8_slim", "-iterations", "-1").Refused(t, "-iterations")
	ref.Call(t, "eval", "-checkpoint", "pretrained:sdnet8_slim", "-lambda", "NaN").Refused(t, "-lambda")
}
