package training

import (
	"errors"

	"golang.org/x/sync/errgroup"

	"sdref/internal/parallel"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// subset is some of the images of a set.
type subset struct {
	data.Images
	indices []int
}

func (s subset) Len() int                      { return len(s.indices) }
func (s subset) Label(i int) int               { return s.Images.Label(s.indices[i]) }
func (s subset) Plain(dst []byte, i int) error { return s.Images.Plain(dst, s.indices[i]) }
func (s subset) ImageName(i int) string        { return data.NameOf(s.Images, s.indices[i]) }

// batch is N images before they are normalised.
type batch struct {
	pixels []byte // N x channels x H x W
	labels []int  // below 0 for an image that is left out
	err    error  // of the first image that could not be read
}

// leftOut is the label of an image that is left out.
const leftOut = -1

// compact takes the images that are left out away, and returns the places in the batch of the others.
func (b *batch) compact(bytes int) (places []int) {
	for j, label := range b.labels {
		if label == leftOut {
			continue
		}
		copy(b.pixels[len(places)*bytes:][:bytes], b.pixels[j*bytes:][:bytes])
		b.labels[len(places)] = label
		places = append(places, j)
	}
	b.labels = b.labels[:len(places)]
	return places
}

// values writes the normalised batch to dst, N x channels x H x W.
func values[T tensor.Float](limit parallel.Limit, n *data.Normaliser[T], dst *tensor.Tensor[T], b *batch) {
	each := dst.Len() / len(b.labels)
	limit.For(len(b.labels), func(_, j int) { n.Values(dst.Data[j*each:][:each], b.pixels[j*each:][:each], dst.Shape[1]) })
}

// newBatch is memory for n images of a shape.
func newBatch[T tensor.Float](n int, shape [3]int) *tensor.Tensor[T] {
	return tensor.New[T](n, shape[0], shape[1], shape[2])
}

// sample is one image of a batch: its label, and a function that writes its pixels.
type sample struct {
	label int
	write func(dst []byte) error
}

// reader reads batches ahead: each one while the batch before it is in use.
type reader struct {
	plan   func(k int) []sample // the samples of batch k; nil beyond the last
	bytes  int                  // the size of a sample
	number int                  // the number of the batch that is being read
	coming chan *batch          // gets that batch; nil if there is none
	limit  parallel.Limit       // of the goroutines that read
	reuse  *batch               // a batch that is no longer in use, whose memory serves the next one
}

// get returns batch k, which is valid until the next call, and starts to read batch k+1.
func (r *reader) get(k int) *batch {
	if r.coming == nil || r.number != k {
		r.start(k)
	}
	b := <-r.coming
	r.start(k + 1)
	r.reuse = b
	return b
}

// start begins to read batch k, if there is one.
func (r *reader) start(k int) {
	samples := r.plan(k)
	if r.coming = nil; samples == nil {
		return
	}
	b := r.reuse
	if r.reuse = nil; b == nil || len(b.labels) != len(samples) {
		b = &batch{pixels: make([]byte, len(samples)*r.bytes), labels: make([]int, len(samples))}
	}
	r.number, r.coming = k, make(chan *batch, 1)
	go func(done chan<- *batch) {
		b.read(samples, r.bytes, r.limit)
		done <- b
	}(r.coming)
}

// read fills the batch; the result does not depend on which goroutine reads which image.
func (b *batch) read(samples []sample, bytes int, limit parallel.Limit) {
	failed := make([]error, len(samples))
	var group errgroup.Group // not package parallel, whose goroutines are computing with the batch before
	group.SetLimit(limit.Workers(len(samples)))
	for j, s := range samples {
		b.labels[j] = s.label
		group.Go(func() error { failed[j] = s.write(b.pixels[j*bytes:][:bytes]); return nil })
	}
	_ = group.Wait() // failed has the errors, in the order of the images
	b.err = nil
	for j, err := range failed {
		if errors.Is(err, data.ErrSkipped) {
			b.labels[j] = leftOut
		} else if err != nil {
			b.err = err
			return
		}
	}
}
