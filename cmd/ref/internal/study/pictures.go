package study

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	_ "image/gif" // formats that image.Decode reads
	_ "image/jpeg"
	"image/png"
	"io"
	"math"
	"os"

	"sdref/internal/atomicfile"
	"sdref/internal/elementary"
	"sdref/internal/random"
	"sdref/sdnet/data"
	"sdref/tensor"
	"sdref/tensor/picture"
)

// maxPicture is the greatest number of pixels of an image: its codes are a hundred times as large.
const maxPicture = 1 << 24

// readPicture reads an image as (1, channels, H, W), values from 0 to 1: red, green and blue, or for one channel their
// luminance.
func readPicture(path string, channels int) (*tensor.Tensor[float64], error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var beginning bytes.Buffer
	in := bufio.NewReader(file)
	size, _, err := image.DecodeConfig(io.TeeReader(in, &beginning))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if size.Width < 1 || size.Height < 1 || size.Width > maxPicture/size.Height {
		return nil, fmt.Errorf("%s: an image of %d x %d pixels; at most %d are taken", path, size.Width, size.Height, maxPicture)
	}
	m, _, err := image.Decode(io.MultiReader(&beginning, in))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return picture.Tensor[float64](m, channels), nil
}

// writePicture writes (1, 1 or 3, H, W) as a PNG of 8 bits; what lies below 0 or above 1 is cut off.
func writePicture(path string, x *tensor.Tensor[float64]) error {
	return atomicfile.Write(path, func(w io.Writer) error { return png.Encode(w, picture.Image(x)) })
}

// pictureFiles lists the image files in a folder and the folders below it, as the other verbs take them.
func pictureFiles(folder string) (list []string, err error) {
	s, _, err := data.OpenPictures(folder, [3]int{data.Channels, data.Side, data.Side}) // a shape that nothing is brought to
	for i := range s.Len() {
		list = append(list, s.File(i))
	}
	return list, err
}

// centre subtracts the mean of each channel, which it returns.
func centre(x *tensor.Tensor[float64]) (means []float64) {
	plane := x.Shape[2] * x.Shape[3]
	for c := range x.Shape[1] {
		part := x.Data[c*plane : (c+1)*plane]
		mean := tensor.Sum(tensor.From(part, plane)) / float64(plane)
		for i := range part {
			part[i] -= mean
		}
		means = append(means, mean)
	}
	return means
}

// uncentre adds the means again.
func uncentre(x *tensor.Tensor[float64], means []float64) {
	plane := x.Shape[2] * x.Shape[3]
	for c, mean := range means {
		for i := range plane {
			x.Data[c*plane+i] += mean
		}
	}
}

// addGaussian adds normal noise of a standard deviation to all elements, by Box and Muller's method.
func addGaussian(x *tensor.Tensor[float64], deviation float64, seed uint64) {
	s := random.New(seed).Sub("noise")
	for i := range x.Data {
		u, v := 1-s.Float(uint64(2*i)), s.Float(uint64(2*i+1))
		x.Data[i] += deviation * math.Sqrt(-2*elementary.Log(u)) * elementary.Cos(2*math.Pi*v)
	}
}
