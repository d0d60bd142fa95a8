package data

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"sdref/internal/random"
)

// randomPixels is an image of 3 x height x width random bytes.
func randomPixels(seed uint64, width, height int) []byte {
	s := random.New(seed)
	pixels := make([]byte, 3*width*height)
	for i := range pixels {
		pixels[i] = byte(s.At(uint64(i)))
	}
	return pixels
}

// asImage is the image of 3 x height x width bytes.
func asImage(pixels []byte, width, height int) *image.NRGBA {
	m, plane := image.NewNRGBA(image.Rect(0, 0, width, height)), width*height
	for i := range plane {
		m.Set(i%width, i/width, color.NRGBA{pixels[i], pixels[plane+i], pixels[2*plane+i], 255})
	}
	return m
}

// The weights against their definition in float64, for lines that shrink, grow and stay.
func TestTriangleTaps(t *testing.T) {
	for _, c := range [][2]int{{1, 1}, {7, 7}, {7, 3}, {3, 7}, {500, 224}, {375, 256}, {33, 224}, {224, 1},
		{1, 5}, {2, 3}} {
		in, out := c[0], c[1]
		for o := range out {
			tap := triangleTaps(o, in, out)
			centre, s := (float64(o)+0.5)*float64(in)/float64(out), math.Max(1, float64(in)/float64(out))
			want, sum := make([]float64, in), 0.0
			for x := range want {
				want[x] = math.Max(0, 1-math.Abs(float64(x)+0.5-centre)/s)
				sum += want[x]
			}
			for x := range want {
				got := 0.0
				if k := x - tap.first; k >= 0 && k < len(tap.weights) {
					got = float64(tap.weights[k]) / float64(tap.sum)
				}
				if math.Abs(got-want[x]/sum) > 1e-12 {
					t.Fatalf("%d to %d, pixel %d: weight of %d is %v, want %v", in, out, o, x, got,
						want[x]/sum)
				}
			}
		}
	}
}

// Nothing happens at the same size; a constant stays one; half the size is a weighted mean that can be done
// by hand; the window is a part of the whole.
func TestScaleByHand(t *testing.T) {
	src := randomPixels(1, 9, 7)
	same := make([]byte, 3*25)
	scale(same, rgb(5), src, 9, 7, 9, 7, 3, 1)
	for i, got := range same {
		c, y, x := i/25, i/5%5, i%5
		if want := src[c*63+(y+1)*9+x+3]; got != want {
			t.Errorf("place %d: %d, want %d", i, got, want)
		}
	}
	flat := slices.Repeat([]byte{77}, 3*40*30)
	small := make([]byte, 3*8*8)
	for _, size := range [][2]int{{8, 8}, {100, 90}, {40, 11}} {
		scale(small, rgb(8), flat, 40, 30, size[0], size[1], 0, 0)
		if slices.Min(small) != 77 || slices.Max(small) != 77 {
			t.Errorf("to %v: a constant image becomes %d", size, small)
		}
	}
	// Four pixels to two: weights 3, 3 and 1 of 7 at the border, whose centre is 1 and whose reach 2.
	line := []byte{10, 20, 55, 255}
	taps := triangleTaps(0, 4, 2)
	if got := taps.mix(line, 1); got != byte(math.Round((3*10+3*20+55)/7.0)) {
		t.Errorf("%d; weights %v", got, taps)
	}
	whole, part := make([]byte, 3*20*20), make([]byte, 3*8*8)
	scale(whole, rgb(20), randomPixels(2, 33, 47), 33, 47, 20, 20, 0, 0)
	scale(part, rgb(8), randomPixels(2, 33, 47), 33, 47, 20, 20, 5, 9)
	for i, got := range part {
		if want := whole[i/64*400+(i/8%8+9)*20+i%8+5]; got != want {
			t.Fatalf("the window differs from the whole at %d: %d, want %d", i, got, want)
		}
	}
}

const pillow = `
import sys
from PIL import Image
m = Image.open(sys.argv[1]).convert("RGB")
sys.stdout.buffer.write(b"".join(c.tobytes() for c in m.resize((int(sys.argv[2]), int(sys.argv[3])), Image.BILINEAR).split()))
`

// The same as Pillow's bilinear scaling, which the usual pipelines use, but for halves, which its weights of
// 22 bits round up or down. Halves are frequent where the sizes are small: 1 of 62 in each direction from 32
// to 31.
func TestScalePillow(t *testing.T) {
	python := "/usr/bin/python3"
	if err := exec.Command(python, "-c", "import PIL").Run(); err != nil {
		t.Skip("no Pillow: ", err)
	}
	for i, c := range []struct{ width, height, to int }{{61, 45, 32}, {20, 50, 32}, {300, 201, 56},
		{32, 32, 31}} {
		src := randomPixels(uint64(i), c.width, c.height)
		path := filepath.Join(t.TempDir(), "image.png")
		put(t, path, encodePNG(t, asImage(src, c.width, c.height)))
		out, err := exec.Command(python, "-c", pillow, path, fmt.Sprint(c.to), fmt.Sprint(c.to)).Output()
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 3*c.to*c.to)
		scale(got, rgb(c.to), src, c.width, c.height, c.to, c.to, 0, 0)
		differ := 0
		for j := range got {
			if d := int(got[j]) - int(out[j]); d < -1 || d > 1 {
				t.Fatalf("%+v, place %d: %d, Pillow has %d", c, j, got[j], out[j])
			} else if d != 0 {
				differ++
			}
		}
		if differ*25 > len(got) {
			t.Errorf("%+v: %d of %d values differ from Pillow's by one", c, differ, len(got))
		}
	}
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func BenchmarkScale(b *testing.B) {
	dst, src := make([]byte, 3*224*224), randomPixels(1, 500, 375)
	for b.Loop() {
		scale(dst, rgb(224), src, 500, 375, 341, 256, 58, 16)
	}
}

// rgb is the shape of square colour images.
func rgb(extent int) [3]int { return [3]int{Channels, extent, extent} }
