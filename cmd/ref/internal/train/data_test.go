package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
)

// A run goes on with its own images only; what differs is said, and how to begin with the others.
func TestResumeRefusesOtherImages(t *testing.T) {
	folder := clitest.Pictures(t, 3, map[string]int{"train": 3, "val": 1})
	out := filepath.Join(t.TempDir(), "a run")
	ref.Works(t, clitest.Short(folder, out, "-size", "32", "-stop", "2"))
	in := func(name string) string { return filepath.Join(folder, name) }
	resume := []string{"train", "-resume", out, "-data", folder}
	for _, c := range []struct {
		from, to string
		says     string
	}{
		{"train/disc", "train/disk", "class disc renamed to disk"},
		{"train/disc/000.png", "train/ring/z.png", "labels moved"},
		{"train/disc/000.png", "train/disc/z.png", "under other names or in another order"},
		{"train/disc/000.png", "elsewhere.png", "1 image fewer in train/disc"},
	} {
		clitest.Move(t, in(c.from), in(c.to))
		if strings.HasSuffix(c.to, "disk") {
			clitest.Move(t, in("val/disc"), in("val/disk"))
		}
		ref.Call(t, resume...).Refused(t, c.says, "ref train -start '"+cli.CheckpointIn(out)+"' -data "+folder)
		clitest.Move(t, in(c.to), in(c.from))
		if strings.HasSuffix(c.to, "disk") {
			clitest.Move(t, in("val/disk"), in("val/disc"))
		}
	}
	clitest.Put(t, in("val/disc/more.png"), []byte(clitest.Content(t, in("train/disc/000.png"))))
	ref.Works(t, resume, "note: the test images are not those that the run began with: 1 image more in test/disc", "val of ")
}

// Where there are no test images, one says what is to be evaluated.
func TestTrainWithoutTestImages(t *testing.T) {
	for part, name := range map[string]string{"train": "train of ", ".": ""} {
		folder := clitest.Pictures(t, 3, map[string]int{part: 4})
		args := func(more ...string) []string {
			return clitest.Short(folder, filepath.Join(t.TempDir(), "run"), append([]string{"-size", "32", "-epochs", "1"}, more...)...)
		}
		ref.Call(t, args()...).Refused(t, "no test images in "+folder, "-holdout N", "-test=false")
		ref.Works(t, args("-holdout", "3"), "on 9 images of "+name+folder, "held out: accuracy", "nothing was evaluated after the last step")
		ref.Works(t, args("-test=false"), "on 12 images of "+name+folder)
	}
	ref.Call(t, clitest.Short(clitest.Pictures(t, 3, map[string]int{"test": 1}), t.TempDir())...).Refused(t, "no training images in ")
	ref.Call(t, clitest.Short(t.TempDir(), t.TempDir())...).Refused(t, "holds nothing", "data are read from CIFAR-10 or CIFAR-100", "train/ and val/")
}

// A broken image is found at the start by -verify, and ends a run in its middle otherwise, which says how to go on.
func TestBrokenImages(t *testing.T) {
	folder := clitest.Pictures(t, 3, map[string]int{"train": 4, "val": 2})
	for _, name := range []string{"train/ring/001.png", "train/disc/002.png", "val/disc/005.png"} {
		path := filepath.Join(folder, name)
		content := clitest.Content(t, path)
		clitest.Put(t, path, []byte(content[:len(content)/2]))
	}
	out := filepath.Join(t.TempDir(), "run")
	args := clitest.Short(folder, out, "-size", "32", "-augment=false")
	ref.Call(t, append(args, "-verify")...).Refused(t, "3 of 18 images cannot be read", "ring/001.png", "disc/002.png", "disc/005.png", "-broken skip")
	if _, err := os.Stat(out); err == nil {
		t.Fatal("a run was begun")
	}
	goOn := "ref train -resume " + out + " -data " + folder + " -broken skip"
	ref.Call(t, args...).Refused(t, "step ", "image cannot be read: ", ".png: ", goOn)
	ref.Call(t, "train", "-resume", out, "-data", folder).Refused(t, goOn)
	r := ref.Call(t, strings.Fields(goOn)[1:]...)
	if r.Status != 0 {
		t.Fatalf("status %d, %s", r.Status, r.Err)
	}
	r.Says(t, "passed over: 2 images: image cannot be read: ", "left out: 1 images of val of "+folder, "on 5 images")
	// From the start, with the same images passed over, it is the same run.
	whole := filepath.Join(t.TempDir(), "whole")
	ref.Works(t, clitest.Short(folder, whole, "-size", "32", "-augment=false", "-broken", "skip"))
	if clitest.Content(t, cli.CheckpointIn(out)) != clitest.Content(t, cli.CheckpointIn(whole)) {
		t.Error("another run")
	}
	ref.Call(t, append(args, "-broken", "perhaps")...).Refused(t, "-broken", `"perhaps"`)
}
