package data

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // registers the format for image.Decode
	_ "image/png"
	"os"
)

// maxPixels is the greatest number of pixels of an image: decoded it takes up to eight bytes a pixel, and a
// file of a few bytes can claim any size.
const maxPixels = 1 << 26

// decode reads an image file.
func decode(path string) (image.Image, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err // os.Open's errors name the path
	}
	defer file.Close()
	if err := checkHeader(file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := file.Seek(0, 0); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// checkHeader reads the beginning of an image file and returns an error if it is not an image that can be
// read.
func checkHeader(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("not a regular file")
	}
	config, _, err := image.DecodeConfig(file)
	switch {
	case errors.Is(err, image.ErrFormat):
		return errors.New("neither a JPEG nor a PNG file")
	case err != nil:
		return err
	case config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height:
		return fmt.Errorf("%d x %d pixels, want 1 to %d", config.Width, config.Height, maxPixels)
	}
	return nil
}

// pixels returns a box of an image as 3 x height x width bytes.
func pixels(m image.Image, box image.Rectangle) []byte {
	width, plane := box.Dx(), box.Dx()*box.Dy()
	out := make([]byte, 3*plane)
	photo, isPhoto := m.(*image.YCbCr) // nearly all images are, and this path is faster
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			at := (y-box.Min.Y)*width + x - box.Min.X
			if isPhoto {
				i, j := photo.YOffset(x, y), photo.COffset(x, y)
				out[at], out[plane+at], out[2*plane+at] = color.YCbCrToRGB(photo.Y[i], photo.Cb[j],
					photo.Cr[j])
			} else {
				out[at], out[plane+at], out[2*plane+at] = opaque(m.At(x, y))
			}
		}
	}
	return out
}

// opaque returns red, green and blue of a colour as if it were opaque.
func opaque(c color.Color) (r, g, b byte) {
	switch c := c.(type) {
	case color.NRGBA:
		return c.R, c.G, c.B
	case color.NRGBA64:
		return byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)
	}
	red, green, blue, _ := c.RGBA()
	return byte(red >> 8), byte(green >> 8), byte(blue >> 8)
}
