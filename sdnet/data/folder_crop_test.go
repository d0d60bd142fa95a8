package data

import (
	"image"
	"math"
	"testing"

	"sdref/internal/random"
)

// The draws' areas and ratios are those of the recipe, their places and flips even.
func TestResizedCrop(t *testing.T) {
	const width, height, n = 400, 300, 20_000
	draws, all := random.New(1), image.Rect(0, 0, width, height)
	// Boxes too large for the image are drawn again: the means of what is left, over a grid.
	wantArea, wantRatio, fits := 0.0, 0.0, 0.0
	for i := range 1000 {
		for j := range 1000 {
			area, ratio := 0.08+0.92*(float64(i)+0.5)/1000, ((float64(j)+0.5)/500-1)*math.Log(4.0/3)
			if area*width*height*math.Exp(ratio) < width*width &&
				area*width*height/math.Exp(ratio) < height*height {
				wantArea, wantRatio, fits = wantArea+area, wantRatio+ratio, fits+1
			}
		}
	}
	wantArea, wantRatio = wantArea/fits, wantRatio/fits
	areas, ratios, flips, left := 0.0, 0.0, 0, 0.0
	for i := range uint64(n) {
		c := drawResizedCrop(draws, i%7, i, width, height)
		if !c.Box.In(all) || c.Box.Empty() {
			t.Fatalf("box %v", c.Box)
		}
		w, h := float64(c.Box.Dx()), float64(c.Box.Dy())
		area, ratio := w*h/(width*height), math.Log(w/h)
		if area < 0.08*0.98 || ratio < -math.Log(4.0/3)-0.03 || ratio > math.Log(4.0/3)+0.03 {
			t.Fatalf("box %v: %v of the area, ratio %v", c.Box, area, w/h)
		}
		areas += area / n
		ratios += ratio / n
		if room := width - c.Box.Dx(); room > 0 {
			left += float64(c.Box.Min.X) / float64(room) / n
		}
		if c.Flip {
			flips++
		}
	}
	if math.Abs(areas-wantArea) > 0.01 || math.Abs(ratios-wantRatio) > 0.005 || math.Abs(left-0.5) > 0.01 ||
		math.Abs(float64(flips)/n-0.5) > 0.015 {
		t.Errorf("mean area %v, want %v, mean logarithm of the ratio %v, want %v, place %v, %d flips of %d",
			areas, wantArea, ratios, wantRatio, left, flips, n)
	}
	if a, b := drawResizedCrop(draws, 1, 2, width, height),
		drawResizedCrop(draws, 1, 2, width, height); a != b {
		t.Errorf("%v and %v", a, b)
	}
	for name, c := range map[string]resizedCrop{"epoch": drawResizedCrop(draws, 2, 2, width, height),
		"position": drawResizedCrop(draws, 1, 3, width, height),
		"stream":   drawResizedCrop(random.New(2), 1, 2, width, height)} {
		if c == drawResizedCrop(draws, 1, 2, width, height) {
			t.Errorf("another %s changes nothing", name)
		}
	}
}

// Of an image so long that no box fits, the middle is taken, as far as the ratio allows.
func TestResizedCropOfAStrip(t *testing.T) {
	for _, c := range []struct {
		width, height int
		want          image.Rectangle
	}{{1000, 3, image.Rect(498, 0, 502, 3)}, {3, 1000, image.Rect(0, 498, 3, 502)},
		{1, 1, image.Rect(0, 0, 1, 1)}} {
		if got := drawResizedCrop(random.New(1), 0, 0, c.width, c.height).Box; got != c.want {
			t.Errorf("%d x %d: %v, want %v", c.width, c.height, got, c.want)
		}
	}
}

func TestScaledSizes(t *testing.T) {
	for _, c := range [][5]int{{500, 375, 256, 341, 256}, {375, 500, 256, 256, 341},
		{100, 100, 256, 256, 256}, {2, 9, 36, 36, 162}} {
		if w, h := cover(c[0], c[1], c[2], c[2]); w != c[3] || h != c[4] {
			t.Errorf("%d x %d: %d x %d, want %d x %d", c[0], c[1], w, h, c[3], c[4])
		}
	}
	// Python's round((side-224)/2)
	for side, want := range map[int]int{224: 0, 225: 0, 226: 1, 227: 2, 228: 2, 229: 2, 341: 58, 256: 16} {
		if got := middle(side, 224); got != want {
			t.Errorf("middle of %d: %d, want %d", side, got, want)
		}
	}
	row := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	if mirror(row, 2); string(row) != "\x02\x01\x04\x03\x06\x05\x08\x07\x0a\x09\x0c\x0b" {
		t.Errorf("%d", row)
	}
}
