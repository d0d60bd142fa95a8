package training

import (
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"sdref/internal/parallel"
	"sdref/internal/random"
	"sdref/sdnet/augment"
	"sdref/sdnet/cifar"
	"sdref/sdnet/imagenet"
	"sdref/sdnet/shapes"
	"sdref/tensor"
)

// Images is labelled images of one size: *cifar.Set, *imagenet.Set. Any number of goroutines may read one.
type Images interface {
	fmt.Stringer // the set's name, such as "CIFAR-10 test"
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

// Data is a data set as a run needs it.
type Data struct {
	Name      string // as in sdnet.DataSets
	Classes   int
	Train     Varied
	Test      Images
	Mean, Std [3]float64 // of the training pixels divided by 255, per channel
}

// CIFAR is the data set of images that package cifar read or package shapes drew.
func CIFAR(d *cifar.Data) Data {
	return Data{Name: DataName(d), Classes: len(d.Train.Classes), Train: augment.Cropped{Set: d.Train}, Test: d.Test, Mean: d.Mean, Std: d.Std}
}

// Folder is the data set of images that package imagenet listed.
func Folder(d *imagenet.Data) Data {
	return Data{Name: "imagenet", Classes: len(d.Train.Classes), Train: d.Train, Test: d.Test, Mean: imagenet.Mean, Std: imagenet.Std}
}

// DataName is the name in sdnet.DataSets of a data set that package cifar or shapes returned.
func DataName(d *cifar.Data) string {
	switch d.Name {
	case "CIFAR-10":
		return "cifar10"
	case "CIFAR-100":
		return "cifar100"
	}
	return d.Name
}

// Normalisation is the mean and the standard deviation per channel by which images are normalised for a network that was trained on
// the named data set, one of sdnet.DataSets.
func Normalisation(data string) (mean, std [3]float64, err error) {
	switch data {
	case "imagenet":
		return imagenet.Mean, imagenet.Std, nil
	case "cifar10":
		mean, std = cifar.Normalisation("CIFAR-10")
	case "cifar100":
		mean, std = cifar.Normalisation("CIFAR-100")
	case "shapes":
		d := shapes.Data(0, 0, 0)
		mean, std = d.Mean, d.Std
	default:
		err = fmt.Errorf("unknown data set %q", data)
	}
	return mean, std, err
}

// subset is some of the images of a set.
type subset struct {
	Images
	indices []int
}

func (s subset) Len() int                      { return len(s.indices) }
func (s subset) Label(i int) int               { return s.Images.Label(s.indices[i]) }
func (s subset) Plain(dst []byte, i int) error { return s.Images.Plain(dst, s.indices[i]) }

// batch is N images before they are normalised.
type batch struct {
	pixels []byte // N x 3 x H x W
	labels []int
	err    error // of the first image that could not be read
}

// values writes the normalised batch to dst, N x 3 x H x W.
func values[T tensor.Float](n *augment.Normaliser[T], dst []T, b *batch) {
	each := len(dst) / len(b.labels)
	parallel.For(len(b.labels), func(_, j int) { n.Values(dst[j*each:][:each], b.pixels[j*each:][:each]) })
}

// sample is one image of a batch: its label, and how it is read.
type sample struct {
	label int
	write func(dst []byte) error
}

// reader reads batches, each while its user is at work on the one before.
type reader struct {
	plan   func(k int) []sample // the samples of batch k, nil beyond the last
	bytes  int                  // of a sample
	number int                  // of the batch being read
	coming chan *batch
	spare  *batch // its memory is free
}

// get returns batch k, which is valid until the next call, and starts to read batch k+1.
func (r *reader) get(k int) *batch {
	if r.coming == nil || r.number != k {
		r.start(k)
	}
	b := <-r.coming
	r.start(k + 1)
	r.spare = b
	return b
}

// start begins to read batch k, if there is one.
func (r *reader) start(k int) {
	samples := r.plan(k)
	if r.coming = nil; samples == nil {
		return
	}
	b := r.spare
	if r.spare = nil; b == nil || len(b.labels) != len(samples) {
		b = &batch{pixels: make([]byte, len(samples)*r.bytes), labels: make([]int, len(samples))}
	}
	r.number, r.coming = k, make(chan *batch, 1)
	go func(done chan<- *batch) {
		b.read(samples, r.bytes)
		done <- b
	}(r.coming)
}

// read fills the batch. Which goroutine reads an image changes nothing in it.
func (b *batch) read(samples []sample, bytes int) {
	failed := make([]error, len(samples))
	var group errgroup.Group // rather than package parallel, whose goroutines are busy with the batch before
	group.SetLimit(runtime.GOMAXPROCS(0))
	for j, s := range samples {
		b.labels[j] = s.label
		group.Go(func() error { failed[j] = s.write(b.pixels[j*bytes:][:bytes]); return nil })
	}
	_ = group.Wait() // failed has the errors, in the order of the images
	b.err = nil
	for _, err := range failed {
		if err != nil {
			b.err = err
			return
		}
	}
}
