package data

import (
	"bytes"
	"math"
	"testing"

	"sdref/internal/random"
)

// A reflected view against its definition: the image is continued by its mirror image at each edge, whose outermost pixels are not repeated.
func TestReflectedViews(t *testing.T) {
	const extent = 5
	image := make([]byte, Channels*extent*extent)
	for i := range image {
		image[i] = byte(i)
	}
	at := func(c, row, column int) byte {
		for row < 0 || row >= extent {
			if row < 0 {
				row = -row
			} else {
				row = 2*(extent-1) - row
			}
		}
		for column < 0 || column >= extent {
			if column < 0 {
				column = -column
			} else {
				column = 2*(extent-1) - column
			}
		}
		return image[(c*extent+row)*extent+column]
	}
	for down := -4; down <= 4; down++ {
		for right := -4; right <= 4; right++ {
			for _, flip := range []bool{false, true} {
				got := make([]byte, len(image))
				View{Down: down, Right: right, Flip: flip, Reflect: true}.Write(got, image, rgb(extent))
				for i, v := range got {
					c, row, column := i/extent/extent, i/extent%extent, i%extent
					if flip {
						column = extent - 1 - column
					}
					if want := at(c, row-down, column-right); v != want {
						t.Fatalf("down %d, right %d, flip %t: byte %d is %d, want %d", down, right, flip, i, v, want)
					}
				}
			}
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("moved by more than the image has, and no panic")
		}
	}()
	View{Down: 5, Reflect: true}.Write(make([]byte, len(image)), image, rgb(extent))
}

// Of any two epochs one after the other an image is mirrored in one; half of the images begin mirrored, and all moves occur.
func TestReflected(t *testing.T) {
	d := Shapes(200, 0, 1)
	draws, most := random.New(3), 2
	r := Cropped{d.Train}.Reflected(most, true)
	moves, mirrored := map[View]int{}, 0
	for i := range r.Len() {
		var flips [4]bool
		for epoch := range flips {
			got := make([]byte, ImageBytes)
			if err := r.Augment(got, i, draws, uint64(epoch), uint64(i)); err != nil {
				t.Fatal(err)
			}
			found := false
			for down := -most; down <= most && !found; down++ {
				for right := -most; right <= most && !found; right++ {
					for _, flip := range []bool{false, true} {
						want, v := make([]byte, ImageBytes), View{Down: down, Right: right, Flip: flip, Reflect: true}
						v.Write(want, d.Train.Image(i), rgb(Side))
						if bytes.Equal(got, want) {
							flips[epoch], found = flip, true
							v.Flip = false
							moves[v]++
							break
						}
					}
				}
			}
			if !found {
				t.Fatalf("image %d of epoch %d is no view of it", i, epoch)
			}
		}
		for epoch := 1; epoch < len(flips); epoch++ {
			if flips[epoch] == flips[epoch-1] {
				t.Errorf("image %d is mirrored %t in epochs %d and %d", i, flips[epoch], epoch-1, epoch)
			}
		}
		if flips[0] {
			mirrored++
		}
	}
	if len(moves) != 25 || mirrored < 70 || mirrored > 130 {
		t.Errorf("%d moves, %d of %d images mirrored at first", len(moves), mirrored, r.Len())
	}
	random, same := Cropped{d.Train}.Reflected(most, false), 0
	a, b := make([]byte, ImageBytes), make([]byte, ImageBytes)
	for i := range random.Len() {
		_, _ = random.Augment(a, i, draws, 0, uint64(i)), random.Augment(b, i, draws, 1, uint64(i))
		if bytes.Equal(a, b) {
			same++
		}
	}
	if same == 0 || same > 20 { // one of fifty moves
		t.Errorf("%d of %d images the same in two epochs", same, random.Len())
	}
}

func TestViewWeights(t *testing.T) {
	for _, views := range [][]View{Flips, Shifts, Crops} {
		sum := 0.0
		for _, w := range Weights(views) {
			sum += w
		}
		if math.Abs(sum-1) > 1e-15 {
			t.Errorf("%v: the weights add up to %v", views, sum)
		}
	}
	if w := Weights(Crops); w[0] != 0.25 || w[5] != 0.125 {
		t.Errorf("%v", w)
	}
}
