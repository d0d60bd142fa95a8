package conv

import (
	"fmt"

	"sdref/conv/internal/form"
	"sdref/internal/names"
)

// Algorithm is a way to compute the three functions. Each algorithm has its own definition and hence its own
// bits: the results of two algorithms differ by rounding errors.
type Algorithm int

const (
	// Direct is the form as it stands in definition.go.
	Direct Algorithm = iota
	// Winograd computes 3x3 convolutions of stride and dilation 1 with a quarter of the multiplications, on
	// tiles of 4x4, as winograd_definition.go has it. Other shapes, and those with fewer than 8 channels of x
	// or of y, are computed directly; Geometry.Used tells which.
	Winograd
)

var algorithms = []string{Direct: "direct", Winograd: "winograd"}

func (a Algorithm) known() bool { return a >= 0 && int(a) < len(algorithms) }

func (a Algorithm) String() string { return names.Of(a, algorithms) }

// ParseAlgorithm returns the algorithm of that name, direct or winograd.
func ParseAlgorithm(name string) (Algorithm, error) {
	return names.Parse[Algorithm]("convolution algorithm", name, algorithms)
}

// MarshalText returns the name, for files and flags. An algorithm that has no name is an error.
func (a Algorithm) MarshalText() ([]byte, error) {
	if !a.known() {
		return nil, fmt.Errorf("%v has no name", a)
	}
	return []byte(a.String()), nil
}

// UnmarshalText sets the algorithm as ParseAlgorithm does.
func (a *Algorithm) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAlgorithm(string(text))
	return err
}

// minWinogradChannels is the least number of channels of x and of y for which algorithm Winograd is used:
// with fewer, the transforms cost more than the products save.
const minWinogradChannels = 8

// HasWinograd tells whether algorithm Winograd is defined for kernels of shape w: they are 3x3, and stride
// and dilation are 1.
func (g Geometry) HasWinograd(w []int) bool {
	return len(w) == 4 && w[2] == 3 && w[3] == 3 && g.stride() == 1 && g.dilation() == 1
}

// Used returns the algorithm that the three functions use for x and w of these shapes: g.Algorithm, but
// Direct instead of Winograd where that is not defined, or where there are so few channels that it would be
// slower.
func (g Geometry) Used(x, w []int) Algorithm {
	if g.Algorithm == Winograd && g.HasWinograd(w) && min(w[0], w[1]) >= minWinogradChannels && x[0] > 0 {
		return Winograd
	}
	return Direct
}

// used is Used for the sizes of a form.
func (g Geometry) used(f form.Form) Algorithm {
	return g.Used([]int{f.N}, []int{f.M, f.C, f.KH, f.KW})
}
