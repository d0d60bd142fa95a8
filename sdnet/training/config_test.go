package training

import (
	"math"
	"testing"

	"sdref/sdnet/cifar"
	"sdref/sdnet/shapes"
)

func TestConfigCheck(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		says   string
		change []func(*Config)
	}{
		{"epochs", []func(*Config){func(c *Config) { c.Epochs = 0 }, func(c *Config) { c.Epochs = -1 }, func(c *Config) { c.Epochs = math.MaxInt }}},
		{"batch", []func(*Config){func(c *Config) { c.Batch = 0 }, func(c *Config) { c.Batch = -5 }, func(c *Config) { c.Batch = math.MaxInt }}},
		{"images", []func(*Config){func(c *Config) { c.Images = 0 }, func(c *Config) { c.Images = -1 }}},
		{"rate", []func(*Config){func(c *Config) { c.Rate = -0.1 }, func(c *Config) { c.Rate = nan }, func(c *Config) { c.Rate = inf }}},
		{"momentum", []func(*Config){func(c *Config) { c.Momentum = 1 }, func(c *Config) { c.Momentum = -0.1 }, func(c *Config) { c.Momentum = nan }}},
		{"decay", []func(*Config){func(c *Config) { c.Decay = -1 }, func(c *Config) { c.Decay = nan }, func(c *Config) { c.Decay = inf }}},
		{"warmup", []func(*Config){func(c *Config) { c.Warmup = -1 }, func(c *Config) { c.Warmup = 2.5 }, func(c *Config) { c.Warmup = nan }}},
		{"lambda", []func(*Config){func(c *Config) { c.Lambda = -1 }, func(c *Config) { c.Lambda = nan }, func(c *Config) { c.Lambda = inf }}},
		{"mu", []func(*Config){func(c *Config) { c.Mu = -1 }, func(c *Config) { c.Mu = nan }, func(c *Config) { c.Mu = inf }}},
		{"iterations", []func(*Config){func(c *Config) { c.Iterations = 0 }, func(c *Config) { c.Iterations = -2 }, func(c *Config) { c.Iterations = math.MaxInt }}},
		{"type", []func(*Config){func(c *Config) { c.Type = "" }, func(c *Config) { c.Type = "float16" }}},
		{"schedule", []func(*Config){func(c *Config) { c.Schedule = "linear" }}},
		{"network", []func(*Config){func(c *Config) { c.Network = "sdnet19" }, func(c *Config) { c.Network = "" }}},
		{"data", []func(*Config){func(c *Config) { c.Data = "mnist" }}},
		{"variant", []func(*Config){func(c *Config) { c.Variant = "neither" }}},
	} {
		for _, change := range c.change {
			config := short()
			change(&config)
			says(t, config.Check(), c.says)
			_, err := New[float32](config, drawn())
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
	if p.Epochs != 220 || p.Batch != 128 || p.Rate != 0.1 || p.Momentum != 0.9 || p.Decay != 5e-4 || p.Lambda != 0.1 || p.Iterations != 2 || !p.Augment {
		t.Errorf("published recipe: %+v", p)
	}
	s, err := p.Spec()
	if err != nil || s.Name != "sdnet18" || s.Data.Name != "cifar10" || !s.CSC.Nonnegative || !s.CSC.UnitNormAtoms {
		t.Errorf("published network: %+v, %v", s, err)
	}
	p.Lambda, p.Mu, p.Iterations, p.Variant = 0.2, 0.3, 4, "paper"
	if s, err = p.Spec(); err != nil || s.CSC.Lambda != 0.2 || s.CSC.Mu != 0.3 || s.CSC.Iterations != 4 || s.CSC.Variant.String() != "paper" {
		t.Errorf("settings do not reach the network: %+v, %v", s.CSC, err)
	}
}

func TestDataMustFit(t *testing.T) {
	c := short()
	c.Data = "cifar10"
	_, err := New[float32](c, drawn())
	says(t, err, "data", "cifar10", "shapes")
	c = short()
	c.Images = 13
	_, err = New[float32](c, drawn())
	says(t, err, "images", "13 of 12")
	for name, want := range map[string]string{"CIFAR-10": "cifar10", "CIFAR-100": "cifar100", "shapes": "shapes", "other": "other"} {
		if got := DataName(&cifar.Data{Name: name}); got != want {
			t.Errorf("DataName of %s: %q, want %q", name, got, want)
		}
	}
	if DataName(shapes.Data(0, 0, 1)) != "shapes" {
		t.Error("the drawn images have another name")
	}
}
