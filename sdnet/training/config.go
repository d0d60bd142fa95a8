// Package training is a training run: which images in which order, at which learning rate, until when, and how it is saved.
//
// A run is a function of its configuration and its data: every random choice comes from a stream named by purpose, epoch and
// position, so that a run continued from a checkpoint gives the bits of one that was never interrupted. The package is for
// cmd/ref and for people who train from Go. It knows nothing of flags and terminals.
package training

import (
	"fmt"

	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/cifar"
	"sdref/sdnet/optim"
)

// Config is a run's configuration. A checkpoint holds it as JSON.
type Config struct {
	Network    string  `json:"network"`
	Data       string  `json:"data"` // name of the data set, as in sdnet.DataSets
	Type       string  `json:"type"` // float32 or float64
	Seed       uint64  `json:"seed"`
	Epochs     int     `json:"epochs"`
	Batch      int     `json:"batch"`
	Images     int     `json:"images"` // training images: the first that many of the data set
	Augment    bool    `json:"augment"`
	Schedule   string  `json:"schedule"` // cosine or steps
	Rate       float64 `json:"rate"`     // learning rate at its highest
	Warmup     float64 `json:"warmup"`   // epochs of linear rise (cosine)
	Milestones []int   `json:"milestones,omitempty"`
	Momentum   float64 `json:"momentum"`
	Decay      float64 `json:"decay"`
	Lambda     float64 `json:"lambda"`
	Mu         float64 `json:"mu"`
	Iterations int     `json:"iterations"`
	Variant    string  `json:"variant"`

	Algorithm conv.Algorithm `json:"algorithm,omitzero"` // of the convolutions: direct, which is left out, or winograd
}

// Published is the authors' recipe for CIFAR: 220 epochs in batches of 128, cropped and flipped, cosine from 0.1, Nesterov
// momentum 0.9, weight decay 5e-4, lambda 0.1 and two iterations.
func Published() Config {
	return Config{
		Network: "sdnet18", Data: "cifar10", Type: "float32", Seed: 1, Epochs: 220, Batch: 128, Augment: true,
		Schedule: "cosine", Rate: 0.1, Milestones: []int{30, 60, 90}, Momentum: 0.9, Decay: 5e-4,
		Lambda: sdnet.PublishedCSC.Lambda, Iterations: sdnet.PublishedCSC.Iterations, Variant: csc.Published.String(),
	}
}

// Demo is a run of about a minute on two cores: a narrow network on drawn images.
func Demo() Config {
	c := Published()
	c.Network, c.Data, c.Epochs, c.Batch, c.Images, c.Warmup, c.Augment = "sdnet8_narrow", "shapes", 6, 64, 10_000, 1, false
	return c
}

// maxIterations bounds FISTA's iterations: a training step keeps the codes of all of them, so more than this is a slip of the
// pen, the published networks having 2.
const maxIterations = 1000

// Check tells which setting is out of range.
func (c Config) Check() error {
	switch {
	case c.Epochs < 1 || c.Epochs > 1_000_000:
		return fmt.Errorf("epochs: %d is not between 1 and 1000000", c.Epochs)
	case c.Batch < 1 || c.Batch > 1_000_000:
		return fmt.Errorf("batch: %d is not between 1 and 1000000", c.Batch)
	case c.Images < 1:
		return fmt.Errorf("images: %d training images", c.Images)
	case !(c.Rate >= 0) || c.Rate > 1e6:
		return fmt.Errorf("rate: %g is not between 0 and 1e6", c.Rate)
	case !(c.Momentum >= 0 && c.Momentum < 1):
		return fmt.Errorf("momentum: %g is not in [0, 1)", c.Momentum)
	case !(c.Decay >= 0) || c.Decay > 1e6:
		return fmt.Errorf("decay: %g is not between 0 and 1e6", c.Decay)
	case !(c.Warmup >= 0) || c.Warmup > float64(c.Epochs):
		return fmt.Errorf("warmup: %g epochs of %d", c.Warmup, c.Epochs)
	case !(c.Lambda >= 0) || c.Lambda > 1e6:
		return fmt.Errorf("lambda: %g is not between 0 and 1e6", c.Lambda)
	case !(c.Mu >= 0) || c.Mu > 1e6:
		return fmt.Errorf("mu: %g is not between 0 and 1e6", c.Mu)
	case c.Iterations < 1 || c.Iterations > maxIterations:
		return fmt.Errorf("iterations: %d is not between 1 and %d", c.Iterations, maxIterations)
	case c.Type != "float32" && c.Type != "float64":
		return fmt.Errorf("type: %q is neither float32 nor float64", c.Type)
	case c.Schedule != "cosine" && c.Schedule != "steps":
		return fmt.Errorf("schedule: %q is neither cosine nor steps", c.Schedule)
	}
	_, err := c.Spec()
	return err
}

// Spec is the network that the configuration asks for.
func (c Config) Spec() (sdnet.Spec, error) {
	s, err := sdnet.Lookup(c.Network, c.Data)
	if err != nil {
		return s, err
	}
	if s.CSC.Variant, err = csc.ParseVariant(c.Variant); err != nil {
		return s, err
	}
	s.CSC.Lambda, s.CSC.Mu, s.CSC.Iterations = c.Lambda, c.Mu, c.Iterations
	s.Algorithm = c.Algorithm
	return s, s.Check()
}

// schedule is the configured learning-rate schedule.
func (c Config) schedule() optim.Schedule {
	if c.Schedule == "steps" {
		return optim.Steps{Base: c.Rate, Factor: 0.1, Epochs: c.Milestones}
	}
	return optim.Cosine{Base: c.Rate, Warmup: c.Warmup}
}

// DataName is the name in sdnet.DataSets of a data set that package cifar or shapes returned.
func DataName(d *cifar.Data) string {
	switch d.Name {
	case "CIFAR-10":
		return "cifar10"
	case "CIFAR-100":
		return "cifar100"
	}
	return d.Name
}
