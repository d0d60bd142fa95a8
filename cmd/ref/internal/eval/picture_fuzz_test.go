package eval

import (
	"bytes"
	"image"
	"image/color"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/sdnet/data"
)

// FuzzPicture: no bytes make the decoders of the formats that only the program registers panic, nor show more pixels than they begin with.
func FuzzPicture(f *testing.F) {
	m := clitest.Picture(data.Shapes(1, 0, 1).Train, 0).(*image.NRGBA).SubImage(image.Rect(3, 5, 12, 17))
	var b, plain, packed bytes.Buffer
	for _, err := range []error{bmp.Encode(&b, m), tiff.Encode(&plain, m, nil), tiff.Encode(&packed, m, &tiff.Options{Compression: tiff.Deflate, Predictor: true})} {
		if err != nil {
			f.Fatal(err)
		}
	}
	webp := clitest.WebP(5, 4, color.NRGBA{1, 2, 3, 255})
	for _, seed := range [][]byte{b.Bytes(), plain.Bytes(), packed.Bytes(), webp, b.Bytes()[:40], plain.Bytes()[:60], webp[:21]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		// 36 bytes of WebP can be 50 million pixels, which take seconds: as long as so many take in any file, and too long for a fuzzer.
		const most = 1 << 20
		if c, _, err := image.DecodeConfig(bytes.NewReader(content)); err == nil && int64(c.Width)*int64(c.Height) > most {
			return
		}
		_ = data.ReadImage(bytes.NewReader(content), int64(len(content)), func(m image.Image) {
			if size := m.Bounds().Size(); size.X < 1 || size.Y < 1 {
				t.Errorf("%v", size)
			}
			m.At(m.Bounds().Max.X-1, m.Bounds().Max.Y-1)
		})
	})
}
