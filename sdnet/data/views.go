package data

import (
	"slices"

	"sdref/internal/misuse"
)

// View is another look at an image: moved by some pixels, black coming in at the edges as in training, or the image mirrored at its
// edges, and then mirrored as a whole.
type View struct {
	Down, Right   int
	Flip, Reflect bool
	Weight        float64 // in a mean over views; 0: 1
}

// The views over which the answers of a network can be averaged.
var (
	Flips  = []View{{}, {Flip: true}}
	Shifts = []View{{}, {Down: -2}, {Down: 2}, {Right: -2}, {Right: 2}}
	// Crops are the image and its mirror image, a quarter each, and both moved by a pixel up and left, and down and right, an eighth
	// each, edges reflected (K. Jordan, 2024).
	Crops = []View{{Weight: 0.25}, {Flip: true, Weight: 0.25},
		{Down: 1, Right: 1, Reflect: true, Weight: 0.125}, {Down: 1, Right: 1, Reflect: true, Flip: true, Weight: 0.125},
		{Down: -1, Right: -1, Reflect: true, Weight: 0.125}, {Down: -1, Right: -1, Reflect: true, Flip: true, Weight: 0.125}}
)

// Weights are the shares of views in a mean over them, which add up to 1.
func Weights(views []View) []float64 {
	shares, sum := make([]float64, len(views)), 0.0
	for i, v := range views {
		shares[i] = v.Weight
		if v.Weight == 0 {
			shares[i] = 1
		}
		sum += shares[i]
	}
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}

// Write writes the view of an image to dst, both of the given shape, channels x height x width bytes. It panics if a length is another.
func (v View) Write(dst, image []byte, shape [3]int) {
	if n := elements(shape); len(dst) != n || len(image) != n {
		panic(misuse.Errorf("data: View: dst has %d bytes, the image %d, want %d", len(dst), len(image), n))
	}
	if v.Reflect {
		v.reflected(dst, image, shape)
		return
	}
	clear(dst)
	height, width := shape[1], shape[2]
	from, to := max(v.Right, 0), min(width+v.Right, width) // columns of dst that the image covers
	for row := range shape[0] * height {
		y := row%height - v.Down // the image's row
		if y < 0 || y >= height || from >= to {
			continue
		}
		out := dst[row*width:][:width]
		copy(out[from:to], image[(row-v.Down)*width+from-v.Right:])
		if v.Flip {
			slices.Reverse(out)
		}
	}
}
