package study

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/internal/kernel"
	"sdref/sdnet/robust"
)

// narrow trains a network a little on the images of CIFAR10 and returns its checkpoint.
func narrow(t testing.TB, data string, more ...string) string {
	t.Helper()
	run := t.TempDir()
	ref.Works(t, clitest.Short(data, run, append([]string{"-epochs", "1"}, more...)...))
	return cli.CheckpointIn(run)
}

// slim are the arguments of a measurement on the images of CIFAR10.
func slim(verb, data string, more ...string) []string {
	return append([]string{verb, "-checkpoint", "pretrained:sdnet8_slim", "-data", data, "-images", "4"},
		more...)
}

// decode reads a JSON file.
func decode[V any](t *testing.T, path string) (v V) {
	t.Helper()
	if err := json.Unmarshal([]byte(clitest.Content(t, path)), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// The output and the files of the command: its count on clean images is that of ref eval, and no batch size
// or kernel row changes a number.
func TestRobust(t *testing.T) {
	data, out := clitest.CIFAR10(t), filepath.Join(t.TempDir(), "new", "robust")
	checkpoint := narrow(t, data)
	args := []string{"robust", "-checkpoint", checkpoint, "-data", data, "-images", "4", "-learn", "3",
		"-noise", "impulse,shot", "-lambdas", "0.1,0.5", "-out"}
	r := ref.Works(t, append(args, out), kernel.CPUName(),
		"sdnet8_narrow from "+checkpoint+
			", lambda 0.1: learns from 3 images of CIFAR-10 train, tries on 4 of CIFAR-10 test",
		"learnt from noised training images", "lambda = ", "accuracy on test images", "paper, SDNet-18",
		"54.13 to 57.48", "impulse", "clean")
	if strings.Contains(r.Out, "gaussian") || r.Err != "" {
		t.Errorf("%s, %s", r.Out, r.Err)
	}
	report := decode[robustReport](t, filepath.Join(out, "robust.json"))
	if len(report.Conditions) != 11 || len(report.Learnt) != 11 || len(report.Choices) != 3 ||
		len(report.Noises) != 3 || !report.Known || report.Noises[1].Noise != "impulse" {
		t.Errorf("%+v", report)
	}
	clean := report.Conditions[0]
	ref.Works(t, []string{"eval", "-checkpoint", checkpoint, "-data", data},
		fmt.Sprintf("top-1 %.2f %%", 25*float64(clean.Correct["fixed"])))
	for _, c := range report.Conditions {
		if c.Lambda["fixed"] != 0.1 || c.Curve.Correct[0] != c.Correct["fixed"] {
			t.Errorf("%v: at the lambda of training %v, %d of %d", c.Condition, c.Curve.Correct,
				c.Correct["fixed"], 4)
		}
	}
	for name, lines := range map[string]int{"robust-impulse": 1 + 12, "robust-shot": 1 + 12,
		"robust-fit": 1 + 11} {
		for _, extension := range []string{".png", ".svg"} {
			if len(clitest.Content(t, filepath.Join(out, name+extension))) < 1000 {
				t.Errorf("%s%s is no picture", name, extension)
			}
		}
		rows, err := csv.NewReader(strings.NewReader(clitest.Content(t,
			filepath.Join(out, name+".csv")))).ReadAll()
		if err != nil || len(rows) != lines {
			t.Errorf("%s.csv: %d lines, want %d; %v", name, len(rows), lines, err)
		}
	}
	again := t.TempDir()
	ref.Works(t, append(append(args, again), "-batch", "3"))
	if clitest.Content(t, filepath.Join(again, "robust.json")) != clitest.Content(t,
		filepath.Join(out, "robust.json")) {
		t.Error("the size of batches changes the numbers")
	}
	quick := t.TempDir()
	ref.Works(t, append(append(args, quick), "-best=false", "-kernel", "generic"), " - ")
	for i, c := range decode[robustReport](t, filepath.Join(quick, "robust.json")).Conditions {
		if want := report.Conditions[i]; c.Curve != nil || !reflect.DeepEqual(c.Correct, want.Correct) ||
			!reflect.DeepEqual(c.Lambda, want.Lambda) {
			t.Errorf("on another kernel row, without the best lambdas: %+v, want %+v", c, want)
		}
	}
}

// On images of other classes the network is compared with itself, so all answers on clean images are right.
func TestRobustOnDrawnImages(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 12,000 images")
	}
	out := t.TempDir()
	r := ref.Works(t, []string{"robust", "-images", "5", "-learn", "3", "-noise", "shot", "-lambdas",
		"0.1,0.6", "-out", out}, "no accuracy, since these are none of the classes of cifar10",
		"answers as on the clean image", "100.00 +- 0.00")
	report := decode[robustReport](t, filepath.Join(out, "robust.json"))
	if report.Known || report.Conditions[0].Correct[robust.Fixed.String()] != 5 ||
		strings.Contains(r.Out, "paper") {
		t.Errorf("%+v\n%s", report, r.Out)
	}
}

// For a run that held images out, the command learns from these.
func TestRobustLearnsFromImagesHeldOut(t *testing.T) {
	data := clitest.CIFAR10(t)
	args := []string{"robust", "-checkpoint", narrow(t, data, "-holdout", "3"), "-data", data, "-noise",
		"shot", "-lambdas", "0.1,0.6", "-images", "1", "-learn"}
	ref.Works(t, append(args, "3"), "learns from 3 images")
	ref.Call(t, append(args, "4")...).Refused(t, "-learn: 4 of the 3 images")
}

func TestRobustRefuses(t *testing.T) {
	data := clitest.CIFAR10(t)
	plain := narrow(t, data, "-net", "resnet8_narrow")
	for _, c := range []struct{ args, says []string }{
		{slim("robust", data, "-noise", "fog"),
			[]string{"-noise", `"fog"`, "gaussian, shot, speckle, impulse"}},
		{slim("robust", data, "-noise", "shot,shot"), []string{"-noise", "shot twice"}},
		{slim("robust", data, "-lambdas", "0.1,x"), []string{"-lambdas", `"x"`}},
		{slim("robust", data, "-lambdas", "0.5,0.1"), []string{"-lambdas", "0.1 after 0.5"}},
		{slim("robust", data, "-lambdas", "NaN"), []string{"-lambdas", "NaN"}},
		{slim("robust", data, "-learn", "0"), []string{"-learn 0"}},
		{slim("robust", data, "-learn", "11"), []string{"-learn: 11 of the 10 images of CIFAR-10 train"}},
		{slim("robust", data, "-learn", "1", "-images", "5"),
			[]string{"-images: 5 of the 4 images of CIFAR-10 test"}},
		{slim("robust", data, "-batch", "0"), []string{"-batch 0"}},
		{slim("robust", "nowhere"), []string{"nowhere"}},
		{slim("robust", clitest.CIFAR100(t)), []string{"cifar10", "cifar100"}},
		{slim("robust", data, "-checkpoint", "nowhere"), []string{"nowhere"}},
		{slim("robust", data, "-checkpoint", "pretrained:nothing"), []string{"nothing", "sdnet8_slim"}},
		{slim("robust", data, "-checkpoint", plain, "-learn", "1"),
			[]string{plain, "resnet8_narrow", "no CSC layer"}},
		{slim("attack", data, "-norm", "l1"), []string{"-norm", `"l1"`, "linf, l2"}},
		{slim("attack", data, "-epsilons", "2,1"), []string{"-epsilons", "1 after 2"}},
		{slim("attack", data, "-epsilons", "0,1"), []string{"-epsilons", "0 is no attack"}},
		{slim("attack", data, "-steps", "0"), []string{"-steps 0"}},
		{slim("attack", data, "-restarts", "-1"), []string{"-restarts -1"}},
		{slim("attack", data, "-images", "5"), []string{"-images: 5 of the 4"}},
		{slim("attack", data, "-beside", "nowhere"), []string{"nowhere"}},
		{slim("attack", data, "-checkpoint", plain, "-lambdas", "0.5"),
			[]string{"-lambdas", "resnet8_narrow", "no CSC layer"}},
	} {
		out := filepath.Join(t.TempDir(), "out")
		ref.Call(t, append(c.args, "-out", out)...).Refused(t, c.says...)
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q left something behind", c.args)
		}
	}
}

// Ctrl-C at any time leaves no files.
func TestRobustAndAttackInterrupted(t *testing.T) {
	data := clitest.CIFAR10(t)
	for _, args := range [][]string{slim("robust", data, "-learn", "2"), slim("attack", data)} {
		ctx, cancel := context.WithCancel(context.Background())
		out := filepath.Join(t.TempDir(), "out")
		r := ref.CallWith(t, ctx, clitest.CancelAt("CIFAR-10 test", cancel), append(args, "-out", out)...)
		if r.Status != cli.ExitInterrupted || r.Err != "" {
			t.Errorf("%q: status %d, %q", args, r.Status, r.Err)
		}
		r.Says(t, "stopped; nothing was written")
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q left something behind", args)
		}
	}
}
