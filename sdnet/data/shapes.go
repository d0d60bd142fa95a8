package data

import (
	"sdref/internal/misuse"
	"sdref/internal/parallel"
	"sdref/internal/random"
)

// ShapesMean and ShapesStd are the mean and the standard deviation of the pixels of Shapes divided by 255, to
// two decimals. They are the same for the three channels, which are drawn alike; over 10,000 training images
// of seed 1 they measure 0.499, 0.503, 0.499 and 0.299, 0.302, 0.302.
const (
	ShapesMean = 0.50
	ShapesStd  = 0.30
)

// Shapes draws ten classes of 32x32 colour images, for use without any data on the disk: train training
// images and test test images. The first images of a seed do not depend on their number. It panics if a
// number is negative.
//
// Image i shows one shape of class i mod 10 at a random place, size and angle, in random colours on a
// shaded and mottled background, with strokes behind it and sometimes before it, and noise over all. Neither
// the colours nor which of shape and background is brighter says anything about the class, so a linear
// classifier of the pixels stays near chance (a test measures 15 %): the classes differ by edges and corners,
// which convolutions find.
//
// An image is a function of the seed, the part (train or test) and its number alone, computed in integers,
// so its bytes are the same on every architecture.
func Shapes(train, test int, seed uint64) *Sets {
	if train < 0 || test < 0 {
		panic(misuse.Errorf("data: Shapes(%d, %d): the numbers of images must not be negative", train, test))
	}
	return &Sets{
		Name:  "shapes",
		Train: drawShapes("train", train, seed),
		Test:  drawShapes("test", test, seed),
		Mean:  [Channels]float64{ShapesMean, ShapesMean, ShapesMean},
		Std:   [Channels]float64{ShapesStd, ShapesStd, ShapesStd},
	}
}

// drawShapes draws n images of one part.
func drawShapes(part string, n int, seed uint64) *Set {
	s := &Set{
		Name:   "shapes " + part,
		Images: make([]byte, n*ImageBytes),
		Labels: make([]uint8, n),
	}
	for _, f := range figures {
		s.Classes = append(s.Classes, f.name)
	}
	stream := random.New(seed).Sub("shapes " + part)
	parallel.For(n, func(_, i int) {
		class := i % len(figures)
		s.Labels[i] = uint8(class)
		drawShape(s.Image(i), figures[class].covers, stream.Sub("image", uint64(i)))
	})
	return s
}
