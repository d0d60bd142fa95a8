package data

import (
	"image"
	"math"
	"slices"

	"sdref/internal/elementary"
	"sdref/internal/random"
)

// resizedCrop is one draw: the box of an image that is scaled to the whole training image, and whether it is
// mirrored.
type resizedCrop struct {
	Box  image.Rectangle // within width x height
	Flip bool
}

// The crops of the published recipe (torchvision's RandomResizedCrop): the share of the area is uniform, and
// so is the logarithm of the ratio of width to height.
const (
	minCropArea  = 0.08    // of the image's area
	maxCropRatio = 4.0 / 3 // of width to height, and of height to width
	cropTries    = 10      // draws until the largest box in the middle with an allowed ratio is taken
)

// drawResizedCrop returns the crop of the sample at a position of an epoch, for an image of the given width
// and height.
func drawResizedCrop(draws random.Stream, epoch, position uint64, width, height int) resizedCrop {
	s := draws.Sub("random resized crop", epoch, position)
	const perTry = 4
	crop := resizedCrop{Flip: s.Intn(perTry*cropTries, 2) == 1}
	area, span := float64(width)*float64(height), elementary.Log(maxCropRatio)
	for i := uint64(0); i < perTry*cropTries; i += perTry {
		target := area * (minCropArea + float64((1-minCropArea)*s.Float(i)))
		ratio := elementary.Exp(span * (float64(2*s.Float(i+1)) - 1))
		w, h := int(math.RoundToEven(math.Sqrt(target*ratio))), int(math.RoundToEven(math.Sqrt(target/ratio)))
		if 0 < w && w <= width && 0 < h && h <= height {
			corner := image.Pt(s.Intn(i+2, width-w+1), s.Intn(i+3, height-h+1))
			crop.Box = image.Rectangle{Min: corner, Max: corner.Add(image.Pt(w, h))}
			return crop
		}
	}
	w := min(width, int(math.RoundToEven(float64(height)*maxCropRatio)))
	h := min(height, int(math.RoundToEven(float64(width)*maxCropRatio)))
	corner := image.Pt((width-w)/2, (height-h)/2)
	crop.Box = image.Rectangle{Min: corner, Max: corner.Add(image.Pt(w, h))}
	return crop
}

// cover returns the smallest size of the same ratio, one side of which is rounded down, that covers another.
func cover(width, height, otherWidth, otherHeight int) (int, int) {
	if width*otherHeight <= height*otherWidth {
		return otherWidth, otherWidth * height / width
	}
	return otherHeight * width / height, otherHeight
}

// middle returns where a part of the given length begins in the middle of a side, a half rounded to the even
// number.
func middle(side, part int) int {
	twice := side - part
	return twice/2 + twice&(twice/2)&1
}

// mirror exchanges left and right in an image whose rows have the given width.
func mirror(pixels []byte, width int) {
	for row := range slices.Chunk(pixels, width) {
		slices.Reverse(row)
	}
}
