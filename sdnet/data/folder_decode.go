package data

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // registers the format for image.Decode
	_ "image/jpeg"
	_ "image/png"
	"io"

	"golang.org/x/sync/semaphore"

	"sdref/internal/filekind"
)

// Formats says, for messages, of which formats images are read.
const Formats = "JPEG, PNG, GIF, BMP, TIFF or WebP"

// A file of a few bytes can claim any number of pixels, and any number of goroutines decode files at once, so
// that each image has a limit, and all of them together.
const (
	maxPixels  = 1 << 26 // of an image
	maxFile    = 1 << 30 // bytes of its file
	pixelBytes = 24      // of memory for each pixel: decoded, in the decoder's buffers, and as our bytes
	maxDecoded = maxPixels * pixelBytes
)

// decoding is the memory of the images that are being decoded, at most 1.5 GiB.
var decoding = semaphore.NewWeighted(maxDecoded)

// ReadImage decodes an image of the given size in bytes, of a format that is registered with package image, and
// shows it to use. Images beyond 2^26 pixels or 1 GiB are refused, and all that are in use at a time take at
// most 1.5 GiB of memory: others wait.
func ReadImage(r io.ReadSeeker, size int64, use func(image.Image)) error { return decode(r, size, use) }

// decodeFile reads an image file. Errors name it.
func (t tree) decodeFile(path string, use func(image.Image)) error {
	file, size, err := t.openImage(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := decode(file, size, use); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func decode(r io.ReadSeeker, size int64, use func(image.Image)) error {
	config, err := checkHeader(r, size)
	if err != nil {
		return err
	}
	memory := int64(config.Width) * int64(config.Height) * pixelBytes
	if err := decoding.Acquire(context.Background(), memory); err != nil {
		return err
	}
	defer decoding.Release(memory)
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var m image.Image
	err = guard(func() error {
		m, _, err = image.Decode(r)
		return err
	})
	if err != nil {
		return err
	}
	if b := m.Bounds(); b.Dx() < 1 || b.Dy() < 1 || b.Dx() > config.Width || b.Dy() > config.Height {
		return fmt.Errorf("%d x %d pixels, where it begins with %d x %d", b.Dx(), b.Dy(), config.Width, config.Height)
	}
	use(m)
	return nil
}

// guard turns the panic of a decoder, which is a library's and runs on bytes of anybody's, into an error.
func guard(decoder func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder failed: %v", p)
		}
	}()
	return decoder()
}

// checkHeader reads the beginning of an image file and returns its size in pixels, or an error if it is not an
// image that can be read.
func checkHeader(r io.ReadSeeker, size int64) (image.Config, error) {
	if size > maxFile {
		return image.Config{}, fmt.Errorf("%d bytes, more than the %d of an image's file", size, maxFile)
	}
	beginning := make([]byte, min(size, filekind.Beginning))
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return image.Config{}, err
	}
	if _, err := io.ReadFull(r, beginning); err != nil {
		return image.Config{}, err
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return image.Config{}, err
	}
	var config image.Config
	err := guard(func() (err error) {
		config, _, err = image.DecodeConfig(r)
		return err
	})
	switch {
	case errors.Is(err, image.ErrFormat):
		if kind := filekind.Describe(beginning); kind != "" {
			return config, fmt.Errorf("%s, no image of %s", kind, Formats)
		}
		return config, fmt.Errorf("no image of %s", Formats)
	case err != nil:
		return config, err
	case config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height:
		return config, fmt.Errorf("%d x %d pixels, want 1 to %d", config.Width, config.Height, maxPixels)
	}
	return config, nil
}

// pixels returns a box of an image as channels x height x width bytes, of 3 channels, or of 1, the luminance.
func pixels(m image.Image, box image.Rectangle, channels int) []byte {
	width, plane := box.Dx(), box.Dx()*box.Dy()
	out := make([]byte, channels*plane)
	photo, isPhoto := m.(*image.YCbCr) // nearly all images are, and this path is faster
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			at := (y-box.Min.Y)*width + x - box.Min.X
			var r, g, b byte
			if isPhoto {
				i, j := photo.YOffset(x, y), photo.COffset(x, y)
				r, g, b = color.YCbCrToRGB(photo.Y[i], photo.Cb[j], photo.Cr[j])
			} else {
				r, g, b = opaque(m.At(x, y))
			}
			if channels == 1 {
				out[at] = luminance(r, g, b)
			} else {
				out[at], out[plane+at], out[2*plane+at] = r, g, b
			}
		}
	}
	return out
}

// luminance is 0.299 r + 0.587 g + 0.114 b (ITU-R BT.601), in 65536ths that add up to 1, so that grey stays as it is.
func luminance(r, g, b byte) byte {
	return byte((19595*uint32(r) + 38470*uint32(g) + 7471*uint32(b) + 1<<15) >> 16)
}

// opaque returns red, green and blue of a colour as if it were opaque.
func opaque(c color.Color) (r, g, b byte) {
	switch c := c.(type) {
	case color.NRGBA:
		return c.R, c.G, c.B
	case color.NRGBA64:
		return byte(c.R >> 8), byte(c.G >> 8), byte(c.B >> 8)
	case color.NYCbCrA:
		return color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
	}
	red, green, blue, alpha := c.RGBA()
	if alpha > 0 && alpha < 0xffff { // they are multiplied by it
		red, green, blue = red*0xffff/alpha, green*0xffff/alpha, blue*0xffff/alpha
	}
	return byte(red >> 8), byte(green >> 8), byte(blue >> 8)
}
