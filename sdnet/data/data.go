// Package data is labelled images for training and testing networks: CIFAR-10 and CIFAR-100, folders with a
// folder for each class, and drawn images; their augmentation for training, noise, and the values of a
// network's input.
//
//	Find, FindFS         in which layout images lie on the disk, or in another file system
//	OpenCIFAR, Shapes    *Sets: training and test images of 32x32 pixels in memory, each a *Set
//	OpenFolder           *Folder: training and test images in files, each a *Files
//	Dataset              either of them as training takes it
//	Description          what a data set is, and how another one differs
//	Cropped, Files       an image as an epoch uses it: cropped and flipped at random (Augment)
//	AddNoise             a Set with one of CIFAR-10-C's noises
//	Normaliser           value = (x/255 - mean)/std for byte x of a channel
//
// All pixels are bytes, channels x height x width: red, green, blue, each row by row, or grey alone. All random choices are
// functions of a seed, a purpose and the image's index or its position in the epoch, in arithmetic that is
// the same on every architecture: they depend neither on the batch size nor on the number of goroutines.
//
// It is for people who train, test or attack a network. It knows nothing of tensors, batches and networks,
// and it downloads nothing.
package data

import (
	"fmt"

	"sdref/internal/misuse"
	"sdref/internal/random"
)

// Images is labelled images of one size, such as a *Set or a *Files. Any number of goroutines may read one.
type Images interface {
	fmt.Stringer // the name, such as "CIFAR-10 test"
	Len() int
	Shape() [3]int // of an image: channels, which are 3 or 1, height, width
	Label(i int) int
	// Plain writes image i as it is evaluated to dst, a byte for each element of Shape.
	Plain(dst []byte, i int) error
}

// Augmented is images that training uses in other crops in each epoch.
type Augmented interface {
	Images
	// Augment writes image i, cropped and flipped at random, to dst, a byte for each element of Shape. The draws
	// are a function of the stream, the epoch and the position in the epoch.
	Augment(dst []byte, i int, draws random.Stream, epoch, position uint64) error
}

// Dataset is training and test images from any source, as a training run needs them.
type Dataset struct {
	Name      string // cifar10, cifar100, imagenet or shapes, as checkpoints name it
	Classes   int
	Names     []string // of the classes, by label; nil if they have none
	Train     Augmented
	Test      Images
	Mean, Std [Channels]float64 // of the training pixels divided by 255, per channel; of grey images all three are the same
}

// Dataset returns the data set with Cropped training images.
func (s *Sets) Dataset() Dataset {
	name := s.Name
	for _, l := range layouts {
		if l.name == s.Name {
			name = l.dataset
		}
	}
	return Dataset{Name: name, Classes: len(s.Train.Classes), Names: s.Train.Classes,
		Train: Cropped{Set: s.Train}, Test: s.Test, Mean: s.Mean, Std: s.Std}
}

// Dataset returns the data set under the name imagenet, whatever its classes.
func (f *Folder) Dataset() Dataset {
	return Dataset{Name: "imagenet", Classes: len(f.Train.Classes), Names: f.Train.Classes, Train: f.Train, Test: f.Test,
		Mean: imageNetMean, Std: imageNetStd}
}

// Normalisation returns the mean and the standard deviation per channel by which images are normalised for a
// network that was trained on the named data set: cifar10, cifar100, imagenet or shapes.
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

// ClassNames returns the names of the classes of the named data set, nil if it does not tell: those of a folder
// are the user's.
func ClassNames(dataset string) []string {
	for _, l := range layouts {
		if l.dataset == dataset {
			return l.classes
		}
	}
	if dataset == "shapes" {
		return Shapes(0, 0, 0).Train.Classes
	}
	return nil
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
