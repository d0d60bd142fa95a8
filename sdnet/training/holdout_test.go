package training

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/sdnet/data"
)

// The images held out and those trained on are disjoint, are all images together, and are the same for every
// seed.
func TestSplit(t *testing.T) {
	trained, held := split(100, 70, 30)
	if all := slices.Sorted(slices.Values(slices.Concat(trained, held))); len(held) != 30 ||
		len(slices.Compact(all)) != 100 || all[0] != 0 || all[99] != 99 {
		t.Errorf("%d and %d", trained, held)
	}
	if held[29]-held[0] < 60 || !slices.IsSorted(held) || !slices.IsSorted(trained) {
		t.Errorf("held out are %d", held)
	}
	if first, _ := split(100, 20, 30); !slices.Equal(first, trained[:20]) {
		t.Errorf("the first 20 are %d of %d", first, trained)
	}
	if all, none := split(5, 5, 0); !slices.Equal(all, []int{0, 1, 2, 3, 4}) || none != nil {
		t.Errorf("without: %d, %d", all, none)
	}
	c := short()
	c.Images, c.Holdout = 8, 4
	c.Seed = 9
	set, err := c.HoldoutImages(drawn().Dataset())
	if err != nil {
		t.Fatal(err)
	}
	_, held = split(12, 8, 4)
	image := make([]byte, data.ImageBytes)
	for j, i := range held {
		if err := set.Plain(image, j); err != nil || !slices.Equal(image, drawn().Train.Image(i)) ||
			set.Label(j) != drawn().Train.Label(i) {
			t.Errorf("image %d held out is not image %d, %v", j, i, err)
		}
	}
	c.Holdout = 0
	_, err = c.HoldoutImages(drawn().Dataset())
	says(t, err, "holdout: 0 of 12")
}

// No step uses an image that is held out.
func TestHeldOutIsNotTrainedOn(t *testing.T) {
	c := short()
	c.Images, c.Holdout, c.Augment = 8, 4, false
	r := start[float32](t, c, drawn())
	var indices []int
	for k := range r.TotalSteps() {
		pixels, _ := shown(t, r, k)
		indices = append(indices, find(t, drawn().Train, pixels)...)
	}
	slices.Sort(indices)
	if trained, _ := split(12, 8, 4); !slices.Equal(slices.Compact(indices), trained) {
		t.Errorf("trained on %d, want %d", indices, trained)
	}
}

// Evaluations are due at the ends of the epochs asked for and of the last one. They do not change the
// training, and the checkpoint of a run without images held out does not mention them.
func TestHoldoutDue(t *testing.T) {
	for every, want := range map[int][]int{0: {1, 2, 3, 4, 5}, 1: {1, 2, 3, 4, 5}, 2: {2, 4, 5}, 7: {5}} {
		c := short()
		c.Network, c.Epochs, c.Images, c.Holdout, c.HoldoutEvery = "resnet8_narrow", 5, 4, 2, every
		r := start[float32](t, c, drawn())
		var epochs []int
		for !r.Done() {
			step(t, r)
			if r.HoldoutDue() {
				epochs = append(epochs, len(r.History))
				r.SetHoldout(Evaluation{Images: 2, Top1: 1, Loss: 0.5})
				if r.HoldoutDue() || r.History[len(r.History)-1].Holdout != (HoldoutResult{2, 0.5, 0.5}) {
					t.Errorf("history %+v", r.History)
				}
			}
		}
		if !slices.Equal(epochs, want) {
			t.Errorf("every %d: after epochs %d, want %d", every, epochs, want)
		}
		panics(t, "due: false", func() { r.SetHoldout(Evaluation{Images: 2}) })
	}
	r := start[float32](t, short(), drawn())
	for !r.Done() {
		if step(t, r); r.HoldoutDue() {
			t.Error("nothing is held out, and yet due")
		}
	}
	for key, text := range saved(t, r).Metadata {
		if key == imagesKey { // which names the classes
			continue
		}
		for _, word := range []string{"hold", "held", "extent", "classes", "plain"} {
			if strings.Contains(text, word) {
				t.Errorf("metadata %s: %s", key, text)
			}
		}
	}
}

// The codes counted in an epoch's last step are those of the weights and images of this step, and counting
// changes nothing.
func TestStepCodes(t *testing.T) {
	c := short()
	c.Network, c.Type, c.Augment = "sdnet8_all_narrow", "float64", false
	r := start[float64](t, c, drawn())
	for range 2 {
		if s := step(t, r); s.Codes != nil {
			t.Errorf("step %d: %+v", s.Iteration, s.Codes)
		}
	}
	before := r.Net().Clone()
	s := step(t, r)
	if len(s.Codes) != 7 || s.Codes[0].Total != 2*16*32*32 {
		t.Fatalf("%+v", s.Codes)
	}
	// The stem's code does not depend on BatchNorm's mode, so an evaluation of the same two images has it
	// too.
	pixels, _ := shown(t, r, 2)
	set := &data.Set{Images: pixels, Labels: make([]uint8, 2)}
	e := Evaluate(before.Evaluable(), set, drawn().Mean, drawn().Std, 2, nil)
	if e.Codes[0] != s.Codes[0] || s.Codes[0].Zeros == 0 || s.Codes[6].Zeros == 0 {
		t.Errorf("%+v, want %+v", s.Codes[0], e.Codes[0])
	}
}

// A step with plain momentum by hand: v = m v + g + d w, w = w - rate v.
func TestPlainMomentum(t *testing.T) {
	c := short()
	c.Network, c.Type, c.PlainMomentum, c.Warmup = "resnet8_narrow", "float64", true, 0
	r := start[float64](t, c, drawn())
	nesterov := c
	nesterov.PlainMomentum = false
	other := start[float64](t, nesterov, drawn())
	step(t, other)
	w := r.Net().Clone()
	for range 2 {
		was := make([][]float64, 0)
		for _, v := range r.velocities() {
			was = append(was, slices.Clone(v.Data))
		}
		s := step(t, r)
		for i, p := range r.Net().Parameters() {
			v := r.Trainer.Optimizer.Velocity[i]
			for j, x := range p.Data {
				old := w.Parameters()[i].Data[j]
				if math.Abs(x-(old-s.Rate*v.Data[j])) > 1e-15 {
					t.Fatalf("step %d, %s, element %d: %v, was %v, velocity %v", s.Iteration, p.Name, j, x,
						old, v.Data[j])
				}
				if s.Iteration == 1 && v.Data[j] != other.Trainer.Optimizer.Velocity[i].Data[j] {
					t.Fatalf("%s: another velocity than Nesterov's", p.Name)
				}
			}
			if s.Iteration == 2 && slices.Equal(was[i], v.Data) {
				t.Errorf("%s: the velocity stays", p.Name)
			}
		}
		w = r.Net().Clone()
	}
}

// The subset of a set is evaluated as the set of these images.
func TestEvaluateSubset(t *testing.T) {
	d := drawn().Dataset()
	r := start[float32](t, short(), drawn())
	step(t, r)
	net := r.Net().Evaluable()
	part := Evaluate(net, subset{d.Test, []int{2, 3, 4}}, d.Mean, d.Std, 2, nil)
	want := Evaluate(net, drawn().Test.Slice(2, 5), d.Mean, d.Std, 2, nil)
	if part.Loss != want.Loss || part.Top5 != want.Top5 || part.Codes[0] != want.Codes[0] ||
		part.Images != 3 {
		t.Errorf("%+v, want %+v", part, want)
	}
	if _, ok := d.Train.(data.Cropped); !ok || d.Classes != 10 || d.Name != "shapes" {
		t.Errorf("%+v", d)
	}
}
