package training

import (
	"fmt"
	"math"

	"sdref/csc"
	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/sdnet/augment"
	"sdref/sdnet/cifar"
	"sdref/tensor"
)

// Run is a training run at some iteration.
type Run[T tensor.Float] struct {
	Config
	Trainer   *sdnet.Trainer[T]
	Iteration int     // steps made
	History   []Epoch // the epochs completed

	train     *cifar.Set
	normalise *augment.Normaliser[T]
	streams   random.Stream
	order     []int // of the current epoch
	current   Epoch // the epoch in progress, sums rather than means
	images    *tensor.Tensor[T]
}

// Epoch is what an epoch of training gave.
type Epoch struct {
	Epoch    int     `json:"epoch"` // from 1
	Images   int     `json:"images"`
	Loss     float64 `json:"loss"`     // mean cross-entropy over the epoch's images, while the weights moved
	Accuracy float64 `json:"accuracy"` // share of these images recognised, likewise
	Rate     float64 `json:"rate"`     // learning rate of the last step
}

// Step is what one step gave.
type Step struct {
	Iteration int // from 1
	Images    int
	Rate      float64
	Loss      float64
	Correct   int
	Estimates []csc.Estimate // of the CSC layers' largest eigenvalues
	Epoch     *Epoch         // the epoch that this step completed, or nil
}

// New returns a run at its beginning. The data must be what c.Data names.
func New[T tensor.Float](c Config, data *cifar.Data) (*Run[T], error) {
	r, err := prepare[T](c, data)
	if err != nil {
		return nil, err
	}
	r.Trainer.Net.Initialize(c.Seed)
	return r, nil
}

// prepare checks the configuration against the data and makes a run with zero weights.
func prepare[T tensor.Float](c Config, data *cifar.Data) (*Run[T], error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if name := DataName(data); name != c.Data {
		return nil, fmt.Errorf("data: the run is made for %s, the images are %s", c.Data, name)
	}
	if c.Images > data.Train.Len() {
		return nil, fmt.Errorf("images: %d of %d training images", c.Images, data.Train.Len())
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	net, err := sdnet.New[T](spec)
	if err != nil {
		return nil, err
	}
	return &Run[T]{
		Config: c, Trainer: sdnet.NewTrainer(net, c.Momentum, c.Decay), train: data.Train.Slice(0, c.Images),
		normalise: augment.NewNormaliser[T](data.Mean, data.Std), streams: random.New(c.Seed), current: Epoch{Epoch: 1},
	}, nil
}

// PerEpoch is the number of steps of an epoch; the last one takes what images are left.
func (r *Run[T]) PerEpoch() int { return (r.Images + r.Batch - 1) / r.Batch }

// Total is the number of steps of the run.
func (r *Run[T]) Total() int { return r.Epochs * r.PerEpoch() }

// Done tells whether all steps have been made.
func (r *Run[T]) Done() bool { return r.Iteration >= r.Total() }

// Net is the network being trained, as the optimiser left it.
func (r *Run[T]) Net() *sdnet.Network[T] { return r.Trainer.Net }

// Step makes the next training step. A loss that is not finite is an error, after which the run cannot go on. A step after
// the last one is the caller's bug and panics.
func (r *Run[T]) Step() (Step, error) {
	if r.Done() {
		panic(fmt.Sprintf("training.Step: all %d steps of the run have been made", r.Total()))
	}
	epoch, step := r.Iteration/r.PerEpoch(), r.Iteration%r.PerEpoch()
	if r.order == nil || step == 0 {
		r.order = r.streams.Sub("order", uint64(epoch)).Permutation(r.Images)
	}
	indices := r.order[step*r.Batch : min((step+1)*r.Batch, r.Images)]
	labels := r.load(indices, epoch, step*r.Batch)
	rate := r.schedule().Rate(r.Iteration, r.PerEpoch(), r.Total())
	result := r.Trainer.Step(r.images, labels, rate)
	r.Iteration++
	s := Step{Iteration: r.Iteration, Images: len(indices), Rate: rate, Loss: result.Loss, Correct: result.Correct, Estimates: result.Estimates}
	if math.IsNaN(s.Loss) || math.IsInf(s.Loss, 0) {
		return s, fmt.Errorf("the loss of step %d is %v: the run has diverged; a smaller learning rate than %.3g may help", s.Iteration, s.Loss, rate)
	}
	s.Epoch = r.count(s)
	return s, nil
}

// load fills r.images with a batch and returns its labels.
func (r *Run[T]) load(indices []int, epoch, first int) []int {
	if r.images == nil || r.images.Shape[0] != len(indices) {
		r.images = tensor.New[T](len(indices), cifar.Channels, cifar.Side, cifar.Side)
	}
	if r.Augment {
		r.normalise.CropFlip(r.images.Data, r.train, indices, r.streams.Sub("augment"), uint64(epoch), uint64(first))
	} else {
		r.normalise.Plain(r.images.Data, r.train, indices)
	}
	return labelsOf(r.train, indices)
}

func labelsOf(set *cifar.Set, indices []int) []int {
	labels := make([]int, len(indices))
	for j, i := range indices {
		labels[j] = int(set.Labels[i])
	}
	return labels
}

// count adds a step to the epoch in progress and returns the epoch if that completes it.
func (r *Run[T]) count(s Step) *Epoch {
	r.current.Images += s.Images
	r.current.Loss += float64(s.Loss * float64(s.Images))
	r.current.Accuracy += float64(s.Correct)
	r.current.Rate = s.Rate
	if r.Iteration%r.PerEpoch() != 0 {
		return nil
	}
	e := r.current
	e.Loss /= float64(e.Images)
	e.Accuracy /= float64(e.Images)
	r.History = append(r.History, e)
	r.current = Epoch{Epoch: e.Epoch + 1}
	return &e
}
