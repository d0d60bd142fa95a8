package data

import (
	"fmt"
	"image"
	"iter"
	"math"

	"sdref/internal/random"
)

// Stream is a random stream, a function of seed, purposes and index, in which nothing depends on the order of draws. Image sets of
// one's own get one to Augment with; Intn, Float and Sub draw from it.
type Stream = random.Stream

// Pictures is N labelled images of any one size in memory, made of image.Images; for training they are cropped and flipped like
// CIFAR's, 4 black pixels coming in at the edges.
type Pictures struct {
	name   string
	extent int
	pixels []byte // N x 3 x extent x extent
	labels []int
}

// NewPictures returns the images of a sequence of pictures and labels, each picture brought to the given extent as Pixels does: its
// shorter side scaled, the middle taken. A negative label, an empty picture and an extent that is not positive are errors.
func NewPictures(name string, extent int, labelled iter.Seq2[image.Image, int]) (*Pictures, error) {
	if extent < 1 {
		return nil, fmt.Errorf("%s: images of %d x %d", name, extent, extent)
	}
	s := &Pictures{name: name, extent: extent}
	for m, label := range labelled {
		if label < 0 || m.Bounds().Empty() {
			return nil, fmt.Errorf("%s: image %d: label %d, bounds %v", name, len(s.labels), label, m.Bounds())
		}
		s.pixels = append(s.pixels, Pixels(m, extent, extent)...)
		s.labels = append(s.labels, label)
	}
	return s, nil
}

// String returns the set's name.
func (s *Pictures) String() string { return s.name }

// Len returns N.
func (s *Pictures) Len() int { return len(s.labels) }

// Extent returns the height and width of the images.
func (s *Pictures) Extent() int { return s.extent }

// Label returns the label of image i.
func (s *Pictures) Label(i int) int { return s.labels[i] }

// Image returns image i, 3 x extent x extent, as a part of the set.
func (s *Pictures) Image(i int) []byte {
	each := Channels * s.extent * s.extent
	return s.pixels[i*each:][:each]
}

// Plain copies image i to dst, 3 x extent x extent bytes. The error is nil.
func (s *Pictures) Plain(dst []byte, i int) error {
	copy(dst, s.Image(i))
	return nil
}

// Augment writes image i, moved and mirrored as DrawCrop's crop of the padded image is.
func (s *Pictures) Augment(dst []byte, i int, draws Stream, epoch, position uint64) error {
	crop := DrawCrop(draws, epoch, position)
	View{Down: Padding - crop.Row, Right: Padding - crop.Column, Flip: crop.Flip}.Write(dst, s.Image(i), s.extent)
	return nil
}

// Own returns a data set of one's own: the names of its classes, by label, and its images of one size, each of which has a name's
// label. It reads all training images and normalises by their mean and standard deviation. name is what checkpoints call it, and may
// not be one of the data sets that sdnet.DataSets lists, unless the images are of that.
func Own(name string, classes []string, train Augmented, test Images) (Dataset, error) {
	d := Dataset{Name: name, Classes: len(classes), Names: classes, Train: train, Test: test}
	switch {
	case name == "" || len(classes) == 0:
		return d, fmt.Errorf("data set %q of %d classes: it needs a name and a class", name, len(classes))
	case train.Len() == 0:
		return d, fmt.Errorf("data set %s: %s holds no images", name, train)
	case train.Extent() < 1 || test.Extent() != train.Extent():
		return d, fmt.Errorf("data set %s: training images of side %d, test images of %d", name, train.Extent(), test.Extent())
	}
	for _, s := range []Images{train, test} {
		for i := range s.Len() {
			if l := s.Label(i); l < 0 || l >= len(classes) {
				return d, fmt.Errorf("data set %s: %s: image %d has label %d of %d classes", name, s, i, l, len(classes))
			}
		}
	}
	return d, d.measure()
}

// measure sets mean and standard deviation from the training images, by whole numbers.
func (d *Dataset) measure() error {
	plane := d.Train.Extent() * d.Train.Extent()
	pixels := make([]byte, Channels*plane)
	var sum, squares [Channels]uint64
	for i := range d.Train.Len() {
		if err := d.Train.Plain(pixels, i); err != nil {
			return fmt.Errorf("data set %s: %w", d.Name, err)
		}
		for k, v := range pixels {
			sum[k/plane] += uint64(v)
			squares[k/plane] += uint64(v) * uint64(v)
		}
	}
	n := float64(d.Train.Len() * plane)
	for c := range Channels {
		mean := float64(sum[c]) / n
		d.Mean[c] = mean / 255
		d.Std[c] = math.Sqrt(max(0, float64(squares[c])/n-float64(mean*mean))) / 255
	}
	for c, std := range d.Std {
		if std == 0 {
			return fmt.Errorf("data set %s: channel %d is the same everywhere, and cannot be normalised", d.Name, c)
		}
	}
	return nil
}
