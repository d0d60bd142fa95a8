package data

import (
	"fmt"
	"math"

	"sdref/internal/misuse"
	"sdref/internal/names"
	"sdref/internal/parallel"
	"sdref/internal/random"
)

// Noise is one of the four noises of CIFAR-10-C (D. Hendrycks and T. Dietterich, "Benchmarking neural network
// robustness to common corruptions and perturbations", ICLR 2019), each at five severities. With x = byte/255
// and severity c,
//
//	gaussian   x + c n            n normal                                       c = .04 .06 .08 .09 .10
//	shot       k/c                k Poisson with mean c x                        c = 500 250 100 75 50
//	speckle    x + c x n          n normal                                       c = .06 .1 .12 .16 .2
//	impulse    0 or 1 with probability c/2 each, else x                          c = .01 .02 .03 .05 .07
//
// clipped to [0, 1], multiplied by 255 and rounded down to a byte, as the published files are; every channel
// of every pixel is drawn independently. The published files contain other draws of the same noises. A draw
// is a function of the seed, the set's name, the noise, the severity and the image's number in the set.
type Noise int

const (
	GaussianNoise Noise = iota
	ShotNoise
	SpeckleNoise
	ImpulseNoise
)

// Severities is the number of severities, which count from 1.
const Severities = 5

var noiseNames = []string{GaussianNoise: "gaussian", ShotNoise: "shot", SpeckleNoise: "speckle", ImpulseNoise: "impulse"}

// noises is the table of noises: the parameter c of each severity, and the corruption with parameter c.
var noises = [...]struct {
	parameters [Severities]float64
	corruption func(c float64) corruption
}{
	GaussianNoise: {[...]float64{0.04, 0.06, 0.08, 0.09, 0.10}, gaussian},
	ShotNoise:     {[...]float64{500, 250, 100, 75, 50}, shot},
	SpeckleNoise:  {[...]float64{0.06, 0.1, 0.12, 0.16, 0.2}, speckle},
	ImpulseNoise:  {[...]float64{0.01, 0.02, 0.03, 0.05, 0.07}, impulse},
}

// corruption returns the value that replaces byte x, number i of an image, before clipping. It is safe for
// concurrent use.
type corruption func(x byte, i uint64, s random.Stream) float64

// Noises lists the noises.
func Noises() []Noise { return []Noise{GaussianNoise, ShotNoise, SpeckleNoise, ImpulseNoise} }

func (k Noise) String() string { return names.Of(k, noiseNames) }

// MarshalText returns the name, for files and flags.
func (k Noise) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText is ParseNoise.
func (k *Noise) UnmarshalText(text []byte) (err error) {
	*k, err = ParseNoise(string(text))
	return err
}

// ParseNoise is the inverse of String.
func ParseNoise(name string) (Noise, error) { return names.Parse[Noise]("noise", name, noiseNames) }

// Parameter is c at a severity from 1 to Severities; any other severity is a panic.
func (k Noise) Parameter(severity int) float64 {
	if k < 0 || int(k) >= len(noises) || severity < 1 || severity > Severities {
		panic(misuse.Errorf("data: %v has no severity %d", k, severity))
	}
	return noises[k].parameters[severity-1]
}

// AddNoise returns the images of set with the given indices, in that order, with noise, and their labels. It
// panics if an index is outside the set or the severity outside 1 to Severities.
func AddNoise(set *Set, indices []int, k Noise, severity int, seed uint64) *Set {
	return AddNoiseWithin(0, set, indices, k, severity, seed)
}

// AddNoiseWithin is AddNoise by so many goroutines at the most, beside GOMAXPROCS; 0 is no other limit.
func AddNoiseWithin(workers int, set *Set, indices []int, k Noise, severity int, seed uint64) *Set {
	corrupt := noises[k].corruption(k.Parameter(severity))
	out := Pick(set, indices)
	out.Name = fmt.Sprintf("%s with %s noise of severity %d", set.Name, k, severity)
	streams := random.New(seed).Sub("noise on "+set.Name).Sub(k.String(), uint64(severity))
	parallel.Limit(workers).For(len(indices), func(_, j int) {
		image, stream := out.Image(j), streams.Sub("image", uint64(indices[j]))
		for i, x := range image {
			image[i] = toByte(corrupt(x, uint64(i), stream))
		}
	})
	return out
}

// Pick returns a copy of the images of set with the given indices, in that order, and their labels. It panics
// if an index is outside the set.
func Pick(set *Set, indices []int) *Set {
	out := &Set{Name: set.Name, Classes: set.Classes, Images: make([]byte, 0, len(indices)*ImageBytes)}
	for j, i := range indices {
		if i < 0 || i >= set.Len() {
			panic(misuse.Errorf("data: indices[%d] = %d, but %s has %d images", j, i, set.Name, set.Len()))
		}
		out.Images = append(out.Images, set.Image(i)...)
		out.Labels = append(out.Labels, set.Labels[i])
	}
	return out
}

// toByte returns the byte of a value: clipped to [0, 1], times 255, the fraction dropped.
func toByte(v float64) byte { return byte(math.Floor(min(max(v, 0), 1) * 255)) }
