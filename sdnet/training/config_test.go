package training

import (
	"math"
	"slices"
	"testing"

	"sdref/conv"
)

func TestConfigCheck(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		says   string
		change []func(*Config)
	}{
		{"epochs", []func(*Config){func(c *Config) { c.Epochs = 0 }, func(c *Config) { c.Epochs = -1 },
			func(c *Config) { c.Epochs = math.MaxInt }}},
		{"batch", []func(*Config){func(c *Config) { c.Batch = 0 }, func(c *Config) { c.Batch = -5 },
			func(c *Config) { c.Batch = math.MaxInt }}},
		{"images", []func(*Config){func(c *Config) { c.Images = 0 }, func(c *Config) { c.Images = -1 }}},
		{"rate", []func(*Config){func(c *Config) { c.Rate = -0.1 }, func(c *Config) { c.Rate = nan },
			func(c *Config) { c.Rate = inf }}},
		{"momentum", []func(*Config){func(c *Config) { c.Momentum = 1 },
			func(c *Config) { c.Momentum = -0.1 }, func(c *Config) { c.Momentum = nan }}},
		{"decay", []func(*Config){func(c *Config) { c.Decay = -1 }, func(c *Config) { c.Decay = nan },
			func(c *Config) { c.Decay = inf }}},
		{"warmup", []func(*Config){func(c *Config) { c.Warmup = -1 }, func(c *Config) { c.Warmup = 2.5 },
			func(c *Config) { c.Warmup = nan }}},
		{"lambda", []func(*Config){func(c *Config) { c.Lambda = -1 }, func(c *Config) { c.Lambda = nan },
			func(c *Config) { c.Lambda = inf }}},
		{"mu", []func(*Config){func(c *Config) { c.Mu = -1 }, func(c *Config) { c.Mu = nan },
			func(c *Config) { c.Mu = inf }}},
		{"iterations", []func(*Config){func(c *Config) { c.Iterations = 0 },
			func(c *Config) { c.Iterations = -2 }, func(c *Config) { c.Iterations = math.MaxInt }}},
		{"type", []func(*Config){func(c *Config) { c.Type = "" }, func(c *Config) { c.Type = "float16" }}},
		{"schedule", []func(*Config){func(c *Config) { c.Schedule = "linear" }}},
		{"network", []func(*Config){func(c *Config) { c.Network = "sdnet19" },
			func(c *Config) { c.Network = "" }}},
		{"data", []func(*Config){func(c *Config) { c.Data = "mnist" }}},
		{"holdout", []func(*Config){func(c *Config) { c.Holdout = -1 },
			func(c *Config) { c.HoldoutEvery = 1 }, func(c *Config) { c.Holdout, c.HoldoutEvery = 1, -1 }}},
		{"classes", []func(*Config){func(c *Config) { c.Classes = -1 }}},
		{"size", []func(*Config){func(c *Config) { c.Extent = -1 }, func(c *Config) { c.Extent = 1 << 20 }}},
		{"milestones", []func(*Config){func(c *Config) { c.Milestones = []int{5, 3} },
			func(c *Config) { c.Milestones = []int{-1, 3} }}},
		{"last_epoch", []func(*Config){func(c *Config) { c.LastEpoch = 1 }, func(c *Config) { c.LastEpoch = nan }}},
		{"rate-from, rate-to", []func(*Config){func(c *Config) { c.RateFrom = 1.5 }, func(c *Config) { c.RateTo = -1 }}},
		{"bias-rate", []func(*Config){func(c *Config) { c.BiasRate = -1 }, func(c *Config) { c.BiasRate = inf }}},
		{"stem-rate", []func(*Config){func(c *Config) { c.StemRate = nan }}},
		{"muon", []func(*Config){func(c *Config) { c.Rate, c.Muon = 0, 1 }, func(c *Config) { c.Muon = -1 }, func(c *Config) { c.Muon = inf }}},
		{"muon-momentum", []func(*Config){func(c *Config) { c.MuonMomentum = -1 }, func(c *Config) { c.MuonMomentum = 1 }}},
		{"lookahead", []func(*Config){func(c *Config) { c.Lookahead = -1 }}},
		{"reflect", []func(*Config){func(c *Config) { c.Reflect = -1 }, func(c *Config) { c.Reflect = 32 }}},
		{"alternating-flip", []func(*Config){func(c *Config) { c.AlternatingFlip = true }}},
		{"stem-atoms", []func(*Config){func(c *Config) { c.StemAtoms = "wavelets" }}},
		{"whitening", []func(*Config){func(c *Config) { c.Network, c.Whitening = "resnet8_narrow", true; c.Atoms = 55 }}},
		{"momentum", []func(*Config){func(c *Config) { c.NormMomentum = 1.5 }, func(c *Config) { c.NormEpsilon = -1 }}},
		{"stem of", []func(*Config){func(c *Config) { c.Atoms = -1 }}},
		{"variant", []func(*Config){func(c *Config) { c.Variant = "neither" }}},
	} {
		for _, change := range c.change {
			config := short()
			change(&config)
			says(t, config.Check(), c.says)
			_, err := New[float32](config, drawn().Dataset())
			says(t, err, c.says)
		}
	}
	c := short()
	if c.Rate, c.Momentum, c.Decay, c.Warmup, c.Lambda = 0, 0, 0, 0, 0; c.Check() != nil {
		t.Errorf("zeros: %v", c.Check())
	}
}

func TestRecipes(t *testing.T) {
	if err := Demo().Check(); err != nil {
		t.Error(err)
	}
	p := Published() // the paper's appendix and the authors' script for CIFAR
	p.Images = 50_000
	if err := p.Check(); err != nil {
		t.Error(err)
	}
	if p.Epochs != 220 || p.Batch != 128 || p.Rate != 0.1 || p.Momentum != 0.9 || p.Decay != 5e-4 ||
		p.Lambda != 0.1 || p.Iterations != 2 || !p.Augment {
		t.Errorf("published recipe: %+v", p)
	}
	s, err := p.Spec()
	if err != nil || s.Name != "sdnet18" || s.Data.Name != "cifar10" || !s.CSC.Nonnegative ||
		!s.CSC.UnitNormAtoms {
		t.Errorf("published network: %+v, %v", s, err)
	}
	i := ImageNet() // the authors' ImageNet.yaml
	i.Images = 1_281_167
	if err := i.Check(); err != nil {
		t.Error(err)
	}
	if i.Epochs != 100 || i.Batch != 512 || i.Rate != 0.1 || !slices.Equal(i.Milestones, []int{30, 60, 90}) ||
		i.Schedule != "steps" || i.Decay != 1e-4 ||
		i.Momentum != 0.9 || !i.PlainMomentum || !i.Augment {
		t.Errorf("recipe for ImageNet: %+v", i)
	}
	if s, err := i.Spec(); err != nil || s.Data.Classes != 1000 || s.Data.Image != 224 || !s.Data.Stem.Pool {
		t.Errorf("published network: %+v, %v", s, err)
	}
	if q := Short(); q.Epochs != 10 || q.Batch != 64 || q.Rate != 0.08 || q.Warmup != 1 ||
		q.Algorithm != conv.Winograd || q.Decay != 5e-4 {
		t.Errorf("short recipe: %+v", q)
	}
	// K. Jordan's airbench94, for half as many epochs more: batches of 1024, the highest rate after 0.23 of the run, a rate of 11.5 for sums over 1024 (1 + 1/(1 - 0.85)) images, which is 1.5 for means, decay
	// 0.0153 of as many, which beside that rate is 0.0153/11.5 for means.
	if a := FastAir(); math.Abs(a.Rate-11.5/(1+1/0.15)) > 1e-9*a.Rate && a.Rate != 1.5 || math.Abs(a.Decay-0.0153/11.5) > 1e-5 || a.Batch != 1024 ||
		math.Abs(a.Warmup-0.23*14.9) > 1e-9 || a.Epochs != 15 || a.LastEpoch != 0.9 || a.BiasRate != 64 || a.Lookahead != 5 || a.Smoothing != 0.2 {
		t.Errorf("fast recipe: %+v", a)
	}
	for _, r := range []Config{FastAir(), FastWide()} {
		r.Images = 50_000
		if err := r.Check(); err != nil {
			t.Error(err)
		}
	}
	names := map[string]bool{}
	for _, r := range Recipes() {
		names[r.Name] = true
	}
	if len(names) != 6 {
		t.Errorf("recipes %v", names)
	}
	p.Lambda, p.Mu, p.Iterations, p.Variant = 0.2, 0.3, 4, "paper"
	if s, err = p.Spec(); err != nil || s.CSC.Lambda != 0.2 || s.CSC.Mu != 0.3 || s.CSC.Iterations != 4 ||
		s.CSC.Variant.String() != "paper" {
		t.Errorf("settings do not reach the network: %+v, %v", s.CSC, err)
	}
}

func TestDataMustFit(t *testing.T) {
	c := short()
	c.Data = "cifar10"
	_, err := New[float32](c, drawn().Dataset())
	says(t, err, "data", "cifar10", "shapes")
	c = short()
	c.Images = 13
	_, err = New[float32](c, drawn().Dataset())
	says(t, err, "images", "13 of 12")
}
