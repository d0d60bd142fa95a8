package data

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/internal/random"
)

// oblong are the shapes of images that are neither square nor, some, in colours.
var oblong = [][3]int{{3, 5, 8}, {1, 5, 8}, {1, 9, 4}, {1, 6, 6}}

// Views of images that are not square, against their definition pixel by pixel.
func TestOblongViews(t *testing.T) {
	for _, shape := range oblong {
		channels, height, width := shape[0], shape[1], shape[2]
		from := make([]byte, elements(shape))
		for i := range from {
			from[i] = byte(i + 1)
		}
		for _, v := range []View{{}, {Flip: true}, {Down: 2, Right: -3}, {Down: -1, Right: 2, Flip: true}, {Down: 40},
			{Down: 2, Right: -3, Reflect: true}, {Down: -3, Right: 3, Flip: true, Reflect: true}} {
			got := make([]byte, len(from))
			v.Write(got, from, shape)
			at := func(c, y, x int) byte {
				if v.Reflect {
					y, x = bounce(y, height), bounce(x, width)
				}
				if y < 0 || y >= height || x < 0 || x >= width {
					return 0
				}
				return from[(c*height+y)*width+x]
			}
			for i, is := range got {
				c, y, x := i/(height*width), i/width%height, i%width
				if v.Flip {
					x = width - 1 - x
				}
				if want := at(c, y-v.Down, x-v.Right); is != want {
					t.Fatalf("%v %+v: byte %d of channel %d of %d is %d, want %d", shape, v, i, c, channels, is, want)
				}
			}
		}
	}
}

// bounce reflects a place at the first and the last pixel of a line until it is on it.
func bounce(i, n int) int {
	for i < 0 || i >= n {
		if i < 0 {
			i = -i
		} else {
			i = 2*(n-1) - i
		}
	}
	return i
}

// Grey is the luminance to the nearest byte, and a grey picture stays as it is.
func TestLuminance(t *testing.T) {
	for r := 0; r < 256; r += 5 {
		for g := 0; g < 256; g += 3 {
			for b := 0; b < 256; b += 7 {
				want := 0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)
				if got := luminance(byte(r), byte(g), byte(b)); math.Abs(float64(got)-want) > 0.503 { // the weights are rounded
					t.Fatalf("%d %d %d: %d, want %g", r, g, b, got, want)
				}
			}
		}
		if got := luminance(byte(r), byte(r), byte(r)); got != byte(r) {
			t.Errorf("grey %d becomes %d", r, got)
		}
	}
	m := image.NewGray(image.Rect(3, 4, 3+8, 4+5))
	for i := range m.Pix {
		m.Pix[i] = byte(17 * i)
	}
	if got := Pixels(m, [3]int{1, 5, 8}, false); !slices.Equal(got, m.Pix) {
		t.Errorf("%d, want %d", got, m.Pix)
	}
}

// A picture is scaled until it covers the shape, and the middle is taken.
func TestPixelsCover(t *testing.T) {
	for _, c := range []struct {
		width, height, toWidth, toHeight int // of the picture, and what it is scaled to
		shape                            [3]int
	}{
		{16, 10, 16, 10, [3]int{3, 10, 16}}, {32, 20, 16, 10, [3]int{1, 10, 16}}, {40, 20, 20, 10, [3]int{3, 10, 16}},
		{16, 31, 16, 31, [3]int{1, 10, 16}}, {7, 7, 16, 16, [3]int{1, 10, 16}}, {7, 7, 16, 16, [3]int{3, 16, 10}},
	} {
		m := asImage(randomPixels(4, c.width, c.height), c.width, c.height)
		want := make([]byte, elements(c.shape))
		scale(want, c.shape, pixels(m, m.Bounds(), c.shape[0]), c.width, c.height, c.toWidth, c.toHeight,
			middle(c.toWidth, c.shape[2]), middle(c.toHeight, c.shape[1]))
		if !slices.Equal(Pixels(m, c.shape, false), want) {
			t.Errorf("%+v: other pixels", c)
		}
	}
}

// Files and pictures in memory of any shape are the same bytes, and what training sees of them lies within them.
func TestOblongSets(t *testing.T) {
	dir := t.TempDir()
	var list []image.Image
	for i := range 3 {
		m := asImage(randomPixels(uint64(i), 11+i, 9), 11+i, 9)
		list = append(list, m)
		for _, part := range []string{"train", "val"} {
			put(t, fmt.Sprintf("%s/%s/class%d/x.png", dir, part, i), encodePNG(t, m))
		}
	}
	for _, shape := range oblong {
		memory, err := NewPictures("memory", shape, func(yield func(image.Image, int) bool) {
			for i, m := range list {
				if !yield(m, i) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		folder, err := OpenFolder(dir, shape)
		if err != nil {
			t.Fatal(err)
		}
		d, err := Own("own", folder.Train.Classes, memory, folder.Test.WithoutMargin())
		if err != nil {
			t.Fatal(err)
		}
		if shape[0] == 1 && (d.Mean != [3]float64{d.Mean[0], d.Mean[0], d.Mean[0]} || d.Std != [3]float64{d.Std[0], d.Std[0], d.Std[0]}) {
			t.Errorf("%v: %v, %v", shape, d.Mean, d.Std)
		}
		a, b := make([]byte, elements(shape)), make([]byte, elements(shape))
		for i := range list {
			if err := d.Test.Plain(a, i); err != nil || !slices.Equal(a, memory.Image(i)) {
				t.Errorf("%v: image %d differs, %v", shape, i, err)
			}
			for position := range uint64(5) {
				draws := random.New(3)
				if err := memory.Augment(a, i, draws, 1, position); err != nil {
					t.Fatal(err)
				}
				crop := DrawCrop(draws, 1, position)
				View{Down: Padding - crop.Row, Right: Padding - crop.Column, Flip: crop.Flip}.Write(b, memory.Image(i), shape)
				if !slices.Equal(a, b) {
					t.Errorf("%v: augmented image %d differs", shape, i)
				}
				if err := folder.Train.Augment(a, i, draws, 1, position); err != nil {
					t.Fatal(err)
				}
				box := drawResizedCrop(draws, 1, position, list[i].Bounds().Dx(), list[i].Bounds().Dy())
				scale(b, shape, pixels(list[i], box.Box, shape[0]), box.Box.Dx(), box.Box.Dy(), shape[2], shape[1], 0, 0)
				if box.Flip {
					mirror(b, shape[2])
				}
				if !slices.Equal(a, b) {
					t.Errorf("%v: augmented file %d differs", shape, i)
				}
				if err := memory.Reflected(3, true).Augment(a, i, draws, 1, position); err != nil || slices.Min(a) < slices.Min(memory.Image(i)) {
					t.Errorf("%v: reflected image %d: %v", shape, i, err)
				}
			}
		}
	}
}

// A description says another shape only where there is one, and takes none that no image has.
func TestDescribedShapes(t *testing.T) {
	std := [3]float64{1, 1, 1}
	for want, shape := range map[string][3]int{
		`{"size":32,"mean":[0,0,0],"std":[1,1,1]}`:                       rgb(32),
		`{"size":5,"width":8,"mean":[0,0,0],"std":[1,1,1]}`:              {3, 5, 8},
		`{"size":5,"width":8,"channels":1,"mean":[0,0,0],"std":[1,1,1]}`: {1, 5, 8},
		`{"size":28,"channels":1,"mean":[0,0,0],"std":[1,1,1]}`:          {1, 28, 28},
	} {
		d := Description{Std: std}.Of(shape)
		text, err := json.Marshal(d)
		if err != nil || string(text) != want || d.Shape() != shape || d.Check() != nil {
			t.Errorf("%s, want %s; %v, %v, %v", text, want, d.Shape(), err, d.Check())
		}
		var again Description
		if err := json.Unmarshal(text, &again); err != nil || again.Shape() != shape {
			t.Errorf("%v, %v", again.Shape(), err)
		}
		if again.Of(rgb(7)).Shape() != rgb(7) {
			t.Error("the shape stays what it was")
		}
	}
	for _, d := range []Description{{Size: 4, Width: -1, Std: std}, {Size: 4, Channels: 2, Std: std}, {Width: 3, Std: std}, {Size: 1 << 20, Width: 3, Std: std}} {
		if err := d.Check(); err == nil || !strings.Contains(err.Error(), "pixels") {
			t.Errorf("%+v: %v", d, err)
		}
	}
	list := Description{Std: std}.Of([3]int{1, 5, 8}).Differences(Description{Std: std}.Of(rgb(8)))
	if len(list) != 1 || list[0] != "images of 8 x 8 pixels, not 5 x 8 grey pixels" {
		t.Errorf("%q", list)
	}
	if got := ShapeText([3]int{4, 5, 8}); got != "5 x 8 4-channel pixels" {
		t.Error(got)
	}
}
