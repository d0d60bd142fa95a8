package training

import (
	"fmt"

	"sdref/sdnet"
	"sdref/sdnet/data"
)

// Fast is the settings by which a run of few epochs gets far, most of them those of K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single
// GPU" (2024). Checkpoints mention them only where they are not zero. They go with every network.
type Fast struct {
	// LastEpoch is the share of the last epoch that is trained; 0 means all of it.
	LastEpoch float64 `json:"last_epoch,omitempty"`
	// RateFrom and RateTo are the shares of the rate at which a triangular schedule begins and ends.
	RateFrom float64 `json:"rate_from,omitempty"`
	RateTo   float64 `json:"rate_to,omitempty"`
	// BiasRate and StemRate are factors on the learning rate of BatchNorm's beta, and of the stem's filters; 0 means 1. A parameter's
	// decay is divided by its factor.
	BiasRate float64 `json:"bias_rate,omitempty"`
	StemRate float64 `json:"stem_rate,omitempty"`
	// Muon is the rate of Muon's steps (see optim.SGD) where the schedule's is Rate, for the filters of all convolutions and CSC layers but the
	// stem; 0 is SGD for all. MuonMomentum is their momentum, 0 means optim.MuonMomentum.
	Muon         float64 `json:"muon,omitempty"`
	MuonMomentum float64 `json:"muon_momentum,omitempty"`
	// Lookahead is how many steps lie between two moves of the slow weights; 0 is without.
	Lookahead int `json:"lookahead,omitempty"`
	// Reflect is the number of pixels by which images are moved at most, edges reflected; 0 is the usual crops with black edges.
	Reflect int `json:"reflect,omitempty"`
	// AlternatingFlip mirrors each image in every other epoch, rather than at random.
	AlternatingFlip bool `json:"alternating_flip,omitempty"`

	// Dirac begins with convolutions that pass their input on; StemAtoms is what the stem's filters begin as.
	Dirac     bool            `json:"dirac,omitempty"`
	StemAtoms sdnet.StemAtoms `json:"stem_atoms,omitempty"`

	// What follows changes the network: its activation, BatchNorm, and its stem: whether it is trained, begins with whitening, and its number
	// of channels. Zeros are the network's own.
	Activation   sdnet.Activation `json:"activation,omitzero"`
	NormEpsilon  float64          `json:"norm_epsilon,omitempty"`
	NormMomentum float64          `json:"norm_momentum,omitempty"`
	FixedScale   bool             `json:"fixed_scale,omitempty"`
	FixedStem    bool             `json:"fixed_stem,omitempty"`
	Whitening    bool             `json:"whitening,omitempty"`
	Atoms        int              `json:"atoms,omitempty"`
}

// maxRateFactor is the greatest factor on a learning rate.
const maxRateFactor = 1e6

func (f Fast) check() error {
	switch {
	case !(f.LastEpoch >= 0 && f.LastEpoch < 1):
		return fmt.Errorf("last_epoch: %g is no share in [0, 1)", f.LastEpoch)
	case !(f.RateFrom >= 0 && f.RateFrom <= 1) || !(f.RateTo >= 0 && f.RateTo <= 1):
		return fmt.Errorf("rate-from, rate-to: %g, %g are no shares in [0, 1]", f.RateFrom, f.RateTo)
	case !(f.BiasRate >= 0 && f.BiasRate <= maxRateFactor):
		return fmt.Errorf("bias-rate: %g is not between 0 and %g", f.BiasRate, float64(maxRateFactor))
	case !(f.StemRate >= 0 && f.StemRate <= maxRateFactor):
		return fmt.Errorf("stem-rate: %g is not between 0 and %g", f.StemRate, float64(maxRateFactor))
	case !(f.Muon >= 0 && f.Muon <= maxRateFactor):
		return fmt.Errorf("muon: %g is not between 0 and %g", f.Muon, float64(maxRateFactor))
	case !(f.MuonMomentum >= 0 && f.MuonMomentum < 1):
		return fmt.Errorf("muon-momentum: %g is not in [0, 1)", f.MuonMomentum)
	case f.Lookahead < 0:
		return fmt.Errorf("lookahead: %d steps", f.Lookahead)
	case f.Reflect < 0 || f.Reflect > data.MostReflected:
		return fmt.Errorf("reflect: %d is not between 0 and %d pixels", f.Reflect, data.MostReflected)
	case f.AlternatingFlip && f.Reflect == 0:
		return fmt.Errorf("alternating-flip: goes with -reflect only")
	case f.StemAtoms != sdnet.RandomAtoms && f.StemAtoms != sdnet.ComponentAtoms && f.StemAtoms != sdnet.PatchAtoms:
		return fmt.Errorf("stem-atoms: %q is neither %q nor %q", f.StemAtoms, sdnet.ComponentAtoms, sdnet.PatchAtoms)
	}
	return nil
}

// change makes the network as the settings have it.
func (f Fast) change(s *sdnet.Spec) {
	if f.Activation != 0 {
		s.Activation = f.Activation
	}
	if f.NormEpsilon != 0 {
		s.Norm.Epsilon = f.NormEpsilon
	}
	if f.NormMomentum != 0 {
		s.Norm.Momentum = f.NormMomentum
	}
	if f.Atoms != 0 {
		s.Atoms = f.Atoms
	}
	s.Norm.FixedScale = s.Norm.FixedScale || f.FixedScale
	s.FixedStem = s.FixedStem || f.FixedStem
	s.Whitening = s.Whitening || f.Whitening
}
