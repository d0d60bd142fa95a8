package train

import (
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/internal/tfevents"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// The table of steps and the file for TensorBoard have the same numbers, and the table of epochs has their
// means.
func TestLogs(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out), cli.StepsIn(out), cli.EventsIn(out))
	rows, err := csv.NewReader(strings.NewReader(clitest.Content(t, cli.StepsIn(out)))).ReadAll()
	if err != nil || len(rows) != 7 || strings.Join(rows[0], ",")+"\n" != stepsHeader {
		t.Fatalf("%q, %v", rows, err)
	}
	events, err := tfevents.Read(cli.EventsIn(out))
	if err != nil || len(events) != 6 {
		t.Fatalf("%v, %v", events, err)
	}
	for i, e := range events {
		values := map[string]float64{}
		for _, s := range e.Scalars {
			values[s.Tag] = s.Value
		}
		row := rows[i+1]
		for column, tag := range map[int]string{1: "train/loss", 2: "train/accuracy", 3: "train/rate",
			4: "eigenvalue/layer0.0.dn", 5: "eigenvalue/layer0.0.dn", 6: "zeros/layer0.0.dn"} {
			var x float64
			if row[column] != "" {
				fmt.Sscan(row[column], &x)
			}
			if float64(float32(x)) != values[tag] ||
				(x == 0) != (column == 6 && i%3 != 2 || column == 2 && values[tag] == 0) {
				t.Errorf("step %d, column %d: %q, and %s is %v", i+1, column, row[column], tag, values[tag])
			}
		}
		if _, ends := values["epoch/loss"]; e.Step != int64(i+1) || row[0] != fmt.Sprint(i+1) ||
			ends != (i%3 == 2) {
			t.Errorf("event %d: %v, row %q", i, e, row)
		}
	}
	var losses [3]float64
	for i := range losses {
		fmt.Sscan(rows[i+1][1], &losses[i])
	}
	mean := (4*losses[0] + 4*losses[1] + 2*losses[2]) / 10
	if got := strings.Split(strings.Split(clitest.Content(t, cli.EpochsIn(out)), "\n")[1],
		",")[2]; got != fmt.Sprint(mean) && got != fmt.Sprintf("%g", mean) {
		t.Errorf("the first epoch's loss is %s, want the steps' mean %v", got, mean)
	}
}

// The logs that a killed run may leave: rows of steps that its checkpoint does not have, half a row, an old
// table of epochs, temporary files; or no logs at all, as in runs of earlier versions. With -short the run was stopped in the middle
// of an epoch only.
func TestResumeCutsTheLogsBack(t *testing.T) {
	data, whole := clitest.CIFAR10(t), t.TempDir()
	w := ref.Works(t, clitest.Short(data, whole, "-holdout", "2", "-test"))
	stops := []string{"2", "3"}
	if testing.Short() {
		stops = stops[:1]
	}
	for name, spoil := range map[string]func(t *testing.T, out string){
		"rows of later steps": func(t *testing.T, out string) {
			clitest.Put(t, cli.StepsIn(out), []byte(clitest.Content(t, cli.StepsIn(whole))))
			clitest.Put(t, cli.EventsIn(out), []byte(clitest.Content(t, cli.EventsIn(whole))))
		},
		"half a row": func(t *testing.T, out string) {
			clitest.Put(t, cli.StepsIn(out), []byte(clitest.Content(t, cli.StepsIn(out))+"4,0.2"))
			clitest.Put(t, cli.EventsIn(out), []byte(clitest.Content(t, cli.EventsIn(out))+"\x10\x00"))
		},
		"an old table of epochs": func(t *testing.T, out string) {
			clitest.Put(t, cli.EpochsIn(out), []byte("epoch,images,loss,accuracy,rate\n"))
		},
		"a temporary file": func(t *testing.T, out string) {
			clitest.Put(t, out+"/.tmp-0123456789abcdef", nil)
		},
	} {
		for _, stop := range stops {
			out := t.TempDir()
			ref.Works(t, clitest.Short(data, out, "-holdout", "2", "-stop", stop))
			spoil(t, out)
			ref.Works(t, []string{"train", "-resume", out, "-data", data, "-test"},
				w.Line(t, "CIFAR-10 test:"))
			clitest.SameRun(t, out, whole)
			if files, err := os.ReadDir(out); err != nil || len(files) != 7 {
				t.Errorf("%s: left behind: %v, %v", name, files, err)
			}
		}
	}
	out := t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-holdout", "2", "-stop", "4"))
	clitest.Remove(t, cli.StepsIn(out))
	clitest.Remove(t, cli.EventsIn(out))
	ref.Works(t, []string{"train", "-resume", out, "-data", data})
	lines, all := strings.Split(clitest.Content(t, cli.StepsIn(out)), "\n"),
		strings.Split(clitest.Content(t, cli.StepsIn(whole)), "\n")
	if !slices.Equal(lines, append(all[:1:1], all[5:]...)) {
		t.Errorf("without logs, from step 4: %q", lines)
	}
}

// A file of another kind with the name of a log is not changed.
func TestForeignLogs(t *testing.T) {
	data := clitest.CIFAR10(t)
	for _, path := range []func(string) string{cli.StepsIn, cli.EventsIn} {
		out := t.TempDir()
		ref.Works(t, clitest.Short(data, out, "-stop", "2"))
		text := strings.Repeat("notes of mine\n", 9)
		clitest.Put(t, path(out), []byte(text))
		ref.Call(t, "train", "-resume", out, "-data", data).Refused(t, "the log", path(out))
		if clitest.Content(t, path(out)) != text {
			t.Errorf("%s was touched", path(out))
		}
	}
}

// A network without CSC layers has no eigenvalues and no codes.
func TestLogsWithoutCSC(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-net", "resnet8_narrow", "-stop", "3"))
	rows := strings.Split(strings.TrimSpace(clitest.Content(t, cli.StepsIn(out))), "\n")
	if len(rows) != 4 || !strings.HasSuffix(rows[3], ",,,") ||
		strings.Contains(clitest.Content(t, cli.EventsIn(out)), "eigenvalue") {
		t.Errorf("%q", rows)
	}
}

// The images held out are evaluated after each epoch, as ref eval does; the test images are not.
func TestHoldout(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	r := ref.Works(t, clitest.Short(data, out, "-holdout", "3"), "on 7 images of CIFAR-10 train",
		"2 epochs of 2 steps", "epoch 1: held out: accuracy ", " on 3 images",
		"the test images were not looked at")
	if strings.Contains(r.Out, "CIFAR-10 test:") {
		t.Error("the test images were looked at")
	}
	e := ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(out), "-data", data, "-set", "held"},
		"on 3 images")
	var top1, top5, loss float64
	if n, err := fmt.Sscanf(e.Line(t, "CIFAR-10 train: "),
		"CIFAR-10 train: top-1 %f %%, top-5 %f %%, loss %f", &top1, &top5, &loss); n != 3 {
		t.Fatal(err)
	}
	if want := fmt.Sprintf("epoch 2: held out: accuracy %.2f %%, loss %.4f on 3 images", top1,
		loss); !strings.Contains(r.Out, want) {
		t.Errorf("ref eval says %q, the run\n%s", want, r.Out)
	}
	rows := strings.Split(strings.TrimSpace(clitest.Content(t, cli.EpochsIn(out))), "\n")
	f, err := safetensors.Read(cli.CheckpointIn(out))
	if err != nil {
		t.Fatal(err)
	}
	run, err := training.Resume[float32](f, clitest.Open(t, data))
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range run.History {
		if want := fmt.Sprintf(",%g,%g", h.Holdout.Loss, h.Holdout.Accuracy); h.Holdout.Images != 3 ||
			!strings.HasSuffix(rows[i+1], want) {
			t.Errorf("epoch %d: %+v, row %q", i+1, h, rows[i+1])
		}
	}
	ref.Works(t, []string{"train", "-resume", out, "-data", data, "-test"}, "CIFAR-10 test: top-1")
	ref.Works(t, clitest.Short(data, t.TempDir(), "-test=false"), "the test images were not looked at")

	every := t.TempDir()
	ref.Works(t, clitest.Short(data, every, "-holdout", "3", "-holdout-every", "2", "-epochs", "3"),
		"epoch 2: held out", "epoch 3: held out")
	if rows := strings.Split(clitest.Content(t, cli.EpochsIn(every)), "\n"); !strings.HasSuffix(rows[1],
		",,") || strings.HasSuffix(rows[2], ",") {
		t.Errorf("%q", rows)
	}
	ref.Works(t, clitest.Short(data, t.TempDir(), "-test=false", "-stop", "1"))
	ref.Call(t, "eval", "-checkpoint", cli.CheckpointIn(without(t, data)), "-data", data, "-set",
		"held").Refused(t, "-set held", "holdout: 0")
}

// without is a run without images held out.
func without(t *testing.T, data string) string {
	t.Helper()
	out := t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "1"))
	return out
}

// After Ctrl-C while the images held out are evaluated, the evaluation is done when the run is resumed.
func TestInterruptHoldout(t *testing.T) {
	if testing.Short() {
		t.Skip("trains three times; TestInterrupt stops while training")
	}
	data, whole := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, whole, "-holdout", "3"))
	for _, when := range []string{"epoch 1: loss", "epoch 2: loss"} {
		out := t.TempDir()
		ctx, cancel := context.WithCancel(context.Background())
		r := ref.CallWith(t, ctx, clitest.CancelAt(when, cancel),
			clitest.Short(data, out, "-holdout", "3")...)
		if r.Status != cli.ExitInterrupted || !strings.Contains(r.Out, "and saved; go on with") {
			t.Errorf("cancelled at %q: status %d, %s%s", when, r.Status, r.Out, r.Err)
		}
		// as if it had been killed after the evaluation was logged
		clitest.Put(t, cli.EventsIn(out), []byte(clitest.Content(t, cli.EventsIn(whole))))
		ref.Works(t, []string{"train", "-resume", out, "-data", data}, "epoch 2: held out")
		clitest.SameRun(t, out, whole)
	}
}
