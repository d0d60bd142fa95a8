package data

import (
	"image"

	"sdref/internal/misuse"
)

// Pixels returns a picture as Files brings one to a network's size for evaluation: its shorter side scaled to side, at least extent, and
// the middle cut out, 3 x extent x extent bytes. A network of a folder of classes was trained with side = extent*8/7, others with side
// = extent, so that pictures of that size stay as they are. It panics unless the picture has pixels and 0 < extent <= side.
func Pixels(m image.Image, side, extent int) []byte {
	size := m.Bounds().Size()
	if extent < 1 || side < extent || size.X < 1 || size.Y < 1 {
		panic(misuse.Errorf("data: Pixels: a picture of %d x %d pixels, side %d, extent %d", size.X, size.Y, side, extent))
	}
	dst := make([]byte, 3*extent*extent)
	width, height := enlarge(size.X, size.Y, side)
	scale(dst, extent, pixels(m, m.Bounds()), size.X, size.Y, width, height, middle(width, extent), middle(height, extent))
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
