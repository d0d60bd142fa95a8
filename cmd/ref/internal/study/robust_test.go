package study

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/internal/kernel"
	"sdref/sdnet/data"
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

// The output and the files of the command: its count on clean images is that of ref eval, and no batch size (left out with -short)
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
	if !testing.Short() {
		again := t.TempDir()
		ref.Works(t, append(append(args, again), "-batch", "3"))
		if clitest.Content(t, filepath.Join(again, "robust.json")) != clitest.Content(t,
			filepath.Join(out, "robust.json")) {
			t.Error("the size of batches changes the numbers")
		}
	}
	quick, row := t.TempDir(), "generic"
	if testing.Short() {
		row = kernel.ActiveName() // the generic one takes 7 s
	}
	ref.Works(t, append(append(args, quick), "-best=false", "-kernel", row), " - ")
	for i, c := range decode[robustReport](t, filepath.Join(quick, "robust.json")).Conditions {
		if want := report.Conditions[i]; c.Curve != nil || !reflect.DeepEqual(c.Correct, want.Correct) ||
			!reflect.DeepEqual(c.Lambda, want.Lambda) {
			t.Errorf("on kernel row %s, without the best lambdas: %+v, want %+v", row, c, want)
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

// After Ctrl-C what was finished is shown and written, and how to get the rest is said. Before anything is finished nothing is written.
func TestRobustAndAttackInterrupted(t *testing.T) {
	data := clitest.CIFAR10(t)
	interrupt := func(when, out string, args []string) clitest.Result {
		ctx, cancel := context.WithCancel(context.Background())
		r := ref.CallWith(t, ctx, clitest.CancelAt(when, cancel), append(args, "-out", out)...)
		if r.Status != cli.ExitInterrupted || r.Err != "" {
			t.Errorf("%q: status %d, %q", args, r.Status, r.Err)
		}
		return r
	}
	out := filepath.Join(t.TempDir(), "out")
	interrupt("CIFAR-10 test", out, slim("robust", data, "-learn", "2")).Says(t, "stopped before anything was finished")
	if _, err := os.Stat(out); err == nil {
		t.Error("robust left something behind")
	}
	r := interrupt("CIFAR-10 test", out, slim("attack", data, "-epsilons", "1,2"))
	r.Says(t, "stopped after 0 of", "epsilon", "the same command with -epsilons 1,2 and another -out does the rest", filepath.Join(out, "attack.json"))
	var report attackReport
	if err := json.Unmarshal([]byte(clitest.Content(t, filepath.Join(out, "attack.json"))), &report); err != nil || report.Complete ||
		len(report.Networks) != 1 || len(report.Networks[0].Correct) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

// Of a stopped experiment the numbers of what was finished are written, and what is missing is named.
func TestRobustStopped(t *testing.T) {
	e := robust.Experiment{Conditions: robust.Conditions([]data.Noise{data.GaussianNoise, data.ShotNoise})}
	for done, says := range map[int][]string{
		0: {"0 of 11 conditions are done", "-noise gaussian,shot and another -out does the rest"}, 3: {"3 of 11", "-noise gaussian,shot"}, 6: {"6 of 11", "-noise shot and another -out does"},
	} {
		var out bytes.Buffer
		folder := filepath.Join(t.TempDir(), "out")
		r := &robustReport{Learnt: make([]robust.Curve, 11), Conditions: make([]robustCell, done)}
		if err := r.stopped(cli.NewProgress(&out, 0), robustFlags{out: folder}, e); !errors.Is(err, cli.ErrInterrupted) {
			t.Error(err)
		}
		for _, text := range append(says, filepath.Join(folder, "robust.json")) {
			if !strings.Contains(out.String(), text) {
				t.Errorf("%d done: %q does not say %q", done, out.String(), text)
			}
		}
		var written robustReport
		if err := json.Unmarshal([]byte(clitest.Content(t, filepath.Join(folder, "robust.json"))), &written); err != nil || written.Complete ||
			len(written.Conditions) != done {
			t.Errorf("%+v, %v", written, err)
		}
	}
	var out bytes.Buffer
	r := &robustReport{Learnt: make([]robust.Curve, 4)}
	r.stopped(cli.NewProgress(&out, 0), robustFlags{}, e)
	if !strings.Contains(out.String(), "4 of 11 conditions are nowhere, since -out was not given") {
		t.Error(out.String())
	}
}
