package clitest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"sdref/sdnet/data"
)

// Picture is image i of a set as a picture.
func Picture(s *data.Set, i int) image.Image {
	m, pixels := image.NewNRGBA(image.Rect(0, 0, data.Side, data.Side)), s.Image(i)
	const plane = data.Side * data.Side
	for p := range plane {
		m.SetNRGBA(p%data.Side, p/data.Side, color.NRGBA{pixels[p], pixels[plane+p], pixels[2*plane+p], 255})
	}
	return m
}

// PNG is a picture as a file.
func PNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Pictures writes drawn images as PNG files to FOLDER/PART/CLASS: each of the first classes has as many as the part says, and the images
// of one part are not those of another.
func Pictures(t testing.TB, classes int, parts map[string]int) string {
	t.Helper()
	dir, set, at := t.TempDir(), data.Shapes(200, 0, 3).Train, 0
	for _, part := range []string{"train", "val", "valid", "test", "."} {
		for range parts[part] {
			for label := range classes {
				folder := filepath.Join(dir, part, set.Classes[label])
				if err := os.MkdirAll(folder, 0o777); err != nil {
					t.Fatal(err)
				}
				Put(t, filepath.Join(folder, fmt.Sprintf("%03d.png", at)), PNG(t, Picture(set, 10*at+label)))
			}
			at++
		}
	}
	return dir
}

// Move gives a file or folder another name.
func Move(t testing.TB, from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// WebP is a lossless WebP file of one colour, for which there is no encoder: each of its five prefix codes has one symbol, so that
// pixels take no bits.
func WebP(width, height int, c color.NRGBA) []byte {
	var bits, n, stream = uint64(0), 0, []byte{0x2f}
	put := func(value, count int) {
		bits |= uint64(value) << n
		for n += count; n >= 8; n -= 8 {
			stream, bits = append(stream, byte(bits)), bits>>8
		}
	}
	put(width-1, 14)
	put(height-1, 14)
	put(0, 1+3+1+1+1) // alpha, version, and no transform, no cache of colours, no codes by region
	for _, symbol := range []byte{c.G, c.R, c.B, c.A} {
		put(1+0<<1+1<<2, 3) // a simple code of one symbol of eight bits
		put(int(symbol), 8)
	}
	put(1, 4) // distances: of one symbol of one bit, 0
	put(0, 7) // fills the last byte
	if len(stream)%2 != 0 {
		stream = append(stream, 0)
	}
	file := append([]byte("WEBPVP8L"), binary.LittleEndian.AppendUint32(nil, uint32(len(stream)))...)
	file = append(file, stream...)
	return append(append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(len(file)))...), file...)
}
