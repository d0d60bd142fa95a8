package training

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"sdref/sdnet"
	"sdref/sdnet/optim"
	"sdref/tensor"
)

// Batches of 2, 2 and 1, twice. A run continued from a checkpoint at any step, within an epoch or between
// two, is the run that was never interrupted.
func TestResumeAtEveryStep(t *testing.T) {
	for _, augment := range []bool{true, false} {
		if testing.Short() && !augment {
			continue // fewer random numbers to go on with
		}
		t.Run(fmt.Sprintf("float32, augment %t", augment), func(t *testing.T) {
			resumeAtEveryStep[float32](t, threes("float32", augment), 6)
		})
		t.Run(fmt.Sprintf("float64, augment %t", augment), func(t *testing.T) {
			resumeAtEveryStep[float64](t, threes("float64", augment), 6)
		})
	}
	// With slow weights, which move after the second and the fourth step, and a last epoch of two steps.
	c := threes("float32", true)
	c.Network, c.Fast = "sdnet_air_narrow", FastAir().Fast
	c.LastEpoch, c.Lookahead, c.StemRate, c.Muon = 0.6, 2, 0.5, 0.1
	t.Run("fast", func(t *testing.T) { resumeAtEveryStep[float32](t, c, 5) })
	c.Network, c.Whitening, c.FixedStem = "sdnet8_narrow", true, true
	t.Run("fast, another network", func(t *testing.T) { resumeAtEveryStep[float32](t, c, 5) })
}

// threes is two epochs of three steps.
func threes(typ string, augment bool) Config {
	c := short()
	c.Type, c.Augment, c.Batch, c.Images = typ, augment, 2, 5
	return c
}

func resumeAtEveryStep[T tensor.Float](t *testing.T, c Config, total int) {
	data, folder := drawn(), t.TempDir()
	path := func(k int) string { return filepath.Join(folder, fmt.Sprintf("%d.safetensors", k)) }
	whole := start[T](t, c, data)
	if whole.TotalSteps() != total || whole.StepsPerEpoch() != 3 {
		t.Fatalf("%d steps, %d each epoch, want %d and 3", whole.TotalSteps(), whole.StepsPerEpoch(), total)
	}
	var steps []Step
	for k := 0; ; k++ {
		if err := whole.Save(path(k)); err != nil {
			t.Fatal(err)
		}
		if whole.Done() {
			break
		}
		steps = append(steps, step(t, whole))
	}
	end := filepath.Join(folder, "end.safetensors")
	for k := range whole.TotalSteps() + 1 {
		r, err := Resume[T](reread(t, path(k)), data.Dataset())
		if err != nil {
			t.Fatal(err)
		}
		for !r.Done() {
			if s := step(t, r); math.Float64bits(s.Loss) != math.Float64bits(steps[s.Iteration-1].Loss) {
				t.Errorf("resumed at %d: loss %v of step %d, want %v", k, s.Loss, s.Iteration,
					steps[s.Iteration-1].Loss)
			}
		}
		what := fmt.Sprintf("resumed at step %d", k)
		sameRun(t, what, r, whole)
		if err := r.Save(end); err != nil {
			t.Fatal(err)
		}
		sameFile(t, what, end, path(whole.TotalSteps()))
	}
}

// Each setting changes the run; otherwise the test above would pass for any two runs.
func TestSettingsMatter(t *testing.T) {
	data := drawn()
	losses := func(change func(*Config)) string {
		c := short()
		c.Batch, c.Images = 2, 6
		change(&c)
		r := start[float32](t, c, data)
		step(t, r)
		step(t, r)
		return fmt.Sprint(step(t, r).Loss)
	}
	seen := map[string]string{losses(func(*Config) {}): "as it is"}
	for name, change := range map[string]func(*Config){
		"augment":  func(c *Config) { c.Augment = false },
		"seed":     func(c *Config) { c.Seed = 2 },
		"rate":     func(c *Config) { c.Rate = 0.05 },
		"warmup":   func(c *Config) { c.Warmup = 0 },
		"momentum": func(c *Config) { c.Momentum = 0.5 },
		"decay":    func(c *Config) { c.Decay = 0.01 },
		"lambda":   func(c *Config) { c.Lambda = 0.2 },
		"mu":       func(c *Config) { c.Mu = 0.1 },
		"more":     func(c *Config) { c.Iterations = 3 },
		"paper":    func(c *Config) { c.Iterations, c.Variant = 3, "paper" },
		"batch":    func(c *Config) { c.Batch = 3 },
		"images":   func(c *Config) { c.Images = 4 },
		"network":  func(c *Config) { c.Network = "resnet8_narrow" },

		"triangle":         func(c *Config) { c.Schedule = "triangle" },
		"rate-from":        func(c *Config) { c.Schedule, c.RateFrom = "triangle", 0.3 },
		"bias-rate":        func(c *Config) { c.BiasRate = 64 },
		"stem-rate":        func(c *Config) { c.StemRate = 0.5 },
		"muon":             func(c *Config) { c.Muon = 0.2 },
		"muon-momentum":    func(c *Config) { c.Muon, c.MuonMomentum = 0.2, 0.3 },
		"lookahead":        func(c *Config) { c.Lookahead = 1 },
		"reflect":          func(c *Config) { c.Reflect = 2 },
		"alternating-flip": func(c *Config) { c.Reflect, c.AlternatingFlip = 2, true },
		"dirac":            func(c *Config) { c.Dirac = true },
		"components":       func(c *Config) { c.StemAtoms = "components" },
		"patches":          func(c *Config) { c.StemAtoms = "patches" },
		"activation":       func(c *Config) { c.Activation = sdnet.GELU },
		"norm-epsilon":     func(c *Config) { c.NormEpsilon = 0.1 },
		"fixed-scale":      func(c *Config) { c.FixedScale = true },
		"fixed-stem":       func(c *Config) { c.FixedStem = true },
		"whitening":        func(c *Config) { c.Whitening = true },
		"atoms":            func(c *Config) { c.Atoms = 9 },
	} {
		loss := losses(change)
		if other, ok := seen[loss]; ok {
			t.Errorf("%s: loss %s, as %s", name, loss, other)
		}
		seen[loss] = name
	}
}

// The history of epochs equals the sums of its steps.
func TestHistory(t *testing.T) {
	c := short()
	r := start[float64](t, c, drawn())
	loss, correct, images := 0.0, 0, 0
	for !r.Done() {
		s := step(t, r)
		if want := []int{4, 4, 2}[(s.Iteration-1)%3]; s.Images != want {
			t.Errorf("step %d: %d images, want %d", s.Iteration, s.Images, want)
		}
		if want := (optim.Cosine{Base: c.Rate, Warmup: c.Warmup}).Rate(s.Iteration-1, 3, 6); s.Rate != want {
			t.Errorf("step %d: rate %g, want %g", s.Iteration, s.Rate, want)
		}
		loss, correct, images = loss+s.Loss*float64(s.Images), correct+s.Correct, images+s.Images
		if (s.Epoch != nil) != (s.Iteration%3 == 0) {
			t.Errorf("step %d: completes %v", s.Iteration, s.Epoch)
		}
		if s.Epoch == nil {
			continue
		}
		e := *s.Epoch
		if e.Epoch != s.Iteration/3 || e.Images != 10 || images != 10 || e.Accuracy != float64(correct)/10 ||
			math.Abs(e.Loss-loss/10) > 1e-12 || e.Rate != s.Rate {
			t.Errorf("epoch %+v; by hand: %d images, loss %v, accuracy %v, rate %g", e, images, loss/10,
				float64(correct)/10, s.Rate)
		}
		loss, correct, images = 0, 0, 0
	}
	if len(r.History) != 2 || r.History[1].Epoch != 2 {
		t.Errorf("history %v", r.History)
	}
	panics(t, "all 6 steps", func() { r.Step() })
}

func TestStepsSchedule(t *testing.T) {
	c := short()
	c.Schedule, c.Milestones = "steps", []int{1}
	r := start[float32](t, c, drawn())
	for !r.Done() {
		s := step(t, r)
		want := 0.1
		if s.Iteration > 3 {
			want *= 0.1
		}
		if s.Rate != want {
			t.Errorf("step %d: rate %g, want %g", s.Iteration, s.Rate, want)
		}
	}
}

func TestTriangleSchedule(t *testing.T) {
	c := short()
	c.Schedule, c.Warmup, c.RateFrom, c.RateTo = "triangle", 1, 0.5, 0.25
	r := start[float32](t, c, drawn())
	for i, want := range []float64{0.05, 0.2 / 3, 0.25 / 3, 0.1, 0.075, 0.05} {
		if s := step(t, r); math.Abs(s.Rate-want) > 1e-15 {
			t.Errorf("step %d: rate %g, want %g", i+1, s.Rate, want)
		}
	}
}

// The running statistics alone depend on the momentum of BatchNorm.
func TestNormMomentum(t *testing.T) {
	c := short()
	as, other := start[float32](t, c, drawn()), start[float32](t, func() Config { c.NormMomentum = 0.4; return c }(), drawn())
	step(t, as)
	step(t, other)
	for i, s := range as.Net().State() {
		same := tensor.SameBits(s.Tensor, other.Net().State()[i].Tensor)
		if same == strings.Contains(s.Name, ".running_") {
			t.Errorf("%s: the same %t", s.Name, same)
		}
	}
}

// A run whose last epoch is a part cannot be prolonged: the next one would not know where it began.
func TestProlongWithinAnEpoch(t *testing.T) {
	c := short()
	c.LastEpoch = 0.5
	r := start[float32](t, c, drawn())
	_, err := Prolong[float32](saved(t, r), drawn().Dataset(), 5)
	says(t, err, "ends within an epoch")
}
