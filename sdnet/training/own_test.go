package training_test

import (
	"context"
	"errors"
	"image"
	"image/color"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/data"
	. "sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// stripes are grey pictures of horizontal and vertical stripes, labels 0 and 1, of 30x20 pixels.
func stripes(n, phase int) iter.Seq2[image.Image, int] {
	return func(yield func(image.Image, int) bool) {
		for i := range n {
			m := image.NewGray(image.Rect(0, 0, 30, 20))
			for k := range 600 {
				at := []int{k / 30, k % 30}[i%2]
				m.SetGray(k%30, k/30, color.Gray{uint8(255 * ((at + i + phase) / 2 % 2))})
			}
			if !yield(m, i%2) {
				return
			}
		}
	}
}

func ownData(t *testing.T) data.Dataset {
	t.Helper()
	train, err := data.NewPictures("stripes", [3]int{3, 20, 20}, stripes(32, 0))
	if err != nil {
		t.Fatal(err)
	}
	test, err := data.NewPictures("more stripes", [3]int{3, 20, 20}, stripes(16, 1))
	if err != nil {
		t.Fatal(err)
	}
	d, err := data.Own("stripes", []string{"horizontal", "vertical"}, train, test)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ownSpec is in no list: two stages of odd widths, a stem of 5x5 at stride 2.
var ownSpec = sdnet.Spec{Name: "mine", Blocks: []int{1, 2}, Widths: []int{5, 7}, CSCStem: true,
	Data: sdnet.Data{Name: "stripes", Classes: 2, Image: 20, Stem: sdnet.Stem{Kernel: 5, Geometry: conv.Geometry{Stride: 2, Padding: 2}}},
	CSC:  csc.Settings{Lambda: 0.05, Nonnegative: true, Iterations: 3, UnitNormAtoms: true, Variant: csc.Paper}}

func ownConfig() Config {
	c := Short().For(ownSpec)
	c.Type, c.Epochs, c.Batch, c.Images, c.Warmup, c.Augment, c.Algorithm = "float32", 6, 8, 32, 0, true, conv.Direct
	return c
}

// A network of one's own learns images of one's own, stopped by its context and resumed, to the bit.
func TestOwnNetworkAndImages(t *testing.T) {
	d := ownData(t)
	whole, err := New[float32](ownConfig(), d)
	if err != nil {
		t.Fatal(err)
	}
	if err := whole.Train(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	run, err := New[float32](ownConfig(), d)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err = run.Train(ctx, func(s Step) {
		if s.Iteration == 10 {
			cancel()
		}
	})
	if !errors.Is(err, ErrStopped) || !errors.Is(err, context.Canceled) || run.Iteration != 10 {
		t.Fatalf("%v after %d steps", err, run.Iteration)
	}
	path := filepath.Join(t.TempDir(), "run.safetensors")
	if err := run.Save(path); err != nil {
		t.Fatal(err)
	}
	f, err := safetensors.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if run, err = Resume[float32](f, d); err != nil {
		t.Fatal(err)
	}
	if err := run.Train(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if run.Net().Digest() != whole.Net().Digest() {
		t.Error("the resumed run has other weights")
	}
	if e := Evaluate(run.Net().Evaluable(), d.Test, d.Mean, d.Std, 8, nil); e.Top1 < 14 {
		t.Errorf("%d of %d images recognised", e.Top1, e.Images)
	}
}

// A network that was saved alone is the same when it is opened, with its specification and the description of its images.
func TestSaveNetwork(t *testing.T) {
	net, err := sdnet.New[float64](ownSpec)
	if err != nil {
		t.Fatal(err)
	}
	net.Initialize(3)
	d := ownData(t)
	images, err := d.Describe()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "net.safetensors")
	if err := SaveNetwork(path, net, &images); err != nil {
		t.Fatal(err)
	}
	again, about, err := OpenNetwork[float64](path)
	if err != nil {
		t.Fatal(err)
	}
	if again.Digest() != net.Digest() || again.Spec.String() != net.Spec.String() || about.Classes[1] != "vertical" || about.Mean != d.Mean {
		t.Errorf("%v %+v, want %v", again.Spec, about, net.Spec)
	}
	net.Parameters()[0].Fill(0)
	if err := SaveNetwork(path, net, &images); err == nil {
		t.Error("atoms of zeros were saved")
	}
}

func TestOwnSpecsThatAreRefused(t *testing.T) {
	for want, change := range map[string]func(c *Config){
		"is not what the rest":  func(c *Config) { c.Lambda = 7 },
		"mine for other":        func(c *Config) { c.Own.Data.Name = "other" },
		"2 stages of blocks":    func(c *Config) { c.Own.Widths = nil },
		"more than 4096":        func(c *Config) { c.Own.Data.Image = 5000 },
		"the run is made for 3": func(c *Config) { c.Own.Data.Classes = 3 },
	} {
		c := ownConfig()
		change(&c)
		if _, err := New[float32](c, ownData(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func TestOwnDataThatIsRefused(t *testing.T) {
	good := ownData(t)
	three, _ := data.NewPictures("three", [3]int{3, 20, 20}, stripes(3, 0))
	small, _ := data.NewPictures("small", [3]int{3, 10, 10}, stripes(3, 0))
	none, _ := data.NewPictures("none", [3]int{3, 20, 20}, stripes(0, 0))
	for want, f := range map[string]func() error{
		"has label 1 of 1":              func() error { _, err := data.Own("x", []string{"a"}, three, none); return err },
		"needs a name":                  func() error { _, err := data.Own("", []string{"a"}, three, none); return err },
		"test images of 10 x 10 pixels": func() error { _, err := data.Own("x", good.Names, three, small); return err },
		"holds no images":               func() error { _, err := data.Own("x", good.Names, none, three); return err },
		"3 channels, 0 x 0":             func() error { _, err := data.NewPictures("x", [3]int{3, 0, 0}, stripes(1, 0)); return err },
		"image 0: label -1": func() error {
			_, err := data.NewPictures("x", [3]int{3, 4, 4}, one(image.NewGray(image.Rect(0, 0, 1, 1)), -1))
			return err
		},
		"label 0, bounds": func() error {
			_, err := data.NewPictures("x", [3]int{3, 4, 4}, one(image.NewGray(image.Rectangle{}), 0))
			return err
		},
		"the same everywhere": func() error {
			grey, _ := data.NewPictures("grey", [3]int{3, 4, 4}, one(image.NewGray(image.Rect(0, 0, 1, 1)), 0))
			_, err := data.Own("x", []string{"a"}, grey, none)
			if err == nil {
				return nil
			}
			small, _ := data.NewPictures("none", [3]int{3, 4, 4}, stripes(0, 0))
			_, err = data.Own("x", []string{"a"}, grey, small)
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

func one(m image.Image, label int) iter.Seq2[image.Image, int] {
	return func(yield func(image.Image, int) bool) { yield(m, label) }
}
