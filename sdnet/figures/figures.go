// Package figures computes what the figures of the paper's supplement show, for one network and some images:
//
//	Figure C.1   the atoms of the first CSC layer as small colour images        Patches
//	Figure B.1   the input again, from the output of a block, (B.2) and (B.3)   Reconstruct
//	Figure D.1   how the codes are distributed, exact zeros apart               Codes
//
// and the numbers behind them: the iterates of FISTA on one signal (Iterates), the power iteration that the
// step size comes from (PowerRounds), and the singular values of the atoms (SingularValues). Networks must be
// prepared by sdnet.Network.Evaluable.
//
// It is for people who draw or check these figures. It knows nothing of files, axes or colours.
package figures

import (
	"image"
	"image/color"
	"math"

	"sdref/internal/misuse"
	"sdref/tensor"
)

// Pixels is the normalisation of a network's input: x = (pixel - Mean)/Std per channel, pixel between 0 and
// 1.
type Pixels struct{ Mean, Std [3]float64 }

// Values returns the pixels (C, H, W) of the normalised image i of x (N, C, H, W), clamped to [0, 1]; C is 3, or 1 for grey images.
func Values[T tensor.Float](p Pixels, x *tensor.Tensor[T], i int) []float64 {
	image := x.Row(i)
	mustBeImage("figures.Values", image.Shape)
	plane := image.Shape[1] * image.Shape[2]
	values := make([]float64, image.Len())
	for j, v := range image.Data {
		c := j / plane
		values[j] = min(max(float64(float64(v)*p.Std[c])+p.Mean[c], 0), 1)
	}
	return values
}

// Picture is the image of pixels (3, height, width) between 0 and 1, or of grey ones (1, height, width).
func Picture(values []float64, height, width int) *image.NRGBA {
	plane := height * width
	if len(values) != 3*plane && len(values) != plane {
		panic(misuse.Errorf("figures.Picture: %d values, want 3 x %d x %d, or grey 1 x %[2]d x %d", len(values), height, width))
	}
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	green, blue := len(values)/3, len(values)/3*2 // where these channels begin
	if len(values) == plane {
		green, blue = 0, 0
	}
	level := func(v float64) uint8 {
		if !(v > 0) { // NaN too
			return 0
		}
		return uint8(math.Floor(float64(min(v, 1)*255) + 0.5))
	}
	for i := range plane {
		m.SetNRGBA(i%width, i/width, color.NRGBA{level(values[i]), level(values[green+i]),
			level(values[blue+i]), 0xFF})
	}
	return m
}

// Stretch returns values (channels, H, W) with each channel scaled to reach from 0 to 1, as the authors'
// visualisation does; a channel of one value becomes 1/2.
func Stretch(values []float64, channels int) []float64 {
	out := make([]float64, len(values))
	plane := len(values) / channels
	for c := range channels {
		stretch(out[c*plane:][:plane], values[c*plane:][:plane])
	}
	return out
}

// stretch scales values to reach from 0 to 1.
func stretch(out, values []float64) {
	low, high := Extremes(values)
	for i, v := range values {
		out[i] = 0.5
		if high > low {
			out[i] = (v - low) / (high - low)
		}
	}
}

// Extremes returns the smallest and the largest value.
func Extremes(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// PSNR is the peak signal-to-noise ratio of two images of pixels between 0 and 1, in decibels:
//
//	PSNR = -10 log10(mean squared difference),
//
// infinite for equal ones.
func PSNR(a, b []float64) float64 {
	if len(a) != len(b) {
		panic(misuse.Errorf("figures.PSNR: %d and %d values", len(a), len(b)))
	}
	difference := tensor.New[float64](len(a))
	tensor.AddScaled(difference, tensor.From(a, len(a)), tensor.From(b, len(b)), -1)
	return decibels(tensor.SumSquares(difference) / float64(len(a)))
}

// mustBeImage panics unless a shape is that of an image in colours or grey.
func mustBeImage(op string, shape []int) {
	if len(shape) != 3 || shape[0] != 3 && shape[0] != 1 {
		panic(&tensor.ShapeError{Op: op + " (3 channels, or 1)", Shapes: [][]int{shape, {3, -1, -1}}})
	}
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
