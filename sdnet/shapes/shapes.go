// Package shapes draws ten classes of 32x32 colour images, data for whoever has none on the disk.
//
// Image i shows one shape of class i mod 10 at a random place, size and angle, in random colours on a
// shaded and mottled ground, with strokes behind it and sometimes before it, and noise over all. Neither the
// colours nor which of shape and ground is brighter says anything about the class, so a linear classifier of
// the pixels stays near chance (a test measures 15 %): what tells the classes apart is edges and corners,
// which convolutions find. The set is that of package cifar, so a training run takes either. It is for
// examples, tests and first trainings.
//
// An image is a function of the seed, the part (train or test) and its number alone, computed in integers,
// so its bytes are the same on every architecture. The package knows nothing of networks.
package shapes

import (
	"fmt"

	"sdref/internal/random"
	"sdref/sdnet/cifar"
)

// Mean and Std are those of the pixels divided by 255, to two decimals. The three channels are drawn alike,
// so they share them; over 10,000 training images of seed 1 they measure 0.499, 0.503, 0.499 and 0.299, 0.302,
// 0.302.
const (
	Mean = 0.50
	Std  = 0.30
)

// Data returns train training and test test images, each part beginning as a longer one of the same seed
// would. It panics if a number is negative.
func Data(train, test int, seed uint64) *cifar.Data {
	if train < 0 || test < 0 {
		panic(fmt.Sprintf("shapes: Data(%d, %d): the numbers of images must not be negative", train, test))
	}
	return &cifar.Data{
		Name:  "shapes",
		Train: set("train", train, seed),
		Test:  set("test", test, seed),
		Mean:  [cifar.Channels]float64{Mean, Mean, Mean},
		Std:   [cifar.Channels]float64{Std, Std, Std},
	}
}

// set draws n images of one part.
func set(part string, n int, seed uint64) *cifar.Set {
	s := &cifar.Set{
		Name:   "shapes " + part,
		Images: make([]byte, n*cifar.ImageBytes),
		Labels: make([]uint8, n),
	}
	for _, f := range figures {
		s.Classes = append(s.Classes, f.name)
	}
	stream := random.New(seed).Sub("shapes " + part)
	for i := range n {
		class := i % len(figures)
		s.Labels[i] = uint8(class)
		draw(s.Image(i), figures[class].covers, stream.Sub("image", uint64(i)))
	}
	return s
}
