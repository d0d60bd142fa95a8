package training

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"sdref/csc"
	"sdref/internal/misuse"
	"sdref/internal/parallel"
	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/optim"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// Run is a training run at some iteration.
type Run[T tensor.Float] struct {
	Config
	Trainer   *sdnet.Trainer[T] // its Workers limit the goroutines of the run; as many more read images ahead
	Iteration int               // steps made
	History   []Epoch           // the epochs completed
	Fresh     []string          // of a run from NewFrom, what its checkpoint had in no fitting shape: initialised, or computed anew
	// Notes are what there is to know about the run's images and the checkpoint that it comes from.
	Notes []string

	about     data.Description
	data      data.Dataset
	augmented data.Augmented
	lookahead *optim.Lookahead[T] // nil: none
	trained   []int               // the indices of the training images that are trained on
	held      []int               // the indices of the training images that are held out
	normalise *data.Normaliser[T]
	streams   random.Stream
	epoch     int   // the epoch that order belongs to
	order     []int // the epoch's order of images, as indices of trained
	reader    *reader
	current   Epoch             // the epoch in progress, with sums instead of means
	images    *tensor.Tensor[T] // (N, channels, H, W): the batch
}

// Epoch is the results of an epoch of training.
type Epoch struct {
	Epoch  int `json:"epoch"` // from 1
	Images int `json:"images"`
	// Loss is the mean cross-entropy over the epoch's images, each by the weights of its step.
	Loss     float64       `json:"loss"`
	Accuracy float64       `json:"accuracy"` // share of these images recognised by the weights of their steps
	Rate     float64       `json:"rate"`     // learning rate of the last step
	Holdout  HoldoutResult `json:"held,omitzero"`
}

// Step is the results of one step.
type Step struct {
	Iteration int // from 1
	Images    int
	Rate      float64
	Loss      float64
	Correct   int
	Estimates []csc.Estimate // of the CSC layers' largest eigenvalues
	// Codes are counted only in the last step of an epoch, since that takes time.
	Codes []Codes
	Epoch *Epoch // the epoch that this step completed, or nil
}

// New returns a run at its beginning. The data must be the data set that c.Data names.
func New[T tensor.Float](c Config, d data.Dataset) (*Run[T], error) {
	r, err := prepare[T](c, d, nil)
	if err != nil {
		return nil, err
	}
	if err := r.initialize(); err != nil {
		return nil, err
	}
	r.lookAhead()
	return r, nil
}

// NewFrom returns a run at its beginning, with the weights of a checkpoint of the same network instead of
// random ones: for fine-tuning, or for a warm restart of the learning rate. The network may have been trained
// with other images: its linear layer is initialised if it was for classes of other names or another number of them, its stem's
// convolution if it had another stem; power-iteration vectors of another size are computed anew, and step sizes with them. The run's
// configuration has the digest of the checkpoint's weights as its Start.
func NewFrom[T tensor.Float](c Config, d data.Dataset, f *safetensors.File) (*Run[T], error) {
	known, from, err := LoadNetwork[T](f)
	if err != nil {
		return nil, err
	}
	if from.Network != c.Network {
		return nil, fmt.Errorf("%s: weights of %s, not of %s", f.Path, from.Network, c.Network)
	}
	c.Start = known.Digest()
	r, err := New[T](c, d)
	if err != nil {
		return nil, err
	}
	was, err := DescribeImages(f, from)
	if err != nil {
		return nil, err
	}
	rows, classes := r.classRows(was, f.Path)
	tensors := map[string]*tensor.Tensor[T]{}
	for _, k := range known.State() {
		tensors[k.Name] = k.Tensor
	}
	restemmed := known.Data.Stem != r.Net().Data.Stem
	for _, s := range r.Net().State() {
		k, linear := tensors[s.Name], strings.HasPrefix(s.Name, "linear.")
		fits := k != nil && slices.Equal(k.Shape, s.Shape)
		switch stem := restemmed && strings.HasPrefix(s.Name, "layer0."); {
		case fits && linear && classes:
			takeRows(s, sdnet.Named[T]{Name: s.Name, Tensor: k}, rows)
			continue
		case fits && !linear:
			copy(s.Data, k.Data)
			continue
		case !stem && k == nil:
			return nil, fmt.Errorf("%s: the network has no %s", f.Path, s.Name)
		case !stem && !linear && !strings.HasSuffix(s.Name, vectorSuffix):
			return nil, fmt.Errorf("%s: %s is %v, the network for %s has %v", f.Path, s.Name, k.Shape, c.Data,
				s.Shape)
		}
		r.Fresh = append(r.Fresh, s.Name)
	}
	for _, l := range r.Net().Layers {
		if slices.Contains(r.Fresh, l.Name+vectorSuffix) || slices.Contains(r.Fresh, l.Name+".weight") {
			settle(l)
		}
	}
	r.lookAhead()
	return r, nil
}

// vectorSuffix is the end of the names of power-iteration vectors.
const vectorSuffix = ".v0"

// settle continues a layer's power iteration until its eigenvalue no longer changes, or for some hundreds of rounds.
func settle[T tensor.Float](l *sdnet.CSC[T]) {
	const most = 10 // of UpdateStep, each of which makes up to 50 rounds
	for range most {
		if l.UpdateStep().Converged {
			return
		}
	}
}

// prepare checks the configuration against the data, which are described unless they are already, and makes a
// run with zero weights.
func prepare[T tensor.Float](c Config, d data.Dataset, about *data.Description) (*Run[T], error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	spec, err := c.Spec()
	switch all := d.Train.Len(); {
	case err != nil:
		return nil, err
	case d.Name != c.Data:
		return nil, fmt.Errorf("data: the run is made for %s, the images are %s", c.Data, d.Name)
	case d.Train.Len() == 0:
		return nil, fmt.Errorf("data: %s", d.Train)
	case d.Classes != spec.Data.Classes:
		return nil, fmt.Errorf("data: the run is made for %d classes, the images have %d", spec.Data.Classes,
			d.Classes)
	case d.Train.Shape() != spec.Data.Shape():
		return nil, fmt.Errorf("data: the run is made for images of %s, these have %s", data.ShapeText(spec.Data.Shape()),
			data.ShapeText(d.Train.Shape()))
	case data.CheckShape(d.Train.Shape()) != nil:
		return nil, fmt.Errorf("data: %w", data.CheckShape(d.Train.Shape()))
	case d.Names != nil && len(d.Names) != d.Classes:
		return nil, fmt.Errorf("data: %d names of %d classes", len(d.Names), d.Classes)
	case c.Images > all:
		return nil, fmt.Errorf("images: %d of %d training images", c.Images, all)
	case c.Images > all-c.Holdout:
		return nil, fmt.Errorf("images: %d of %d training images, of which %d are held out", c.Images, all,
			c.Holdout)
	}
	net, err := sdnet.New[T](spec)
	if err != nil {
		return nil, err
	}
	if about == nil {
		now, err := d.Describe()
		if err != nil {
			return nil, err
		}
		about = &now
	}
	r := &Run[T]{
		Config: c, about: *about, Trainer: sdnet.NewTrainer(net, c.Momentum, c.Decay), data: d, epoch: -1,
		normalise: data.NewNormaliser[T](d.Mean, d.Std), streams: random.New(c.Seed),
		current: Epoch{Epoch: 1},
	}
	r.Trainer.Optimizer.Plain = c.PlainMomentum
	r.setRates()
	if r.augmented, err = augmented(c, d.Train); err != nil {
		return nil, err
	}
	r.trained, r.held = split(d.Train.Len(), c.Images, c.Holdout)
	shape := spec.Data.Shape()
	r.reader = &reader{plan: r.plan, bytes: tensor.Size(shape[:])}
	return r, nil
}

// StepsPerEpoch is the number of steps of an epoch; the last one takes the images that are left.
func (r *Run[T]) StepsPerEpoch() int { return (r.Images + r.Batch - 1) / r.Batch }

// TotalSteps is the number of steps of the run.
func (r *Run[T]) TotalSteps() int {
	steps := r.Epochs * r.StepsPerEpoch()
	if r.LastEpoch > 0 {
		steps -= int((1 - r.LastEpoch) * float64(r.StepsPerEpoch()))
	}
	return steps
}

// endsEpoch tells whether an epoch ends with so many steps, the last one perhaps before its time.
func (r *Run[T]) endsEpoch(steps int) bool {
	return steps%r.StepsPerEpoch() == 0 || steps == r.TotalSteps()
}

// Done tells whether all steps have been made.
func (r *Run[T]) Done() bool { return r.Iteration >= r.TotalSteps() }

// Net is the network being trained, as the optimiser left it.
func (r *Run[T]) Net() *sdnet.Network[T] { return r.Trainer.Net }

// Step does the next training step. A loss that is not finite is an error, after which the run cannot go on.
// It panics with a
// *MisuseError after the last step.
func (r *Run[T]) Step() (Step, error) {
	if r.Done() {
		panic(misuse.Errorf("training.Step: all %d steps of the run have been made", r.TotalSteps()))
	}
	limit := parallel.Limit(r.Trainer.Workers)
	r.reader.limit = limit
	b := r.reader.get(r.Iteration)
	if b.err != nil {
		return Step{}, fmt.Errorf("step %d: %w", r.Iteration+1, b.err)
	}
	if r.images == nil || r.images.Shape[0] != len(b.labels) {
		r.images = newBatch[T](len(b.labels), r.data.Train.Shape())
	}
	values(limit, r.normalise, r.images, b)
	r.soften(b.labels)
	rate := r.schedule().Rate(r.Iteration, r.StepsPerEpoch(), r.TotalSteps())
	s := Step{Iteration: r.Iteration + 1, Images: len(b.labels), Rate: rate}
	r.Trainer.Observe = nil
	if r.endsEpoch(s.Iteration) {
		s.Codes = codesOf(r.Net())
		r.Trainer.Observe = func(name string, value *tensor.Tensor[T]) { count(s.Codes, name, value) }
	}
	result := r.Trainer.Step(r.images, b.labels, rate)
	r.Iteration++
	if r.lookahead != nil {
		r.lookahead.Workers = r.Trainer.Workers
		r.lookahead.Step(r.Iteration, r.TotalSteps(), followed(r.Net()))
	}
	s.Loss, s.Correct, s.Estimates = result.Loss, result.Correct, result.Estimates
	if math.IsNaN(s.Loss) || math.IsInf(s.Loss, 0) {
		return s, fmt.Errorf("the loss of step %d is %v: the run has diverged; "+
			"a smaller learning rate than %.3g may help", s.Iteration, s.Loss, rate)
	}
	s.Epoch = r.complete(s)
	return s, nil
}

// plan returns the samples of a step, in the order of the epoch. Their augmentation is a function of the
// position in it.
func (r *Run[T]) plan(iteration int) []sample {
	if iteration >= r.TotalSteps() {
		return nil
	}
	epoch, first := iteration/r.StepsPerEpoch(), iteration%r.StepsPerEpoch()*r.Batch
	if r.epoch != epoch {
		r.epoch, r.order = epoch, r.streams.Sub("order", uint64(epoch)).Permutation(r.Images)
	}
	var list []sample
	for position := first; position < min(first+r.Batch, r.Images); position++ {
		i := r.trained[r.order[position]]
		write := func(dst []byte) error { return r.data.Train.Plain(dst, i) }
		if r.Augment {
			draws := r.streams.Sub("augment")
			write = func(dst []byte) error {
				return r.augmented.Augment(dst, i, draws, uint64(epoch), uint64(position))
			}
		}
		list = append(list, sample{r.data.Train.Label(i), write})
	}
	return list
}

// complete adds a step to the epoch in progress and returns the epoch if that completes it.
func (r *Run[T]) complete(s Step) *Epoch {
	r.current.Images += s.Images
	r.current.Loss += float64(s.Loss * float64(s.Images))
	r.current.Accuracy += float64(s.Correct)
	r.current.Rate = s.Rate
	if !r.endsEpoch(r.Iteration) {
		return nil
	}
	e := r.current
	e.Loss /= float64(e.Images)
	e.Accuracy /= float64(e.Images)
	r.History = append(r.History, e)
	r.current = Epoch{Epoch: e.Epoch + 1}
	return &e
}
