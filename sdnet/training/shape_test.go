package training_test

import (
	"image"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/sdnet/data"
	. "sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// greyData are grey images that are not square.
func greyData(t *testing.T) data.Dataset {
	t.Helper()
	var sets []*data.Pictures
	for i, n := range []int{32, 16} {
		s, err := data.NewPictures([]string{"stripes", "more stripes"}[i], [3]int{1, 12, 20}, stripes(n, i))
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, s)
	}
	d, err := data.Own("stripes", []string{"horizontal", "vertical"}, sets[0], sets[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func greySpec() sdnet.Spec {
	s := ownSpec
	s.Data = sdnet.Data{Name: "stripes", Classes: 2, Image: 12, Width: 20, Channels: 1, Stem: sdnet.CIFARStem}
	return s
}

// Grey images that are not square are learned, in every augmentation, and evaluated; the run resumes to the bit, and its file says
// what the images are.
func TestGreyOblongImages(t *testing.T) {
	d := greyData(t)
	for name, change := range map[string]func(*Config){
		"cropped":   func(c *Config) {},
		"reflected": func(c *Config) { c.Reflect, c.AlternatingFlip = 2, true },
		"patches":   func(c *Config) { c.Augment, c.StemAtoms = false, sdnet.PatchAtoms },
		"mixed":     func(c *Config) { c.Mixup, c.Smoothing = 0.2, 0.1 },
	} {
		c := ownConfig().For(greySpec())
		c.Epochs = 12
		change(&c)
		run, err := New[float32](c, d)
		if err != nil {
			t.Fatal(name, err)
		}
		path := filepath.Join(t.TempDir(), "run.safetensors")
		err = run.Train(t.Context(), func(s Step) {
			if s.Iteration == 13 {
				if err := run.Save(path); err != nil {
					t.Error(err)
				}
			}
		})
		if err != nil {
			t.Fatal(name, err)
		}
		f, err := safetensors.Read(path)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Resume[float32](f, d)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := again.Train(t.Context(), nil); err != nil || again.Net().Digest() != run.Net().Digest() {
			t.Errorf("%s: other weights, %v", name, err)
		}
		net, about, err := OpenNetwork[float32](path)
		if err != nil || about.Shape() != [3]int{1, 12, 20} || about.Mean[0] != about.Mean[2] || net.Data != greySpec().Data {
			t.Errorf("%s: %+v, %v", name, about, err)
		}
		if run.Pace() <= 0 {
			t.Error("no time")
		}
		for _, views := range [][]data.View{nil, data.Flips, data.Crops} {
			v := Evaluator[float32]{Net: run.Net().Evaluable(), Mean: d.Mean, Std: d.Std, Batch: 5, Views: views}
			if e := v.Evaluate(d.Test); e.Top1 < 14 || math.IsNaN(e.Loss) {
				t.Errorf("%s: %d of %d images recognised, loss %g", name, e.Top1, e.Images, e.Loss)
			}
		}
	}
}

// wrong are images of a shape that no picture has.
type wrong struct{ *data.Pictures }

func (wrong) Shape() [3]int { return [3]int{2, 12, 20} }

func TestShapesThatAreRefused(t *testing.T) {
	grey, square := greyData(t), ownData(t)
	two := grey
	two.Train, two.Test = wrong{grey.Train.(*data.Pictures)}, wrong{grey.Test.(*data.Pictures)}
	for want, f := range map[string]func() error{
		"made for images of 12 x 20 grey pixels, these have 20 x 20 pixels": func() error { _, err := New[float32](ownConfig().For(greySpec()), square); return err },
		"made for images of 20 x 20 pixels, these have 12 x 20 grey pixels": func() error { _, err := New[float32](ownConfig(), grey); return err },
		"images of 2 channels": func() error {
			s := greySpec()
			s.Data.Channels = 2
			_, err := New[float32](ownConfig().For(s), two)
			return err
		},
		"data set x: images of 2 channels, 12 x 20 pixels": func() error { _, err := data.Own("x", grey.Names, two.Train, two.Test); return err },
		"moved by 12": func() error {
			c := ownConfig().For(greySpec())
			c.Reflect = 12
			_, err := New[float32](c, grey)
			return err
		},
		"test images of 5 x 5 pixels": func() error {
			small, err := data.NewPictures("small", [3]int{3, 5, 5}, stripes(2, 0))
			if err != nil {
				return err
			}
			_, err = data.Own("x", grey.Names, grey.Train, small)
			return err
		},
		"none: images of 4 channels": func() error {
			_, err := data.NewPictures("none", [3]int{4, 5, 5}, func(func(image.Image, int) bool) {})
			return err
		},
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}
