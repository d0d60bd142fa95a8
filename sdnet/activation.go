package sdnet

import (
	"sdref/autodiff"
	"sdref/internal/names"
)

// Activation is the function behind a BatchNorm.
type Activation int

// The activations.
const (
	ReLU Activation = iota
	GELU            // in its tanh form, see autodiff.GELU
)

var activations = []string{ReLU: "relu", GELU: "gelu"}

// String is the activation's name in checkpoints.
func (a Activation) String() string { return names.Of(a, activations) }

// MarshalText writes the name.
func (a Activation) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the name.
func (a *Activation) UnmarshalText(text []byte) (err error) {
	*a, err = names.Parse[Activation]("activation", string(text), activations)
	return err
}

// append applies the activation to a node.
func (a Activation) append(x *autodiff.Node) *autodiff.Node {
	if a == GELU {
		return autodiff.GELU(x)
	}
	return autodiff.ReLU(x)
}

// NormSettings are those of every BatchNorm. Zeros stand for PyTorch's defaults, with which the published networks were trained.
type NormSettings struct {
	Epsilon    float64 // added to the variance
	Momentum   float64 // the weight of a new batch in the running statistics
	FixedScale bool    // gamma is not trained
}

// orDefault is the settings with the defaults in place of zeros.
func (n NormSettings) orDefault() NormSettings {
	if n.Epsilon == 0 {
		n.Epsilon = autodiff.BatchNormEpsilon
	}
	if n.Momentum == 0 {
		n.Momentum = autodiff.BatchNormMomentum
	}
	return n
}
