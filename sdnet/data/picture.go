package data

import (
	"image"

	"sdref/internal/misuse"
)

// Pixels returns a picture as Files brings one to a network's shape for evaluation, channels x height x width bytes: scaled, its ratio
// kept, until it just covers height x width, and the middle cut out. With a margin it covers 8/7 of that in each direction, as the networks
// of folders of classes are evaluated; without one, pictures of that size stay as they are. For one channel colours become their
// luminance (ITU-R BT.601). It panics unless the picture has pixels and CheckShape approves of the shape.
func Pixels(m image.Image, shape [3]int, margin bool) []byte {
	size := m.Bounds().Size()
	if CheckShape(shape) != nil || size.X < 1 || size.Y < 1 {
		panic(misuse.Errorf("data: Pixels: a picture of %d x %d pixels, shape %v", size.X, size.Y, shape))
	}
	dst := make([]byte, elements(shape))
	height, width := shape[1], shape[2]
	if margin {
		height, width = height*8/7, width*8/7
	}
	width, height = cover(size.X, size.Y, width, height)
	scale(dst, shape, pixels(m, m.Bounds(), shape[0]), size.X, size.Y, width, height, middle(width, shape[2]), middle(height, shape[1]))
	return dst
}

// Picture returns pixels, 3 x height x width bytes, such as a Set's Image, as an opaque picture. It panics if there are more or fewer.
func Picture(pixels []byte, height, width int) *image.RGBA {
	plane := height * width
	if height < 0 || width < 0 || len(pixels) != 3*plane {
		panic(misuse.Errorf("data: Picture: %d bytes, want 3 x %d x %d", len(pixels), height, width))
	}
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range plane {
		copy(m.Pix[4*i:], []byte{pixels[i], pixels[plane+i], pixels[2*plane+i], 0xff})
	}
	return m
}
