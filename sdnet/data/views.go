package data

import (
	"fmt"
	"slices"
)

// View is another look at an image for evaluation: moved by some pixels, black coming in at the edges as in
// training, and mirrored.
type View struct {
	Down, Right int
	Flip        bool
}

// The views over which the answers of a network can be averaged.
var (
	Flips  = []View{{}, {Flip: true}}
	Shifts = []View{{}, {Down: -2}, {Down: 2}, {Right: -2}, {Right: 2}}
)

// Write writes the view of an image to dst, both 3 x extent x extent bytes. It panics if a length is another.
func (v View) Write(dst, image []byte, extent int) {
	if n := Channels * extent * extent; len(dst) != n || len(image) != n {
		panic(fmt.Sprintf("data: View: dst has %d bytes, the image %d, want %d", len(dst), len(image), n))
	}
	clear(dst)
	from, to := max(v.Right, 0), min(extent+v.Right, extent) // columns of dst that the image covers
	for row := range Channels * extent {
		y := row%extent - v.Down // the image's row
		if y < 0 || y >= extent || from >= to {
			continue
		}
		out := dst[row*extent:][:extent]
		copy(out[from:to], image[(row-v.Down)*extent+from-v.Right:])
		if v.Flip {
			slices.Reverse(out)
		}
	}
}
