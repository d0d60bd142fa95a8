package eval

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet"
	"sdref/sdnet/classify"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
)

// ownNetwork saves a network of one's own, for grey images of 12 x 20, and writes PNG files of its images: in colours, and larger.
func ownNetwork(t *testing.T) (checkpoint, folder string) {
	t.Helper()
	spec := sdnet.Spec{Name: "mine", Blocks: []int{1, 1}, Widths: []int{4, 6}, CSCStem: true, CSC: sdnet.PublishedCSC,
		Data: sdnet.Data{Name: "things", Classes: 2, Image: 12, Width: 20, Channels: 1, Stem: sdnet.CIFARStem}}
	net, err := sdnet.New[float32](spec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(4)
	dir := t.TempDir()
	checkpoint, folder = filepath.Join(dir, "net.safetensors"), filepath.Join(dir, "things")
	about := data.Description{Classes: []string{"hat", "boot"}, Mean: [3]float64{0.4, 0.4, 0.4}, Std: [3]float64{0.2, 0.2, 0.2}}.Of(spec.Data.Shape())
	if err := training.SaveNetwork(checkpoint, net, &about); err != nil {
		t.Fatal(err)
	}
	set := data.Shapes(0, 4, 3).Test
	for _, class := range about.Classes {
		if err := os.MkdirAll(filepath.Join(folder, "test", class), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for i := range set.Len() {
		clitest.Put(t, filepath.Join(folder, "test", about.Classes[i%2], fmt.Sprintf("%d.png", i)), clitest.PNG(t, clitest.Picture(set, i)))
	}
	return checkpoint, folder
}

// A network of one's own for images that are neither coloured nor square is evaluated, predicts and is described by its file alone, with
// the very numbers that a program gets.
func TestOwnNetwork(t *testing.T) {
	checkpoint, folder := ownNetwork(t)
	ref.Works(t, []string{"eval", "-checkpoint", checkpoint, "-data", folder, "-augment", "both", "-by-class"}, "test of "+folder, "on 4 images", "hat", "boot")
	ref.Call(t, "eval", "-checkpoint", checkpoint).Refused(t, "12 x 20 grey pixels", "32 x 32 pixels", "-data is missing")
	ref.Call(t, "eval", "-checkpoint", checkpoint, "-data", clitest.CIFAR10(t)).Refused(t, "things of 2 classes")
	r := ref.Works(t, []string{"predict", "-checkpoint", checkpoint, "-images", folder, "-format", "json"})
	var list []struct {
		File    string
		Classes []sdnet.Guess
	}
	if err := json.Unmarshal([]byte(r.Out), &list); err != nil || len(list) != 4 {
		t.Fatalf("%v: %s", err, r.Out)
	}
	c, err := classify.Open(checkpoint)
	if err != nil {
		t.Fatal(err)
	}
	set := data.Shapes(0, 4, 3).Test
	for _, p := range list {
		var i int
		fmt.Sscan(strings.TrimSuffix(filepath.Base(p.File), ".png"), &i)
		var m image.Image = clitest.Picture(set, i)
		for k, want := range c.Top(m, 2) {
			if got := p.Classes[k]; got.Class != want.Class || math.Abs(got.Probability-want.Probability) > 1e-12 {
				t.Errorf("%s: %v, want %v", p.File, got, want)
			}
		}
	}
}

func TestDescribeCheckpoint(t *testing.T) {
	checkpoint, _ := ownNetwork(t)
	describe := func(more ...string) []string { return append([]string{"describe", "-checkpoint", checkpoint}, more...) }
	// One channel: 4 x 1 x 3 x 3 weights of the stem; two iterations are three contractions of 4 x 9 x 240 products.
	r := ref.Works(t, describe(), "mine for things: images 1 x 12 x 20, 2 classes", "CSC 3x3  4 x 12 x 20")
	for line := range strings.Lines(r.Out) {
		if strings.Contains(line, "layer0.0.dn") && !strings.HasSuffix(strings.TrimSpace(line), " 36         25,920") {
			t.Errorf("%q", line)
		}
	}
	ref.Works(t, describe("-iterations", "3"), "43,200")
	ref.Works(t, describe("-plan", "prediction", "-batch", "2"), "prediction of mine for 2 images 1 x 12 x 20 of things, 2 classes")
	ref.Works(t, []string{"describe", "-checkpoint", "pretrained:sdnet8_slim"}, "sdnet8_slim for cifar10: images 3 x 32 x 32, 10 classes")
	for flag, value := range map[string]string{"net": "sdnet18", "data": "cifar10", "size": "8", "classes": "7"} {
		ref.Call(t, describe("-"+flag, value)...).Refused(t, "-"+flag, "the checkpoint says it")
	}
	ref.Call(t, "describe", "-checkpoint", "nowhere").Refused(t, "nowhere")
}
