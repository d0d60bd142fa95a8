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

// Pictures is N labelled images of any one shape in memory, coloured or grey, made of image.Images; for training they are cropped and
// flipped like CIFAR's, 4 black pixels coming in at the edges.
type Pictures struct {
	name   string
	shape  [3]int
	pixels []byte // N x channels x height x width
	labels []int
}

// NewPictures returns the images of a sequence of pictures and labels, each picture brought to the given shape, channels x height x
// width, as Pixels does. A negative label, an empty picture and a shape that no images have are errors.
func NewPictures(name string, shape [3]int, labelled iter.Seq2[image.Image, int]) (*Pictures, error) {
	if err := CheckShape(shape); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s := &Pictures{name: name, shape: shape}
	for m, label := range labelled {
		if label < 0 || m.Bounds().Empty() {
			return nil, fmt.Errorf("%s: image %d: label %d, bounds %v", name, len(s.labels), label, m.Bounds())
		}
		s.pixels = append(s.pixels, Pixels(m, shape, false)...)
		s.labels = append(s.labels, label)
	}
	return s, nil
}

// String returns the set's name.
func (s *Pictures) String() string { return s.name }

// Len returns N.
func (s *Pictures) Len() int { return len(s.labels) }

// Shape returns that of an image.
func (s *Pictures) Shape() [3]int { return s.shape }

// Label returns the label of image i.
func (s *Pictures) Label(i int) int { return s.labels[i] }

// Image returns image i, channels x height x width, as a part of the set.
func (s *Pictures) Image(i int) []byte {
	each := elements(s.shape)
	return s.pixels[i*each:][:each:each]
}

// Plain copies image i to dst, channels x height x width bytes. The error is nil.
func (s *Pictures) Plain(dst []byte, i int) error {
	copy(dst, s.Image(i))
	return nil
}

// Augment writes image i, moved and mirrored as DrawCrop's crop of the padded image is.
func (s *Pictures) Augment(dst []byte, i int, draws Stream, epoch, position uint64) error {
	DrawCrop(draws, epoch, position).view().Write(dst, s.Image(i), s.shape)
	return nil
}

// Own returns a data set of one's own: the names of its classes, by label, and its images of one shape, each of which has a name's
// label. It reads all training images and normalises by their mean and standard deviation. name is what checkpoints call it, and may
// not be one of the data sets that sdnet.DataSets lists, unless the images are of that.
func Own(name string, classes []string, train Augmented, test Images) (Dataset, error) {
	d := Dataset{Name: name, Classes: len(classes), Names: classes, Train: train, Test: test}
	switch {
	case name == "" || len(classes) == 0:
		return d, fmt.Errorf("data set %q of %d classes: it needs a name and a class", name, len(classes))
	case train.Len() == 0:
		return d, fmt.Errorf("data set %s: %s holds no images", name, train)
	case test.Shape() != train.Shape():
		return d, fmt.Errorf("data set %s: training images of %s, test images of %s", name, ShapeText(train.Shape()), ShapeText(test.Shape()))
	}
	if err := CheckShape(train.Shape()); err != nil {
		return d, fmt.Errorf("data set %s: %w", name, err)
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
	shape := d.Train.Shape()
	plane := shape[1] * shape[2]
	pixels := make([]byte, elements(shape))
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
		from := min(c, shape[0]-1) // all three say the same of grey images
		mean := float64(sum[from]) / n
		d.Mean[c] = mean / 255
		d.Std[c] = math.Sqrt(max(0, float64(squares[from])/n-float64(mean*mean))) / 255
	}
	for c, std := range d.Std {
		if std == 0 {
			return fmt.Errorf("data set %s: channel %d is the same everywhere, and cannot be normalised", d.Name, c)
		}
	}
	return nil
}
