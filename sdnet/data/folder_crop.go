package data

import (
	"image"
	"math"
	"slices"

	"sdref/internal/elementary"
	"sdref/internal/random"
)

// resizedCrop is one draw: the box of an image that training shows, and whether it is mirrored.
type resizedCrop struct {
	Box  image.Rectangle // within width x height
	Flip bool
}

// The published recipe's crops (those of torchvision's RandomResizedCrop): the share of the area, and the ratio of width to height, the
// logarithm of which is drawn evenly.
const (
	leastArea = 0.08
	mostRatio = 4.0 / 3 // and at least 3/4
	cropTries = 10      // then the largest box in the middle whose ratio is allowed
)

// drawResizedCrop returns the crop of the sample at a position of an epoch, for an image of the given width and height.
func drawResizedCrop(draws random.Stream, epoch, position uint64, width, height int) resizedCrop {
	s := draws.Sub("random resized crop", epoch, position)
	const perTry = 4
	crop := resizedCrop{Flip: s.Intn(perTry*cropTries, 2) == 1}
	area, span := float64(width)*float64(height), elementary.Log(mostRatio)
	for i := uint64(0); i < perTry*cropTries; i += perTry {
		target := area * (leastArea + float64((1-leastArea)*s.Float(i)))
		ratio := elementary.Exp(span * (float64(2*s.Float(i+1)) - 1))
		w, h := int(math.RoundToEven(math.Sqrt(target*ratio))), int(math.RoundToEven(math.Sqrt(target/ratio)))
		if 0 < w && w <= width && 0 < h && h <= height {
			corner := image.Pt(s.Intn(i+2, width-w+1), s.Intn(i+3, height-h+1))
			crop.Box = image.Rectangle{Min: corner, Max: corner.Add(image.Pt(w, h))}
			return crop
		}
	}
	w := min(width, int(math.RoundToEven(float64(height)*mostRatio)))
	h := min(height, int(math.RoundToEven(float64(width)*mostRatio)))
	corner := image.Pt((width-w)/2, (height-h)/2)
	crop.Box = image.Rectangle{Min: corner, Max: corner.Add(image.Pt(w, h))}
	return crop
}

// enlarge returns the size whose shorter side is the given one, of the same ratio; the longer side is rounded down.
func enlarge(width, height, shorter int) (int, int) {
	if width <= height {
		return shorter, shorter * height / width
	}
	return shorter * width / height, shorter
}

// middle returns where a part of the given length begins in the middle of a side, a half rounded to the even number.
func middle(side, part int) int {
	twice := side - part
	return twice/2 + twice&(twice/2)&1
}

// mirror exchanges left and right in an image of 3 x extent x extent bytes.
func mirror(pixels []byte, extent int) {
	for row := range slices.Chunk(pixels, extent) {
		slices.Reverse(row)
	}
}
