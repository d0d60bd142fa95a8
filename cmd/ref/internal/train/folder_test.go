package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/data"
)

// classFolder writes drawn images as JPEG files into folders of classes, two of each for training and one to
// test.
func classFolder(t testing.TB, classes int) string {
	t.Helper()
	dir := t.TempDir()
	set := data.Shapes(30, 0, 1).Train
	for i := range 30 {
		label := set.Label(i)
		if label >= classes {
			continue
		}
		m, pixels := image.NewNRGBA(image.Rect(0, 0, 40, 36)), set.Image(i)
		for p := range 40 * 36 {
			at := p/40*32/36*32 + p%40*32/40
			m.Set(p%40, p/40, color.NRGBA{pixels[at], pixels[1024+at], pixels[2048+at], 255})
		}
		folder := filepath.Join(dir, []string{"train", "train", "val"}[i/10], set.Classes[label])
		var b bytes.Buffer
		if err := errors.Join(jpeg.Encode(&b, m, nil), os.MkdirAll(folder, 0o777)); err != nil {
			t.Fatal(err)
		}
		clitest.Put(t, filepath.Join(folder, fmt.Sprintf("%d.JPEG", i)), b.Bytes())
	}
	return dir
}

// A run on a folder of classes follows the recipe for ImageNet, and is resumed and evaluated as any other.
func TestTrainOnAFolder(t *testing.T) {
	data, whole, out := classFolder(t, 4), t.TempDir(), t.TempDir()
	clitest.Put(t, filepath.Join(data, "train", "disc", "notes.txt"), []byte("mine"))
	args := func(out string, more ...string) []string {
		return clitest.Short(data, out, append([]string{"-size", "32", "-epochs", "2"}, more...)...)
	}
	w := ref.Works(t, args(whole), "sdnet8_narrow on 8 images of train of "+data,
		"2 epochs of 2 steps, batch 4, steps rate 0.1", "note: 1 files", "val of "+data+": top-1 ")
	for _, setting := range []string{`\"data\":\"imagenet\"`, `\"classes\":4`, `\"extent\":32`,
		`\"plain_momentum\":true`, `\"decay\":0.0001`, `\"milestones\":[30,60,90]`} {
		if !bytes.Contains([]byte(clitest.Content(t, cli.CheckpointIn(whole))), []byte(setting)) {
			t.Errorf("%s is not in the checkpoint", setting)
		}
	}
	ref.Works(t, args(out, "-stop", "3"))
	ref.Works(t, []string{"train", "-resume", out, "-data", data}, w.Line(t, "val of "))
	clitest.SameRun(t, out, whole)
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(whole), "-data", data},
		w.Line(t, "val of "))

	ref.Call(t, "eval", "-checkpoint", cli.CheckpointIn(whole), "-data", clitest.CIFAR10(t)).Refused(t,
		"imagenet of 4 classes", "cifar10 of 10")
	fewer := classFolder(t, 3)
	ref.Works(t, []string{"eval", "-checkpoint", cli.CheckpointIn(whole), "-data", fewer}, "on 3 images",
		"labels are mapped by the names of the classes; there are no images of frame")
	ref.Call(t, "train", "-resume", out, "-data", fewer).Refused(t, "no class frame", "-start "+
		cli.CheckpointIn(out))
	ref.Works(t, args(t.TempDir(), "-recipe", "short", "-stop", "1"), "cosine rate 0.08")
}

// Files that are not images are reported before the run has a folder; files that begin as images are reported
// when they are read.
func TestBadImagesInAFolder(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, path string)
		says   []string
		late   bool
	}{
		"empty": {func(t *testing.T, path string) {
			clitest.Put(t, path, nil)
		}, []string{"1 of 12 images", "an empty file, no image of JPEG", "-broken skip"}, false},
		"text": {func(t *testing.T, path string) {
			clitest.Put(t, path, []byte("some text that is no image"))
		}, []string{"a text, no image of JPEG"}, false},
		"half": {func(t *testing.T, path string) {
			clitest.Put(t, path, []byte(clitest.Content(t, path)[:700]))
		}, []string{"step ", "the last checkpoint is", "ref train -resume ", "-broken skip"}, true},
		"folder": {func(t *testing.T, path string) {
			clitest.Remove(t, path)
			clitest.Mkdir(t, path)
		}, []string{"not a regular file"}, false},
		"missing": {func(t *testing.T, path string) {
			clitest.Remove(t, path)
			clitest.Remove(t, filepath.Dir(path)+"/11.JPEG")
		}, []string{"holds no image"}, false},
	} {
		data, out := classFolder(t, 4), filepath.Join(t.TempDir(), "run")
		path := filepath.Join(data, "train", "ring", "1.JPEG")
		c.change(t, path)
		r := ref.Call(t, clitest.Short(data, out, "-size", "32")...)
		if r.Refused(t, append(c.says, filepath.Dir(path))...); name != "missing" {
			r.Refused(t, path)
		}
		if _, err := os.Stat(out); c.late != (err == nil) {
			t.Errorf("%s: a run's folder: %v", name, err)
		}
	}
	data := classFolder(t, 4)
	if err := os.RemoveAll(filepath.Join(data, "val")); err != nil {
		t.Fatal(err)
	}
	ref.Call(t, clitest.Short(data, t.TempDir())...).Refused(t, "no test images in "+data, "-holdout N", "-test=false")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := ref.CallWith(t, ctx, nil, clitest.Short(classFolder(t, 4), filepath.Join(t.TempDir(), "run"),
		"-size", "32")...); r.Status != cli.ExitInterrupted {
		t.Errorf("interrupted while the files are looked at: status %d, %s", r.Status, r.Err)
	}
}
