// Package picture takes image.Images to tensors (1, C, H, W) and back. A value is a channel's share of full intensity, from 0 to 1,
// not normalised otherwise: red, green and blue, or for one channel their luminance,
//
//	0.299 red + 0.587 green + 0.114 blue    (Rec. 601)
//
// Colours are taken as they are stored, with no gamma curve undone. It is for sparse coding and filters on pictures. What a network
// takes is scaled, cropped and normalised as its training images were: packages sdnet/data and sdnet/classify.
package picture

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"sdref/tensor"
)

// Tensor returns a picture as (1, channels, H, W), channels being 1 or 3. Transparent pixels are as image/color's RGBA has them: on
// black. A picture without pixels and other numbers of channels are a panic with a *tensor.ShapeError.
func Tensor[T tensor.Float](m image.Image, channels int) *tensor.Tensor[T] {
	b := m.Bounds()
	if channels != 1 && channels != 3 || b.Empty() {
		panic(&tensor.ShapeError{Op: "picture.Tensor", Shapes: [][]int{{1, channels, b.Dy(), b.Dx()}}})
	}
	x, plane := tensor.New[T](1, channels, b.Dy(), b.Dx()), b.Dy()*b.Dx()
	for i := range plane {
		red, green, blue, _ := m.At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx()).RGBA()
		rgb := [3]float64{float64(red) / 0xffff, float64(green) / 0xffff, float64(blue) / 0xffff}
		if channels == 1 {
			x.Data[i] = T(float64(0.299*rgb[0]) + float64(0.587*rgb[1]) + float64(0.114*rgb[2]))
			continue
		}
		for c, v := range rgb {
			x.Data[c*plane+i] = T(v)
		}
	}
	return x
}

// Image returns x, (1, 1 or 3, H, W), (1 or 3, H, W) or (H, W), as a picture of 8 bits, rounded to nearest; what lies below 0 or above 1
// is cut off, and NaN is 0. Other shapes are a panic with a *tensor.ShapeError.
func Image[T tensor.Float](x *tensor.Tensor[T]) *image.RGBA {
	shape := x.Shape
	for len(shape) > 2 && len(shape) < 5 && shape[0] == 1 {
		shape = shape[1:]
	}
	channels := 1
	if len(shape) == 3 && shape[0] == 3 {
		channels, shape = 3, shape[1:]
	}
	if len(shape) != 2 || len(x.Data) < channels*tensor.Size(shape) {
		panic(&tensor.ShapeError{Op: fmt.Sprintf("picture.Image of %d elements", len(x.Data)), Shapes: [][]int{x.Shape}})
	}
	height, width := shape[0], shape[1]
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	level := func(c, i int) uint8 {
		v := float64(x.Data[min(c, channels-1)*height*width+i])
		if !(v > 0) {
			return 0
		}
		return uint8(math.Floor(float64(255*min(1, v)) + 0.5))
	}
	for i := range height * width {
		m.SetRGBA(i%width, i/width, color.RGBA{level(0, i), level(1, i), level(2, i), 0xff})
	}
	return m
}
