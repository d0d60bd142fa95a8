package train

import (
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// While a process trains a run, another one is told its id; what a dead process has left is no obstacle, and the end leaves nothing.
func TestLock(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "1"))
	release, err := lock(out)
	if err != nil {
		t.Fatal(err)
	}
	id := strconv.Itoa(os.Getpid())
	ref.Call(t, "train", "-resume", out).Refused(t, out, "process "+id+",")
	other := t.TempDir()
	clitest.Put(t, lockIn(other), []byte("1\n"))
	ref.Works(t, clitest.Short(data, other, "-stop", "1"))
	release()
	if _, err := os.Stat(lockIn(out)); err == nil {
		t.Error("the lock stays")
	}
	clitest.Put(t, lockIn(out), []byte("123\n"))
	ref.Works(t, []string{"train", "-resume", out, "-stop", "2"})
	for _, folder := range []string{out, other} {
		if _, err := os.Stat(lockIn(folder)); err == nil {
			t.Errorf("%s is left", lockIn(folder))
		}
	}
}

// A resumed run knows its images and whether the test images are to be looked at.
func TestRemembered(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-stop", "1", "-test=false"))
	r := ref.Works(t, []string{"train", "-resume", out, "-stop", "4"}, "stopped after step 4")
	r = ref.Works(t, []string{"train", "-resume", out}, "the test images were not looked at")
	if strings.Contains(r.Out, "top-1") {
		t.Errorf("evaluated although -test=false was given: %s", r.Out)
	}
	ref.Works(t, []string{"train", "-resume", out, "-test"}, "CIFAR-10 test: top-1")
	if err := os.Rename(data, data+" moved"); err != nil {
		t.Fatal(err)
	}
	ref.Call(t, "train", "-resume", out).Refused(t, "-data", data)
	ref.Works(t, []string{"train", "-resume", out, "-data", data + " moved"}, "CIFAR-10 test: top-1")
}

// A prolonged run has the new number of epochs, says so, and keeps what it has done.
func TestProlong(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out))
	ref.Works(t, []string{"train", "-resume", out, "-epochs", "4", "-stop", "7"}, "prolonged from 2 to 4 epochs", "4 epochs of 3 steps", "step 6 of 12")
	r := ref.Works(t, []string{"train", "-resume", out}, "step 7 of 12", "epoch 4: ")
	if strings.Contains(r.Out, "prolonged") {
		t.Error("prolonged again")
	}
	f, err := safetensors.Read(cli.CheckpointIn(out))
	if err != nil {
		t.Fatal(err)
	}
	c, steps, err := training.ReadConfig(f)
	if err != nil || steps != 12 || c.Epochs != 4 || len(c.Planned) != 1 || c.Planned[0] != 2 {
		t.Errorf("%+v after %d steps, %v", c, steps, err)
	}
	for _, name := range []string{"loss.png", "accuracy.png"} {
		if content := clitest.Content(t, filepath.Join(out, name)); !strings.HasPrefix(content, "\x89PNG") {
			t.Errorf("%s is no picture", name)
		}
	}
}

// -keep-best keeps the checkpoint of the epoch with the highest accuracy on the images held out, also over a resumed run.
func TestKeepBest(t *testing.T) {
	data, out := clitest.CIFAR10(t), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-epochs", "6", "-holdout", "4", "-keep-best", "-stop", "3"))
	ref.Works(t, []string{"train", "-resume", out}, "weights of the epoch that did best on the images held out: "+bestIn(out))
	open := func(path string) (*safetensors.File, []training.Epoch) {
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		h, err := training.ReadHistory(f)
		if err != nil {
			t.Fatal(err)
		}
		return f, h
	}
	_, all := open(cli.CheckpointIn(out))
	_, best := open(bestIn(out))
	for k, e := range all {
		kept := best[len(best)-1].Holdout.Accuracy
		if e.Holdout.Accuracy > kept || k < len(best)-1 && e.Holdout.Accuracy == kept {
			t.Errorf("epoch %d: %.3f, kept is epoch %d with %.3f", k+1, e.Holdout.Accuracy, len(best), kept)
		}
	}
	ref.Works(t, []string{"eval", "-checkpoint", bestIn(out), "-data", data})
}

// Before a run of some length it says how long it will take. The run's bits do not depend on that, for which -short has no time.
func TestPace(t *testing.T) {
	data, out, other := clitest.CIFAR10(t), t.TempDir(), t.TempDir()
	ref.Works(t, clitest.Short(data, out, "-epochs", "12"), "about ", "at the speed of a few steps measured now")
	if !testing.Short() {
		ref.Works(t, clitest.Short(data, other, "-epochs", "12", "-stop", "10"))
		ref.Works(t, []string{"train", "-resume", other})
		clitest.SameRun(t, other, out)
	}
	for want, d := range map[string]time.Duration{"0 s": 0, "59 s": 59 * time.Second, "1 min": time.Minute, "2 h 5 min": 125 * time.Minute,
		"3 d 4 h": 76 * time.Hour} {
		if got := span(d); got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
	}
}

// A checkpoint for images of one size is the start for others of another size, with other classes or another stem.
func TestStartFromOtherSize(t *testing.T) {
	if testing.Short() {
		t.Skip("trains four times")
	}
	classes, folder := t.TempDir(), t.TempDir()
	for _, part := range []string{"train", "val"} {
		for k, class := range []string{"dark", "light", "red"} {
			for i := range 3 {
				picture := image.NewRGBA(image.Rect(0, 0, 40, 40))
				for p := range 1600 {
					picture.SetRGBA(p%40, p/40, color.RGBA{uint8(60*k + p%40 + i), uint8(40 * k), uint8(80 * k), 255})
				}
				path := filepath.Join(classes, part, class, strconv.Itoa(i)+".png")
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				file, err := os.Create(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := png.Encode(file, picture); err != nil {
					t.Fatal(err)
				}
				file.Close()
			}
		}
	}
	train := func(out string, more ...string) []string {
		return append([]string{"train", "-data", classes, "-epochs", "1", "-batch", "4", "-warmup", "0", "-out", filepath.Join(folder, out)}, more...)
	}
	first := cli.CheckpointIn(filepath.Join(folder, "first"))
	ref.Works(t, train("first", "-net", "sdnet8_narrow", "-size", "32", "-stem", "cifar"))
	// As it was, at another size, and with the other stem; then from CIFAR's network, whose stem and size come along.
	r := ref.Works(t, train("same", "-start", first))
	if strings.Contains(r.Out, "do not fit") {
		t.Errorf("all fits: %s", r.Out)
	}
	ref.Works(t, train("larger", "-start", first, "-size", "48"), "do not fit: layer0.0.dn.v0 ")
	ref.Works(t, train("restemmed", "-start", first, "-size", "64", "-stem", "imagenet"), "do not fit: layer0.0.dn.weight (")
	ref.Works(t, train("slim", "-start", "pretrained:sdnet8_slim", "-stop", "1"), "do not fit: linear.weight, linear.bias")
	text := clitest.Content(t, cli.CheckpointIn(filepath.Join(folder, "slim")))
	for _, setting := range []string{`\"extent\":32`, `\"stem\":\"cifar\"`} {
		if !strings.Contains(text, setting) {
			t.Errorf("no %s", setting)
		}
	}
	var call remembered
	if err := json.Unmarshal([]byte(clitest.Content(t, rememberedIn(filepath.Join(folder, "slim")))), &call); err != nil || call.Data != classes {
		t.Errorf("%+v, %v", call, err)
	}
	ref.Works(t, []string{"train", "-resume", filepath.Join(folder, "slim")}, "images of train of "+classes)
}
