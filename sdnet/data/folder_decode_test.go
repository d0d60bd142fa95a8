package data

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/internal/random"
)

// pixelsOf decodes a file.
func pixelsOf(t testing.TB, path string) (got []byte) {
	t.Helper()
	if err := disk.decodeFile(path, func(m image.Image) { got = pixels(m, m.Bounds(), Channels) }); err != nil {
		t.Fatal(err)
	}
	return got
}

// check looks at the beginnings of a set's files.
func check(s *Files) error {
	broken, err := s.Check(context.Background(), false, func(int) {})
	return errors.Join(append(broken, err)...)
}

// Every kind of file becomes three channels of bytes.
func TestDecodeKinds(t *testing.T) {
	box := image.Rect(0, 0, 2, 1)
	grey16, wide, clear, grey := image.NewGray16(box), image.NewNRGBA64(box), image.NewNRGBA(box),
		image.NewGray(box)
	palette := image.NewPaletted(box, color.Palette{color.NRGBA{9, 8, 7, 0}, color.NRGBA{200, 100, 50, 255}})
	for x := range 2 {
		grey16.SetGray16(x, 0, color.Gray16{0x12ff + uint16(x)<<8})
		wide.SetNRGBA64(x, 0, color.NRGBA64{0x01ff, 0x02ff, 0x03ff, 0x00ff})
		clear.SetNRGBA(x, 0, color.NRGBA{1, 2, byte(x), 0})
		grey.SetGray(x, 0, color.Gray{byte(5 + x)})
		palette.SetColorIndex(x, 0, byte(x))
	}
	for name, c := range map[string]struct {
		m    image.Image
		want []byte
	}{
		"grey, 16 bits":         {grey16, []byte{0x12, 0x13, 0x12, 0x13, 0x12, 0x13}},
		"16 bits, transparent":  {wide, []byte{1, 1, 2, 2, 3, 3}},
		"8 bits, transparent":   {clear, []byte{1, 1, 2, 2, 0, 1}},
		"grey":                  {grey, []byte{5, 6, 5, 6, 5, 6}},
		"palette, transparency": {palette, []byte{9, 200, 8, 100, 7, 50}},
	} {
		path := filepath.Join(t.TempDir(), "image.png")
		put(t, path, encodePNG(t, c.m))
		got := pixelsOf(t, path)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	alpha := image.NewNYCbCrA(box, image.YCbCrSubsampleRatio444) // of WebP
	copy(alpha.Y, []byte{50, 60})
	copy(alpha.Cb, []byte{128, 128})
	copy(alpha.Cr, []byte{128, 128})
	copy(alpha.A, []byte{0, 200})
	if got := pixels(alpha, box, Channels); !slices.Equal(got, []byte{50, 60, 50, 60, 50, 60}) {
		t.Errorf("transparent, luminance and chrominance: %d", got)
	}
	faint := image.NewRGBA(box)
	faint.SetRGBA(0, 0, color.RGBA{50, 25, 0, 100}) // multiplied by its opacity
	if got := pixels(faint, box, Channels); got[0] != 127 || got[2] != 63 || got[4] != 0 {
		t.Errorf("transparent, multiplied: %d", got)
	}
	cmyk := image.NewCMYK(box)
	cmyk.SetCMYK(0, 0, color.CMYK{0, 128, 255, 0})
	if got := pixels(cmyk, box, Channels); got[0] != 255 || got[2] != 127 || got[4] != 0 {
		t.Errorf("CMYK: %d", got)
	}
	path := filepath.Join(t.TempDir(), "grey.jpg")
	put(t, path, encodeJPEG(t, grey))
	if got := pixelsOf(t, path); len(got) != 6 {
		t.Errorf("a grey JPEG: %d", got)
	}
	// The fast path for photographs gives the colours of the image itself.
	m, err := jpeg.Decode(bytes.NewReader(encodeJPEG(t, asImage(randomPixels(1, 21, 13), 21, 13))))
	if err != nil {
		t.Fatal(err)
	}
	part := image.Rect(3, 2, 20, 13)
	got := pixels(m, part, Channels)
	for x := part.Min.X; x < part.Max.X; x++ {
		for y := part.Min.Y; y < part.Max.Y; y++ {
			at16 := m.(*image.YCbCr).YCbCrAt(x, y)
			r, g, b := color.YCbCrToRGB(at16.Y, at16.Cb, at16.Cr)
			at, plane := (y-2)*17+x-3, 17*11
			if got[at] != r || got[plane+at] != g || got[2*plane+at] != b {
				t.Fatalf("%d, %d: %d %d %d, want %d %d %d", x, y, got[at], got[plane+at], got[2*plane+at], r,
					g, b)
			}
		}
	}
}

// Files that are not images are found by Check, or when they are read; the error names them.
func TestDecodeCorruptFiles(t *testing.T) {
	good := encodeJPEG(t, asImage(randomPixels(1, 64, 64), 64, 64))
	huge := encodePNG(t, image.NewGray(image.Rect(0, 0, 3, 3)))
	huge[17], huge[21] = 1, 1 // width and height
	binary.BigEndian.PutUint32(huge[29:], crc32.ChecksumIEEE(huge[12:29]))
	for _, c := range []struct {
		name    string
		content []byte
		says    string
		late    bool // found when it is decoded
	}{
		{"empty", nil, "an empty file, no image", false},
		{"text", []byte("no image at all, but some text"), "a text, no image of JPEG", false},
		{"head only", good[:20], "EOF", false},
		{"half", good[:len(good)/2], "", true},
		{"huge", huge, "65539 x 65539 pixels", false},
		{"checksum", func() []byte {
			b := encodePNG(t, image.NewGray(image.Rect(0, 0, 3, 3)))
			b[len(b)-14] ^= 1
			return b
		}(), "", true},
	} {
		dir := classFolder(t)
		path := filepath.Join(dir, "train/cat/1.jpg")
		put(t, path, c.content)
		d := openFolder(t, dir)
		err := check(d.Train)
		if c.late != (err == nil) {
			t.Errorf("%s: Check: %v", c.name, err)
		}
		if err == nil {
			err = d.Train.Plain(make([]byte, 3*32*32), 1)
		}
		if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := d.Train.Plain(make([]byte, 3*32*32), 2); err != nil {
			t.Errorf("%s: the file beside it: %v", c.name, err)
		}
	}
	dir := classFolder(t)
	d := openFolder(t, dir)
	removeAll(t, filepath.Join(dir, "train/cat/1.jpg"))
	if err := check(d.Train); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if err := d.Train.Augment(make([]byte, 3*32*32), 1, random.New(1), 0, 0); !errors.Is(err,
		fs.ErrNotExist) {
		t.Error(err)
	}
}
