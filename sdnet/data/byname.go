package data

import (
	"slices"

	"sdref/internal/random"
)

// relabelled is the images of a set whose classes a network knows, under the network's labels.
type relabelled struct {
	Images
	labels  []int // the network's label by the set's; -1: it has none
	indices []int // the images whose classes have one
}

func (s relabelled) Len() int                      { return len(s.indices) }
func (s relabelled) Label(i int) int               { return s.labels[s.Images.Label(s.indices[i])] }
func (s relabelled) Plain(dst []byte, i int) error { return s.Images.Plain(dst, s.indices[i]) }
func (s relabelled) ImageName(i int) string        { return NameOf(s.Images, s.indices[i]) }
func (s relabelled) forEvaluation() Images {
	s.Images = ForEvaluation(s.Images)
	return s
}

// relabelledTrain is the same of images that training augments.
type relabelledTrain struct {
	relabelled
	train Augmented
}

func (s relabelledTrain) Augment(dst []byte, i int, draws random.Stream, epoch, position uint64) error {
	return s.train.Augment(dst, s.indices[i], draws, epoch, position)
}

// ByName returns the data set under the labels of a network whose classes have the given names: images of
// classes that the network does not know are left out. It panics unless both have names.
func (d Dataset) ByName(classes []string) Dataset {
	labels := make([]int, len(d.Names))
	for i, name := range d.Names {
		labels[i] = slices.Index(classes, name)
	}
	relabel := func(s Images) relabelled {
		r := relabelled{Images: s, labels: labels}
		for i := range s.Len() {
			if labels[s.Label(i)] >= 0 {
				r.indices = append(r.indices, i)
			}
		}
		return r
	}
	d.Train, d.Test = relabelledTrain{relabel(d.Train), d.Train}, relabel(d.Test)
	d.Classes, d.Names = len(classes), classes
	return d
}

// unlabelled and unlabelledTrain are images whose labels mean nothing to a network.
type (
	unlabelled      struct{ Images }
	unlabelledTrain struct{ Augmented }
)

func (unlabelled) Label(int) int                { return 0 }
func (s unlabelled) ImageName(i int) string     { return NameOf(s.Images, i) }
func (s unlabelled) forEvaluation() Images      { return unlabelled{ForEvaluation(s.Images)} }
func (unlabelledTrain) Label(int) int           { return 0 }
func (s unlabelledTrain) forEvaluation() Images { return unlabelled{ForEvaluation(s.Augmented)} }

// Unlabelled returns the data set with 0 in place of each label, for networks that know none of its classes.
func (d Dataset) Unlabelled() Dataset {
	d.Train, d.Test = unlabelledTrain{d.Train}, unlabelled{d.Test}
	return d
}
