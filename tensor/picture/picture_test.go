package picture_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"testing"

	"sdref/tensor"
	"sdref/tensor/picture"
)

// A picture as a tensor, one channel changed, and as a picture again.
func Example() {
	m := image.NewRGBA(image.Rect(0, 0, 2, 1))
	m.SetRGBA(0, 0, color.RGBA{255, 0, 0, 255})
	m.SetRGBA(1, 0, color.RGBA{0, 51, 0, 255})
	x := picture.Tensor[float64](m, 3)
	fmt.Println(x)
	x.Set(0.4, 0, 2, 0, 1) // the second pixel's blue
	fmt.Println(picture.Image(x).RGBAAt(1, 0))
	// Output:
	// float64 [1 3 1 2]: 1 0 0 0.2 0 0
	// {0 51 102 255}
}

// Bytes survive the way there and back, in both types, from any corner, in colour and grey.
func TestThereAndBack(t *testing.T) {
	m := image.NewNRGBA(image.Rect(-3, 5, 13, 21))
	g := image.NewGray(image.Rect(7, -2, 23, 14))
	for i := range 256 {
		m.SetNRGBA(-3+i%16, 5+i/16, color.NRGBA{uint8(i), uint8(255 - i), uint8(7 * i), 255})
		g.SetGray(7+i%16, -2+i/16, color.Gray{uint8(i)})
	}
	colour := picture.Image(picture.Tensor[float32](m, 3))
	grey := picture.Image(picture.Tensor[float64](g, 1))
	for i := range 256 {
		if got, want := colour.RGBAAt(i%16, i/16), (color.RGBA{uint8(i), uint8(255 - i), uint8(7 * i), 255}); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		if got, want := grey.RGBAAt(i%16, i/16), (color.RGBA{uint8(i), uint8(i), uint8(i), 255}); got != want {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestLuminance(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 3, 1))
	for i, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}} {
		m.SetRGBA(i, 0, c)
	}
	x := picture.Tensor[float64](m, 1)
	for i, want := range []float64{0.299, 0.587, 0.114} {
		if x.Data[i] != want {
			t.Errorf("%v, want %v", x.Data[i], want)
		}
	}
}

func TestLevelsAreCutOff(t *testing.T) {
	m := picture.Image(tensor.From([]float64{-1, math.NaN(), 2, math.Inf(1), 0.5, 1. / 510}, 2, 3))
	for i, want := range []uint8{0, 0, 255, 255, 128, 1} {
		if got := m.RGBAAt(i%3, i/3).R; got != want {
			t.Errorf("element %d is %d, want %d", i, got, want)
		}
	}
}

func TestShapes(t *testing.T) {
	for _, shape := range [][]int{{1, 3, 2, 4}, {3, 2, 4}, {1, 1, 2, 4}, {1, 2, 4}, {2, 4}} {
		if b := picture.Image(tensor.New[float32](shape...)).Bounds(); b.Dx() != 4 || b.Dy() != 2 {
			t.Errorf("%v: %v", shape, b)
		}
	}
	panics := map[string]func(){
		"two channels":         func() { picture.Image(tensor.New[float32](1, 2, 2, 4)) },
		"two images":           func() { picture.Image(tensor.New[float32](2, 3, 2, 4)) },
		"one axis":             func() { picture.Image(tensor.New[float32](4)) },
		"data too short":       func() { picture.Image(&tensor.Tensor[float32]{Shape: []int{2, 2}, Data: make([]float32, 3)}) },
		"channels asked for":   func() { picture.Tensor[float32](image.NewGray(image.Rect(0, 0, 2, 2)), 2) },
		"a picture of nothing": func() { picture.Tensor[float32](image.NewGray(image.Rectangle{}), 1) },
	}
	for name, f := range panics {
		func() {
			defer func() {
				var e *tensor.ShapeError
				if err, _ := recover().(error); !errors.As(err, &e) {
					t.Errorf("%s: %v", name, err)
				}
			}()
			f()
		}()
	}
}
