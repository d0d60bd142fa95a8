// Package training is a training run: its images and their order, its learning rates, its end, and its
// checkpoints.
//
// A run is a function of its configuration and its data: every random choice comes from a stream named by
// purpose, epoch and position, so that a run continued from a checkpoint gives the bits of one that was never
// interrupted.
//
// It is for cmd/ref and for people who train from Go. It knows nothing of flags and terminals.
package training

import (
	"fmt"
	"slices"
	"strings"

	"sdref/conv"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/optim"
)

// Config is a run's configuration. A checkpoint contains it as JSON.
type Config struct {
	Network    string  `json:"network"`
	Data       string  `json:"data"` // name of the data set, as in sdnet.DataSets
	Type       string  `json:"type"` // float32 or float64
	Seed       uint64  `json:"seed"`
	Epochs     int     `json:"epochs"`
	Batch      int     `json:"batch"`
	Images     int     `json:"images"` // the number of training images, the first of the data set
	Augment    bool    `json:"augment"`
	Schedule   string  `json:"schedule"` // cosine, steps or triangle
	Rate       float64 `json:"rate"`     // the highest learning rate
	Warmup     float64 `json:"warmup"`   // epochs of linear rise (cosine, triangle)
	Milestones []int   `json:"milestones,omitempty"`
	Momentum   float64 `json:"momentum"`
	Decay      float64 `json:"decay"`
	Lambda     float64 `json:"lambda"`
	Mu         float64 `json:"mu"`
	Iterations int     `json:"iterations"`
	Variant    string  `json:"variant"`

	// Algorithm is that of the convolutions: direct, which is left out of files, or winograd.
	Algorithm conv.Algorithm `json:"algorithm,omitzero"`

	// Settings that checkpoints mention only where they are not zero.
	Classes int `json:"classes,omitempty"` // 0 means as many as the data set has
	// Extent is the height and width of the images; 0 means the data set's.
	Extent int `json:"extent,omitempty"`
	// Holdout is the number of training images that are held out: evaluated, not trained on.
	Holdout       int  `json:"holdout,omitempty"`
	HoldoutEvery  int  `json:"holdout_every,omitempty"`  // epochs from one evaluation of these to the next
	PlainMomentum bool `json:"plain_momentum,omitempty"` // momentum without Nesterov's change
	LearnLambda   bool `json:"learn_lambda,omitempty"`   // whether each CSC layer's lambda is trained
	// LearnStep tells whether a factor on each CSC layer's step size is trained.
	LearnStep bool `json:"learn_step,omitempty"`

	// Smoothing is the share of the targets that is spread over all classes; Mixup is the parameter alpha of the distribution of the
	// shares by which images and their labels are mixed. 0 is without.
	Smoothing float64 `json:"smoothing,omitempty"`
	Mixup     float64 `json:"mixup,omitempty"`

	// Stem is cifar or imagenet where the network has another one than is usual for its data, else empty.
	Stem string `json:"stem,omitempty"`
	// Own is a network that sdnet.Networks or images that sdnet.DataSets do not list, whole: see Config.For. Network and Data are then
	// its names, and the settings of convolutions and CSC layers are its own.
	Own *sdnet.Spec `json:"spec,omitempty"`
	// Planned lists the epochs that the run was planned for before it was prolonged, each time.
	Planned []int `json:"planned,omitempty"`

	Fast

	// Start is the digest of the weights that the run began with; it is empty for random weights.
	Start string `json:"start,omitempty"`

	// Gradient is that of the CSC layers: unrolled, which is left out of files, or implicit.
	Gradient csc.Gradient `json:"gradient,omitzero"`
}

// maxIterations is the greatest number of FISTA's iterations: a training step keeps the codes of all of them,
// and the published networks have 2, so more than this is a typing error.
const maxIterations = 1000

// maxExtent is the greatest height and width of images: a batch of larger ones would not fit in memory.
const maxExtent = 4096

// Check returns an error if a setting is out of range.
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
	case c.Rate == 0 && c.Muon > 0:
		return fmt.Errorf("muon: %g beside a rate of 0, which the schedule is told in", c.Muon)
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
	case !(c.Smoothing >= 0 && c.Smoothing < 1):
		return fmt.Errorf("smoothing: %g is not in [0, 1)", c.Smoothing)
	case !(c.Mixup >= 0 && c.Mixup <= maxMixup):
		return fmt.Errorf("mixup: %g is not between 0 and %d", c.Mixup, maxMixup)
	case c.Stem != "" && stems[c.Stem] == nil:
		return fmt.Errorf("stem: %q is none of cifar, imagenet, patches", c.Stem)
	case c.Holdout < 0:
		return fmt.Errorf("holdout: %d training images", c.Holdout)
	case c.HoldoutEvery < 0 || c.Holdout == 0 && c.HoldoutEvery > 0:
		return fmt.Errorf("holdout-every: %d epochs, with %d images held out", c.HoldoutEvery, c.Holdout)
	case c.Classes < 0:
		return fmt.Errorf("classes: %d", c.Classes)
	case c.Extent < 0 || c.Extent > maxExtent:
		return fmt.Errorf("size: %d is not between 1 and %d", c.Extent, maxExtent)
	case !slices.IsSorted(c.Milestones) || len(c.Milestones) > 0 && c.Milestones[0] < 0:
		return fmt.Errorf("milestones: %v are no epochs in order", c.Milestones)
	case c.Iterations < 1 || c.Iterations > maxIterations:
		return fmt.Errorf("iterations: %d is not between 1 and %d", c.Iterations, maxIterations)
	case c.Type != "float32" && c.Type != "float64":
		return fmt.Errorf("type: %q is neither float32 nor float64", c.Type)
	case !slices.Contains(schedules, c.Schedule):
		return fmt.Errorf("schedule: %q is none of %s", c.Schedule, strings.Join(schedules, ", "))
	}
	if err := c.Fast.check(); err != nil {
		return err
	}
	_, err := c.Spec()
	return err
}

// stems are the stems that Config.Stem names.
var stems = map[string]*sdnet.Stem{"cifar": &sdnet.CIFARStem, "imagenet": &sdnet.ImageNetStem, "patches": &sdnet.PatchStem}

// StemName is the name of the network's stem, "" if it has none.
func (c Config) StemName() string {
	s, err := c.Spec()
	for name, stem := range stems {
		if err == nil && s.Data.Stem == *stem {
			return name
		}
	}
	return ""
}

// Usual is the configuration without a Stem and an Extent that are those of its data anyway, so that files do not mention them.
func (c Config) Usual() Config {
	s, err := sdnet.Lookup(c.Network, c.Data)
	if err != nil {
		return c
	}
	if stem := stems[c.Stem]; stem != nil && *stem == s.Data.Stem {
		c.Stem = ""
	}
	if c.Extent == s.Data.Image {
		c.Extent = 0
	}
	return c
}

// For is the configuration for a network of one's own, or one for images of one's own; a checkpoint then holds its specification. What else
// the configuration said of a network is gone.
func (c Config) For(s sdnet.Spec) Config {
	s.Blocks, s.Widths = slices.Clone(s.Blocks), slices.Clone(s.Widths)
	c.Own, c.Network, c.Data = &s, s.Name, s.Data.Name
	c.Lambda, c.Mu, c.Iterations, c.Variant = s.CSC.Lambda, s.CSC.Mu, max(1, s.CSC.Iterations), s.CSC.Variant.String()
	c.Gradient, c.LearnLambda, c.LearnStep, c.Algorithm = s.CSC.Gradient, s.CSC.LearnLambda, s.CSC.LearnStep, s.Algorithm
	c.Classes, c.Extent, c.Stem = 0, 0, ""
	c.Activation, c.NormEpsilon, c.NormMomentum, c.FixedScale, c.FixedStem, c.Whitening, c.Atoms = 0, 0, 0, false, false, false, 0
	return c
}

// Spec is the network that the configuration asks for.
func (c Config) Spec() (sdnet.Spec, error) {
	if c.Own != nil {
		return c.ownSpec()
	}
	s, err := sdnet.Lookup(c.Network, c.Data)
	if err != nil {
		return s, err
	}
	if s.CSC.Variant, err = csc.ParseVariant(c.Variant); err != nil {
		return s, err
	}
	s.CSC.Lambda, s.CSC.Mu, s.CSC.Iterations = c.Lambda, c.Mu, c.Iterations
	s.CSC.Gradient, s.CSC.LearnLambda, s.CSC.LearnStep = c.Gradient, c.LearnLambda, c.LearnStep
	s.Algorithm = c.Algorithm
	if c.Classes != 0 {
		s.Data.Classes = c.Classes
	}
	if c.Extent != 0 {
		s.Data.Image = c.Extent
	}
	if stem := stems[c.Stem]; stem != nil {
		s.Data.Stem = *stem
	}
	c.Fast.change(&s)
	return s, s.Check()
}

// schedules are the names of the learning rate's schedules.
var schedules = []string{"cosine", "steps", "triangle"}

// schedule is the configured learning-rate schedule.
func (c Config) schedule() optim.Schedule {
	switch c.Schedule {
	case "triangle":
		return optim.Triangle{Base: c.Rate, From: c.RateFrom, To: c.RateTo, Warmup: c.Warmup}
	case "steps":
		return optim.Steps{Base: c.Rate, Factor: 0.1, Epochs: c.Milestones}
	}
	return optim.Cosine{Base: c.Rate, Warmup: c.Warmup}
}

// ownSpec is the network of one's own. What else the configuration says of it, which other readers of a checkpoint see, must agree.
func (c Config) ownSpec() (sdnet.Spec, error) {
	s := *c.Own
	again := c.For(s)
	if s.Name == "" || s.Data.Name == "" || again.Network != c.Network || again.Data != c.Data || again.Lambda != c.Lambda || again.Mu != c.Mu ||
		again.Iterations != c.Iterations || again.Variant != c.Variant || again.Algorithm != c.Algorithm || again.Gradient != c.Gradient ||
		again.LearnLambda != c.LearnLambda || again.LearnStep != c.LearnStep || c.Classes != 0 || c.Extent != 0 || c.Stem != "" {
		return s, fmt.Errorf("spec: %s for %s is not what the rest of the configuration says of its network", s.Name, s.Data)
	}
	if shape := s.Data.Shape(); max(shape[1], shape[2]) > maxExtent {
		return s, fmt.Errorf("spec: images of %s, more than %d in a direction", data.ShapeText(shape), maxExtent)
	}
	return s, s.Check()
}
