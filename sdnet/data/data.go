// Package data is labelled images for training and testing networks: CIFAR-10 and CIFAR-100, folders with a folder for each
// class, and drawn images; what training varies in them, noise, and the values of a network's input.
//
//	OpenCIFAR, Shapes    *Sets: training and test images of 32x32 pixels in memory, each a *Set
//	OpenFolder           *Folder: training and test images in files, each a *Files, decoded when an image is wanted
//	Dataset              either of them as training takes it
//	Cropped, Files.Vary  an image as an epoch shows it: cropped and flipped at random
//	AddNoise             a Set spoiled by one of CIFAR-10-C's noises
//	Normaliser           value = (x/255 - mean)/std for byte x of a channel
//
// All pixels are bytes, 3 x height x width: red, green, blue, each row by row. Whatever is drawn is a function of a seed, a purpose
// and the image's number or its place in the epoch, in arithmetic that is the same on every architecture: it depends neither on
// the batch size nor on the number of goroutines.
//
// It is for whoever trains, tests or attacks a network. It knows nothing of tensors, batches and networks, and it fetches nothing.
package data

import (
	"fmt"

	"sdref/internal/random"
)

// Images is labelled images of one size, such as a *Set or a *Files. Any number of goroutines may read one.
type Images interface {
	fmt.Stringer // the name, such as "CIFAR-10 test"
	Len() int
	Extent() int // height and width
	Label(i int) int
	// Plain writes image i as it is evaluated to dst, 3 x Extent x Extent bytes.
	Plain(dst []byte, i int) error
}

// Varied is images that training shows differently in each epoch.
type Varied interface {
	Images
	// Vary writes image i, cropped and flipped at random, to dst, 3 x Extent x Extent bytes. What is drawn is a function of the
	// stream, the epoch and the position in the epoch.
	Vary(dst []byte, i int, draws random.Stream, epoch, position uint64) error
}

// Dataset is training and test images as a training run needs them, whatever they come from.
type Dataset struct {
	Name      string // cifar10, cifar100, imagenet or shapes, as checkpoints name it
	Classes   int
	Train     Varied
	Test      Images
	Mean, Std [Channels]float64 // of the training pixels divided by 255, per channel
}

// Dataset returns the data set with training images that Cropped varies.
func (s *Sets) Dataset() Dataset {
	name := s.Name
	for _, l := range layouts {
		if l.name == s.Name {
			name = l.dataset
		}
	}
	return Dataset{Name: name, Classes: len(s.Train.Classes), Train: Cropped{Set: s.Train}, Test: s.Test, Mean: s.Mean, Std: s.Std}
}

// Dataset returns the data set under the name imagenet, whatever its classes.
func (f *Folder) Dataset() Dataset {
	return Dataset{Name: "imagenet", Classes: len(f.Train.Classes), Train: f.Train, Test: f.Test, Mean: imageNetMean, Std: imageNetStd}
}

// Normalisation returns the mean and the standard deviation per channel by which images are normalised for a network that was
// trained on the named data set: cifar10, cifar100, imagenet or shapes.
func Normalisation(dataset string) (mean, std [Channels]float64, err error) {
	for _, l := range layouts {
		if l.dataset == dataset {
			return l.mean, l.std, nil
		}
	}
	switch dataset {
	case "imagenet":
		return imageNetMean, imageNetStd, nil
	case "shapes":
		d := Shapes(0, 0, 0)
		return d.Mean, d.Std, nil
	}
	return mean, std, fmt.Errorf("unknown data set %q", dataset)
}
