package training

import (
	"slices"
	"strings"
	"testing"

	"sdref/sdnet/data"
	"sdref/tensor"
)

// A run that starts from a checkpoint has its weights, running statistics and step sizes, and nothing else
// from it.
func TestNewFrom(t *testing.T) {
	before := start[float32](t, short(), drawn())
	for !before.Done() {
		step(t, before)
	}
	f := saved(t, before)
	c := short()
	c.Rate, c.Seed = 0.01, 5
	r, err := NewFrom[float32](c, drawn().Dataset(), f)
	if err != nil {
		t.Fatal(err)
	}
	if r.Start != before.Net().Digest() || r.Net().Digest() != r.Start || r.Iteration != 0 ||
		len(r.History) != 0 {
		t.Errorf("step %d, start %s, want %s", r.Iteration, r.Start, before.Net().Digest())
	}
	for _, v := range r.velocities() {
		if tensor.SumAbs(v.Tensor) != 0 {
			t.Errorf("%s is not zero", v.Name)
		}
	}
	// It resumes from a checkpoint of its own as other runs do.
	step(t, r)
	again, err := Resume[float32](saved(t, r), drawn().Dataset())
	if err != nil {
		t.Fatal(err)
	}
	step(t, r)
	step(t, again)
	sameRun(t, "resumed", again, r)
	if again.Start != r.Start {
		t.Errorf("start %q after resuming, want %q", again.Start, r.Start)
	}
}

// The linear layer of another number of classes is initialised; all else is copied.
func TestNewFromOtherClasses(t *testing.T) {
	before := start[float32](t, short(), drawn())
	step(t, before)
	f := saved(t, before)
	c := short()
	c.Classes, c.Seed = 4, 9
	d := fourClasses()
	r, err := NewFrom[float32](c, d, f)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := New[float32](c, d)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range r.Net().State() {
		want := before.Net().State()[i]
		if strings.HasPrefix(s.Name, "linear.") {
			want = fresh.Net().State()[i]
		}
		if !slices.Equal(s.Shape, want.Shape) || tensor.FirstDifference(s.Tensor, want.Tensor) >= 0 {
			t.Errorf("%s differs", s.Name)
		}
	}
}

// fourClasses is drawn images of which the first four classes take the others' place.
func fourClasses() data.Dataset {
	d := data.Shapes(12, 7, 1)
	for _, s := range []*data.Set{d.Train, d.Test} {
		s.Classes = s.Classes[:4]
		for i := range s.Labels {
			s.Labels[i] %= 4
		}
	}
	return d.Dataset()
}

func TestNewFromRefuses(t *testing.T) {
	f := saved(t, start[float32](t, short(), drawn()))
	for _, test := range []struct {
		change func(*Config)
		says   []string
	}{
		{func(c *Config) {
			c.Network = "resnet8_narrow"
		}, []string{f.Path, "weights of sdnet8_narrow, not of resnet8_narrow"}},
		{func(c *Config) { c.LearnLambda = true }, []string{f.Path, "the network has no layer0.0.dn.lambda"}},
		{func(c *Config) { c.Epochs = 0 }, []string{"epochs: 0"}},
	} {
		c := short()
		test.change(&c)
		_, err := NewFrom[float32](c, drawn().Dataset(), f)
		says(t, err, test.says...)
	}
	f.Metadata[formatKey] = "something else"
	_, err := NewFrom[float32](short(), drawn().Dataset(), f)
	says(t, err, f.Path, "not a checkpoint")
}
