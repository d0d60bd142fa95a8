package train

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/internal/kernel"
	"sdref/sdnet/training"
)

// A run prints and writes what it should, and ref eval agrees with it.
func TestTrain(t *testing.T) {
	data, out := clitest.CIFAR10(t), filepath.Join(t.TempDir(), "new", "run")
	r := ref.Works(t, clitest.Short(data, out), kernel.CPUName(), "kernel "+kernel.ActiveName(),
		"sdnet8_narrow on 10 images of CIFAR-10 train",
		"2 epochs of 3 steps", "not the official ones", "step 1 of 6", "epoch 2: loss ",
		cli.CheckpointIn(out), cli.EpochsIn(out))
	if r.Err != "" {
		t.Errorf("standard error: %q", r.Err)
	}
	if strings.ContainsAny(r.Out, "\r\033") {
		t.Errorf("a terminal's codes in what is no terminal: %q", r.Out)
	}
	rows, err := csv.NewReader(strings.NewReader(clitest.Content(t, cli.EpochsIn(out)))).ReadAll()
	if err != nil || len(rows) != 3 || strings.Join(rows[0], " ") != "epoch images loss accuracy rate" ||
		rows[2][0] != "2" || rows[2][1] != "10" {
		t.Errorf("epochs: %q, %v", rows, err)
	}
	loss, err := strconv.ParseFloat(rows[2][2], 64)
	if err != nil || !strings.Contains(r.Out, fmt.Sprintf("epoch 2: loss %.4f,", loss)) {
		t.Errorf("the table's loss %v is not the log's: %v", loss, err)
	}
	top, zeros := r.Line(t, "CIFAR-10 test: top-1 "), r.Line(t, "zeros in the codes of layer0.0.dn: ")
	e := ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(out), "-data", data}, top, zeros,
		"sdnet8_narrow from "+cli.CheckpointIn(out)+" on 4 images of CIFAR-10 test")
	if strings.Contains(e.Out, "evaluated") || !strings.Contains(e.Err, "evaluated 4 of 4 images") {
		t.Errorf("progress belongs on standard error: %q, %q", e.Out, e.Err)
	}
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(out), "-data", data, "-batch", "3", "-set",
		"train"}, "CIFAR-10 train: top-1 ", "on 10 images")
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(out), "-data", data, "-type", "float64"},
		"CIFAR-10 test: top-1 ")
}

// The kernel row changes only the speed of a run, and the log names it.
func TestTrainOnEachRow(t *testing.T) {
	if testing.Short() {
		t.Skip("trains once a row; sdnet has the same bits on each")
	}
	data, first := clitest.CIFAR10(t), ""
	for _, row := range kernel.Rows[float32]() {
		out := filepath.Join(t.TempDir(), "run")
		ref.Works(t, clitest.Short(data, out, "-epochs", "1", "-kernel", row.Name), "kernel "+row.Name+",")
		if first == "" {
			first = out
		}
		clitest.SameRun(t, out, first)
	}
}

func TestSettingsReachTheRun(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, []string{"train", "-data", data, "-out", out, "-stop", "1", "-net", "sdnet8_narrow", "-type",
		"float64", "-seed", "7", "-epochs", "5", "-batch", "3",
		"-images", "8", "-augment=false", "-schedule", "steps", "-rate", "0.5", "-warmup", "2", "-momentum",
		"0.25", "-decay", "0.125", "-lambda", "0.0625",
		"-mu", "0.75", "-iterations", "3", "-variant", "paper"}, "stopped after step 1 and saved")
	file := clitest.Content(t, cli.CheckpointIn(out))
	for _, setting := range []string{"network:sdnet8_narrow", "data:cifar10", "type:float64", "seed:7",
		"epochs:5", "batch:3", "images:8", "augment:false", "schedule:steps",
		"rate:0.5", "warmup:2", "momentum:0.25", "decay:0.125", "lambda:0.0625", "mu:0.75", "iterations:3",
		"variant:paper"} {
		name, value, _ := strings.Cut(setting, ":")
		plain, quoted := fmt.Sprintf(`\"%s\":%s,`, name, value), fmt.Sprintf(`\"%s\":\"%s\"`, name, value)
		if !strings.Contains(file, plain) && !strings.Contains(file, quoted) {
			t.Errorf("%s is not in the checkpoint", setting)
		}
	}
	ref.Works(t, []string{"train", "-data", data, "-resume", out, "-stop", "2"}, "step 1 of 15",
		"stopped after step 2")
}

// On the drawn images the settings that are not given are the demonstration's.
func TestDrawnImages(t *testing.T) {
	if testing.Short() {
		t.Skip("draws 12,000 images")
	}
	t.Chdir(t.TempDir())
	r := ref.Works(t, []string{"train", "-images", "100", "-stop", "1"},
		"sdnet8_narrow on 100 images of shapes train", "3 epochs of 4 steps", "batch 32",
		"stopped after step 1", filepath.Join("runs", "sdnet8_narrow-shapes-1"))
	if strings.Contains(r.Out, "official") {
		t.Error("drawn images are no official files")
	}
	// Without -data a run goes on with its own images, and is not continued on others.
	ref.Works(t, clitest.Short(clitest.CIFAR10(t), "cifar", "-stop", "1"))
	ref.Works(t, []string{"train", "-resume", "cifar", "-stop", "2"}, "of CIFAR-10 train", "stopped after step 2")
	ref.Call(t, "train", "-resume", "cifar", "-data", "shapes").Refused(t, cli.CheckpointIn("cifar"), "data", "cifar10",
		"shapes")
	// Of a network that was trained on CIFAR the drawn images show the codes, and no accuracy.
	e := ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn("cifar")}, "shapes test: no accuracy",
		"cifar10", "zeros in the codes of layer0.0.dn: ")
	if strings.Contains(e.Out+e.Err, "top-1") {
		t.Errorf("an accuracy on images of other classes:\n%s%s", e.Out, e.Err)
	}
}

func TestFoldersOfRuns(t *testing.T) {
	data := clitest.CIFAR10(t)
	t.Chdir(t.TempDir())
	args := []string{"train", "-data", data, "-net", "resnet8_narrow", "-images", "2", "-batch", "2",
		"-epochs", "1"}
	for i := 1; i <= 2; i++ {
		ref.Works(t, args, cli.CheckpointIn(filepath.Join("runs",
			fmt.Sprintf("resnet8_narrow-cifar10-%d", i))))
	}
	clitest.SameRun(t, "runs/resnet8_narrow-cifar10-1", "runs/resnet8_narrow-cifar10-2")

	clitest.Put(t, "note", []byte("mine"))
	ref.Call(t, append(args, "-out", "note")...).Refused(t, "note")
	ref.Call(t, append(args, "-out", filepath.Join("note", "below"))...).Refused(t, "note")
	if clitest.Content(t, "note") != "mine" {
		t.Error("a file was touched")
	}
	if err := os.MkdirAll(cli.CheckpointIn("odd"), 0o777); err != nil {
		t.Fatal(err)
	}
	ref.Call(t, append(args, "-out", "odd")...).Refused(t, "odd", "holds a run")
	ref.Works(t, append(args, "-out", filepath.Join("runs", "resnet8_narrow-cifar10-1", "inner")))
}

// A run never overwrites the files of another.
func TestOutIsRefused(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "1"))
	before := clitest.Content(t, cli.CheckpointIn(out)) + clitest.Content(t, cli.EpochsIn(out))
	ref.Call(t, clitest.Short(data, out, "-seed", "2")...).Refused(t, "-out", out, "holds a run", "-resume")
	if clitest.Content(t, cli.CheckpointIn(out))+clitest.Content(t, cli.EpochsIn(out)) != before {
		t.Error("the run was touched")
	}
}

func TestStopAndResume(t *testing.T) {
	data, whole := clitest.CIFAR10(t), t.TempDir()
	w := ref.Works(t, clitest.Short(data, whole))
	for _, stop := range []string{"1", "3", "5"} {
		out := t.TempDir()
		s := ref.Works(t, clitest.Short(data, out, "-stop", stop), "stopped after step "+stop+" and saved",
			"go on with: ref train -resume "+out+"\n")
		if strings.Contains(s.Out, "top-1") {
			t.Errorf("stopped at %s and yet evaluated", stop)
		}
		r := ref.Works(t, []string{"train", "-resume", out, "-data", data, "-save", "0s"},
			"step "+stop+" of 6", w.Line(t, "CIFAR-10 test:"), w.Line(t, "zeros"))
		if strings.Contains(r.Out, "epoch 1:") != (stop == "1") {
			t.Errorf("resumed at %s:\n%s", stop, r.Out)
		}
		clitest.SameRun(t, out, whole)
	}
	out := t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "6"), w.Line(t, "CIFAR-10 test:")) // the last step
	clitest.SameRun(t, out, whole)
	again := ref.Works(t, []string{"train", "-resume", out, "-data", data}, "step 6 of 6",
		w.Line(t, "CIFAR-10 test:"))
	if strings.Contains(again.Out, "epoch ") {
		t.Errorf("a finished run goes on:\n%s", again.Out)
	}
	clitest.SameRun(t, out, whole)
}

func TestResumeRefuses(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "2"))
	before := clitest.Content(t, cli.CheckpointIn(out))
	for flag, value := range map[string]string{"net": "sdnet18", "type": "float32", "seed": "1",
		"smoothing": "0.1", "mixup": "0.2", "stem": "cifar", "batch": "4", "images": "5", "schedule": "steps", "rate": "1",
		"warmup": "1", "momentum": "0", "decay": "0", "lambda": "1", "mu": "1", "iterations": "2",
		"variant": "paper", "algorithm": "winograd", "out": t.TempDir()} {
		ref.Call(t, "train", "-resume", out, "-data", data, "-"+flag, value).Refused(t, "-"+flag+":",
			"cannot be changed")
	}
	ref.Call(t, "train", "-resume", out, "-data", data, "-augment").Refused(t, "-augment:",
		"cannot be changed")
	ref.Call(t, "train", "-resume", out, "-data", data, "-epochs", "2").Refused(t, "epochs: 2 are not more than the 2", out)
	ref.Call(t, "train", "-resume", out, "-data", data, "-stop", "2").Refused(t, "-stop 2", out,
		"2 steps already")
	ref.Call(t, "train", "-resume", out, "-data", clitest.CIFAR100(t)).Refused(t, cli.CheckpointIn(out),
		"data", "cifar10", "cifar100")
	ref.Call(t, "train", "-resume", cli.CheckpointIn(out), "-data", data).Refused(t, cli.CheckpointIn(out))
	ref.Call(t, "train", "-resume", t.TempDir(), "-data", data).Refused(t, "checkpoint.safetensors")
	if clitest.Content(t, cli.CheckpointIn(out)) != before {
		t.Error("the run was touched")
	}
}

// After Ctrl-C at any time the run is saved, and when resumed it has the bits of one that was not stopped.
func TestInterrupt(t *testing.T) {
	data, whole := clitest.CIFAR10(t), t.TempDir()
	w := ref.Works(t, clitest.Short(data, whole))
	for _, c := range []struct{ when, says string }{
		{"sdnet8_narrow on", "stopped after step 1 and saved"},
		{"epoch 1:", "stopped after step 3 and saved"},
		{"epoch 2:", "evaluation stopped after 4 of 4 images"},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		out := t.TempDir()
		r := ref.CallWith(t, ctx, clitest.CancelAt(c.when, cancel), clitest.Short(data, out)...)
		if r.Status != cli.ExitInterrupted || r.Err != "" {
			t.Errorf("cancelled at %q: status %d, want 130; %q", c.when, r.Status, r.Err)
		}
		r.Says(t, c.says)
		ref.Works(t, []string{"train", "-resume", out, "-data", data}, w.Line(t, "CIFAR-10 test:"))
		clitest.SameRun(t, out, whole)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	r := ref.CallWith(t, ctx, nil, "eval", "-checkpoint", cli.CheckpointIn(whole), "-data", data, "-batch",
		"3")
	if r.Status != cli.ExitInterrupted || strings.Contains(r.Out, "top-1") {
		t.Errorf("evaluation: status %d, %q", r.Status, r.Out)
	}
	r.Says(t, "stopped after 3 of 4 images")
}

// A run that diverges ends with an error, and leaves a checkpoint that can be read.
func TestDivergence(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Call(t, clitest.Short(data, out, "-rate", "1e6", "-warmup", "0", "-epochs", "20")...).Refused(t,
		"diverged", out)
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(out), "-data", data})
}

// -start takes the weights, the network and its CSC settings of a checkpoint; flags change the settings.
func TestStart(t *testing.T) {
	data, folder := clitest.CIFAR10(t), t.TempDir()
	first, second := filepath.Join(folder, "first"), filepath.Join(folder, "second")
	ref.Works(t, clitest.Short(data, first, "-lambda", "0.2"))
	r := ref.Works(t, []string{"train", "-start", cli.CheckpointIn(first), "-epochs", "1", "-batch", "4",
		"-rate", "0", "-data", data, "-out", second},
		"sdnet8_narrow on 10 images", "it starts from the weights of "+cli.CheckpointIn(first)+", state ",
		"the test images, which nothing in this run depended on:")
	type evaluated struct {
		Configuration training.Config
		Digest        string
	}
	var before, after evaluated
	for run, e := range map[string]*evaluated{first: &before, second: &after} {
		path := filepath.Join(run, "eval.json")
		ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(run), "-data", data, "-json", path})
		if err := json.Unmarshal([]byte(clitest.Content(t, path)), e); err != nil {
			t.Fatal(err)
		}
	}
	if after.Configuration.Start != before.Digest || after.Configuration.Lambda != 0.2 ||
		!strings.Contains(r.Out, after.Configuration.Start[:16]) {
		t.Errorf("start %q, lambda %g; the weights were %q", after.Configuration.Start,
			after.Configuration.Lambda, before.Digest)
	}
	ref.Works(t, []string{"train", "-start", "pretrained:sdnet8_slim", "-lambda", "0.3", "-epochs", "1",
		"-batch", "4", "-images", "4", "-data", data, "-out", filepath.Join(folder, "slim")},
		"sdnet8_slim on 4 images", "weights of pretrained:sdnet8_slim, state ")
	ref.Call(t, "train", "-start", cli.CheckpointIn(first), "-net", "resnet8_narrow", "-data", data, "-out",
		filepath.Join(folder, "third")).Refused(t, cli.CheckpointIn(first), "sdnet8_narrow", "resnet8_narrow")
	ref.Call(t, "train", "-start", filepath.Join(folder, "none"), "-data", data).Refused(t,
		filepath.Join(folder, "none"))
	ref.Call(t, "train", "-resume", first, "-start", cli.CheckpointIn(first), "-data", data).Refused(t,
		"-start", "resumed")
}

// A chain, by the fast recipe: a part of the last epoch, slow weights, which a resumed run goes on from, and six views at evaluation.
func TestFastRecipe(t *testing.T) {
	data, whole, out := clitest.CIFAR10(t), t.TempDir(), t.TempDir()
	args := func(out string, more ...string) []string {
		return append([]string{"train", "-recipe", "fast", "-net", "sdnet_air_narrow", "-data", data, "-batch", "4", "-epochs", "2.5", "-out", out}, more...)
	}
	w := ref.Works(t, args(whole), "sdnet_air_narrow on 10 images", "3 epochs of 3 steps, batch 4, triangle rate 1.5, step 0 of 8", "epoch 3:")
	w.Says(t, "ref eval -augment crops -checkpoint")
	ref.Works(t, args(out, "-stop", "7"))
	ref.Works(t, []string{"train", "-resume", out}, w.Line(t, "CIFAR-10 test:"))
	clitest.SameRun(t, out, whole)
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(whole), "-data", data, "-augment", "crops"}, "each image in 6 views")
	ref.Call(t, "train", "-resume", whole, "-epochs", "4").Refused(t, "ends within an epoch")
	ref.Call(t, args(t.TempDir(), "-epochs", "many")...).Refused(t, "-epochs", `"many" is no number of epochs`)
	ref.Call(t, args(t.TempDir(), "-stem-atoms", "wavelets")...).Refused(t, "stem-atoms", "wavelets", "components")
}
