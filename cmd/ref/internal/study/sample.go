package study

import (
	"fmt"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/random"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
	"sdref/tensor/safetensors"
)

// samples are images on which the robustness of a network is measured.
type samples struct {
	data data.Dataset
	// known tells whether the labels are the network's classes; if not, its own predictions serve as labels.
	known bool
	learn *data.Set // some of the training images; if the run held images out, some of these
	test  *data.Set // some of the test images
	notes []string  // for the log
}

// openSamples draws as many images as asked for from a data set of 32x32 images, for a network that was
// trained as config says. A larger number of images begins with the same ones. Images of classes that the
// network does not know are normalised as its own.
func openSamples(c *cli.Call, file *safetensors.File, config training.Config, images string, learn, test int,
	seed uint64) (*samples, error) {
	spec, err := config.Spec()
	if err != nil {
		return nil, err
	}
	if shape, ours := spec.Data.Shape(), (&data.Set{}).Shape(); shape != ours {
		return nil, fmt.Errorf("%s for %s takes images of %s; robustness is measured on images of %s", config.Network,
			config.Data, data.ShapeText(shape), data.ShapeText(ours))
	}
	s := &samples{}
	d, err := cli.OpenFor(c, images, file, config, c.Stderr)
	if err != nil {
		return nil, err
	}
	s.data, s.known, s.notes = d.Dataset, d.Known, d.Notes
	from := data.Images(s.data.Train)
	if s.known && config.Holdout > 0 && learn > 0 {
		if from, err = d.Held(); err != nil {
			return nil, err
		}
	}
	streams := random.New(seed)
	if s.learn, err = sample("-learn", from, learn, streams.Sub("images to learn from")); err != nil {
		return nil, err
	}
	s.test, err = sample("-images", s.data.Test, test, streams.Sub("images to test on"))
	return s, err
}

// say tells what there is to know about the images.
func (s *samples) say(p *cli.Progress) {
	for _, note := range s.notes {
		p.Say("note: %s", note)
	}
}

// sample draws n images of a set of 32x32 images; the flag is named in errors.
func sample(flag string, from data.Images, n int, draws random.Stream) (*data.Set, error) {
	if n < 0 || n > from.Len() {
		return nil, fmt.Errorf("%s: %d of the %d images of %s", flag, n, from.Len(), from)
	}
	s := &data.Set{Name: from.String(), Images: make([]byte, n*data.ImageBytes), Labels: make([]uint8, n)}
	for j, i := range draws.Permutation(from.Len())[:n] {
		s.Labels[j] = uint8(from.Label(i))
		if err := from.Plain(s.Image(j), i); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// all lists the indices of a set's images.
func all(s *data.Set) []int {
	indices := make([]int, s.Len())
	for i := range indices {
		indices[i] = i
	}
	return indices
}
