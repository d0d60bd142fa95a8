package conv

import (
	"fmt"
	"strings"
)

// Algorithm is a way to compute the three functions. Each has its own definition, and its own bits: the results of two
// algorithms differ by rounding errors.
type Algorithm int

const (
	// Direct is the form as it stands in definition.go.
	Direct Algorithm = iota
	// Winograd computes 3x3 convolutions of stride and dilation 1 with a quarter of the multiplications, on tiles of 4x4, as
	// winograd_definition.go has it. Other shapes, and those with fewer than 8 channels of x or of y, are computed directly.
	Winograd
)

var algorithms = []string{Direct: "direct", Winograd: "winograd"}

func (a Algorithm) known() bool { return a >= 0 && int(a) < len(algorithms) }

func (a Algorithm) String() string {
	if !a.known() {
		return fmt.Sprintf("Algorithm(%d)", int(a))
	}
	return algorithms[a]
}

// ParseAlgorithm returns the algorithm of that name, direct or winograd.
func ParseAlgorithm(name string) (Algorithm, error) {
	for a, n := range algorithms {
		if n == name {
			return Algorithm(a), nil
		}
	}
	return 0, fmt.Errorf("unknown convolution algorithm %q; there are %s", name, strings.Join(algorithms, ", "))
}

// MarshalText returns the name, for files and flags. The error is that the algorithm has none.
func (a Algorithm) MarshalText() ([]byte, error) {
	if !a.known() {
		return nil, fmt.Errorf("%v has no name", a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText is ParseAlgorithm.
func (a *Algorithm) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAlgorithm(string(text))
	return err
}
