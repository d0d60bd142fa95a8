package data

import (
	"fmt"

	"sdref/internal/misuse"
)

// maxExtent is the greatest height and width of images: a batch of larger ones would not fit in memory.
const maxExtent = 1 << 16

// CheckShape tells what is wrong with the shape of an image, channels x height x width: it has 3 channels, or 1, which is grey.
func CheckShape(shape [3]int) error {
	if shape[0] != 1 && shape[0] != Channels || min(shape[1], shape[2]) < 1 || max(shape[1], shape[2]) > maxExtent {
		return fmt.Errorf("images of %d channels, %d x %d pixels: want %d channels, or 1 for grey ones, and from 1 to %d pixels in each direction", shape[0],
			shape[1], shape[2], Channels, maxExtent)
	}
	return nil
}

// mustBeShape panics with what CheckShape finds.
func mustBeShape(op string, shape [3]int) {
	if err := CheckShape(shape); err != nil {
		panic(misuse.Errorf("data: %s: %v", op, err))
	}
}

// ShapeText is the shape of an image in words, such as "32 x 32 pixels" or "28 x 28 grey pixels": height, then width.
func ShapeText(shape [3]int) string {
	kind := ""
	switch shape[0] {
	case 1:
		kind = "grey "
	case Channels:
	default:
		kind = fmt.Sprintf("%d-channel ", shape[0])
	}
	return fmt.Sprintf("%d x %d %spixels", shape[1], shape[2], kind)
}

// elements is the number of bytes of an image.
func elements(shape [3]int) int { return shape[0] * shape[1] * shape[2] }
