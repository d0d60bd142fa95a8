// Package attack looks for adversarial examples: near an image p0, an image that a network mistakes. It does
// projected gradient descent (A. Madry et al., "Towards deep learning models resistant to adversarial
// attacks", ICLR 2018), from a random start through the unrolled layers,
//
//	p <- P(p + alpha s(dL/dp)),   s(g) = sign g  and  |p - p0|_inf <= epsilon   (Linf)
//	                              s(g) = g/|g|_2 and  |p - p0|_2 <= epsilon     (L2)
//
// L the cross-entropy, P the projection onto the ball and onto pixels in [0, 1]. Normalisation is a part of
// the network, and BatchNorm uses its running statistics, as in prediction. An example that is found shows
// that the network is not robust there. That none was found proves nothing; stronger attacks than this one
// exist.
//
// It is for cmd/ref and for people who doubt a claim of robustness. It knows nothing of files and terminals.
package attack

import (
	"slices"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/internal/elementary"
	"sdref/internal/misuse"
	"sdref/internal/names"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Norm is the size of a perturbation.
type Norm int

const (
	Linf Norm = iota // the largest change of a value; values are between 0 and 1
	L2               // the square root of the sum of squared changes over an image
)

var normNames = []string{Linf: "linf", L2: "l2"}

func (n Norm) String() string { return names.Of(n, normNames) }

// MarshalText returns the name, for files and flags.
func (n Norm) MarshalText() ([]byte, error) { return []byte(n.String()), nil }

// UnmarshalText is ParseNorm.
func (n *Norm) UnmarshalText(text []byte) (err error) {
	*n, err = ParseNorm(string(text))
	return err
}

// ParseNorm is the inverse of String.
func ParseNorm(name string) (Norm, error) { return names.Parse[Norm]("norm", name, normNames) }

// PGD is the settings of an attack.
type PGD struct {
	Norm     Norm
	Epsilon  float64 // the largest size of a perturbation
	Steps    int
	Restarts int // random starts, at least 1
	Seed     uint64
	// MaximizeLoss continues after the network mistakes the image, towards the largest loss: for images that
	// are to mislead another network too.
	MaximizeLoss bool
}

// stepShare is the length of all steps together in units of epsilon, as Madry et al. chose it.
const stepShare = 2.5

// Model is a network under attack.
type Model[T tensor.Float] struct {
	Net *sdnet.Network[T] // the model's own copy; the settings of its CSC layers may be changed
	// Workers is the greatest number of goroutines that compute, beside GOMAXPROCS; 0 is no other. The bits are the same.
	Workers int

	mean, std [data.Channels]T
	batch     int
	predictor *sdnet.Predictor[T]
	arena     *tensor.Arena[T]
	programs  map[int]*gradientProgram[T] // by the number of images
	last      *gradientProgram[T]
}

// NewModel returns the model of a network, weights as the optimiser left them, for images with the given mean
// and deviation of each channel. It works on up to batch images at a time; no result depends on batch. It is for networks of 3 x 32 x 32
// pixels, as a data.Set's images have.
func NewModel[T tensor.Float](net *sdnet.Network[T], mean, std [data.Channels]float64, batch int) *Model[T] {
	if batch < 1 {
		panic(misuse.Errorf("attack.NewModel: a batch of %d images", batch))
	}
	v := &Model[T]{Net: net.Evaluable(), batch: batch, arena: tensor.NewArena[T](),
		programs: map[int]*gradientProgram[T]{}}
	v.predictor = sdnet.NewPredictor(v.Net)
	for c := range data.Channels {
		v.mean[c], v.std[c] = T(mean[c]), T(std[c])
	}
	return v
}

// Examples is images and the adversarial examples found for them.
type Examples[T tensor.Float] struct {
	Images *tensor.Tensor[T] // N x 3 x H x W, values in [0, 1]
	Labels []int
	// N x 3 x H x W: the adversarial example or, if none was found, the end of the last attack
	Worst *tensor.Tensor[T]
	Found []bool // whether an adversarial example was found

	draws   string // the name of the stream of random starts
	indices []int  // of the images in their set
}

// Remaining counts the images that the network still recognises.
func (t *Examples[T]) Remaining() int {
	n := 0
	for _, found := range t.Found {
		if !found {
			n++
		}
	}
	return n
}

// Begin returns the images of a set with the given indices, before any attack. Images that the network
// mistakes as they are count as found.
func (v *Model[T]) Begin(set *data.Set, indices []int) *Examples[T] {
	t := &Examples[T]{Images: tensor.New[T](len(indices), data.Channels, data.Side, data.Side),
		draws: set.Name, indices: indices}
	for j, i := range indices {
		row := t.Images.Row(j).Data
		for k, x := range set.Image(i) {
			row[k] = T(x) / 255
		}
		t.Labels = append(t.Labels, int(set.Labels[i]))
	}
	t.Worst = t.Images.Clone()
	for j, class := range v.Classes(t.Images) {
		t.Found = append(t.Found, class != t.Labels[j])
	}
	return t
}

// Classes returns the network's answers for images N x 3 x H x W, values in [0, 1].
func (v *Model[T]) Classes(images *tensor.Tensor[T]) []int {
	var classes []int
	for first := 0; first < images.Shape[0]; first += v.batch {
		n := min(v.batch, images.Shape[0]-first)
		x := tensor.New[T](append([]int{n}, images.Shape[1:]...)...)
		copy(x.Data, images.Data[first*len(x.Data)/n:])
		v.normalise(x)
		v.predictor.Workers = v.Workers
		logits := v.predictor.Logits(x)
		for j := range n {
			classes = append(classes, sdnet.Largest(logits.Row(j).Data))
		}
	}
	return classes
}

// Recognised counts the worst images that the network recognises, for instance of examples made for another
// network.
func (v *Model[T]) Recognised(t *Examples[T]) int {
	n := 0
	for j, class := range v.Classes(t.Worst) {
		if class == t.Labels[j] {
			n++
		}
	}
	return n
}

// normalise turns pixels in [0, 1] into the network's input, in place; for bytes divided by 255 it has the
// bits of data.Normaliser.
func (v *Model[T]) normalise(x *tensor.Tensor[T]) {
	plane := x.Shape[2] * x.Shape[3]
	for i, p := range x.Data {
		c := i / plane % data.Channels
		x.Data[i] = (p - v.mean[c]) / v.std[c]
	}
}

// Gradient returns the direction of the cross-entropy's gradient with respect to pixels, image by image, and
// the classes that the network predicts for the images N x 3 x H x W. The gradient of an image is divided by
// 1 minus its label's probability, which does not change its direction and keeps the gradients of a confident
// network from underflowing. It is valid until the next call.
func (v *Model[T]) Gradient(images *tensor.Tensor[T], labels []int) (gradient *tensor.Tensor[T],
	classes []int) {
	x := images.Clone()
	v.normalise(x)
	p := v.program(x.Shape[0])
	v.Net.Bind(p.Program, p.flow)
	p.Set(p.flow.X, x)
	p.Set(p.labels, sdnet.LabelTensor[T](labels))
	p.Workers = v.Workers
	p.Run()
	logits := p.Value(p.flow.Logits)
	for j := range labels {
		classes = append(classes, sdnet.Largest(logits.Row(j).Data))
	}
	gradient = p.Value(p.gradient)
	plane := x.Shape[2] * x.Shape[3]
	for i := range gradient.Data {
		gradient.Data[i] /= v.std[i/plane%data.Channels]
	}
	return gradient, classes
}

// gradientProgram computes logits, and the gradient of the loss at the images.
type gradientProgram[T tensor.Float] struct {
	*autodiff.Program[T]
	flow             *sdnet.Flow
	labels, gradient *autodiff.Node
	settings         []csc.Settings // of the layers, when the program was made
}

// program returns the program for so many images and the current settings of the layers. Lambda is an input
// of the program.
func (v *Model[T]) program(images int) *gradientProgram[T] {
	if v.last != nil {
		v.last.Release()
	}
	var settings []csc.Settings
	for _, l := range v.Net.Layers {
		s := l.Settings
		s.Lambda = 0
		settings = append(settings, s)
	}
	p := v.programs[images]
	if p == nil || !slices.Equal(p.settings, settings) {
		p = &gradientProgram[T]{flow: v.Net.Graph(sdnet.Options{Images: images, Lambdas: true}),
			settings: settings}
		p.labels = p.flow.Input("labels", images)
		seed := autodiff.Apply(lossGradientOp, nil, p.flow.Logits, p.labels)
		p.gradient = autodiff.Backward(p.flow.Logits, seed, p.flow.X)[0]
		plan := autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{p.flow.Logits, p.gradient}})
		p.Program = autodiff.NewProgram(plan, v.arena)
		v.programs[images] = p
	}
	v.last = p
	return p
}

// lossGradientOp is the cross-entropy's gradient at the logits, divided image by image by 1 - softmax[label].
var lossGradientOp = &autodiff.Op{
	Name:    "attack_seed",
	Formula: "(softmax - onehot)/(1 - softmax[label]) (logits, labels)",
	Shape:   func(n *autodiff.Node) ([]int, error) { return n.Inputs[0].Shape, nil },
	Float32: autodiff.Kernel[float32]{Whole: lossGradients[float32]},
	Float64: autodiff.Kernel[float64]{Whole: lossGradients[float64]},
}

func lossGradients[T tensor.Float](c *autodiff.Call[T]) {
	for j, label := range c.In[1].Data {
		lossGradient(c.Out.Row(j).Data, c.In[0].Row(j).Data, int(label))
	}
}

// lossGradient sets d to the cross-entropy's gradient at logits, softmax - onehot, divided by 1 -
// softmax[label]: -1 at the label, and the softmax of the others among themselves.
func lossGradient[T tensor.Float](d, logits []T, label int) {
	top, sum := -1, 0.0
	for k, v := range logits {
		if k != label && (top < 0 || v > logits[top]) {
			top = k
		}
	}
	for k, v := range logits {
		if k != label {
			sum += elementary.Exp(float64(v) - float64(logits[top]))
		}
	}
	for k, v := range logits {
		d[k] = -1
		if k != label {
			d[k] = T(elementary.Exp(float64(v)-float64(logits[top])) / sum)
		}
	}
}

// ZeroGradients counts the images at which the gradient is zero, so that the attack cannot move.
func (v *Model[T]) ZeroGradients(t *Examples[T]) int {
	n := 0
	for first := 0; first < len(t.Labels); first += v.batch {
		indices := make([]int, min(v.batch, len(t.Labels)-first))
		for j := range indices {
			indices[j] = first + j
		}
		gradient, _ := v.Gradient(rows(t.Images, indices), t.Labels[first:first+len(indices)])
		for j := range indices {
			if tensor.SumAbs(gradient.Row(j)) == 0 {
				n++
			}
		}
	}
	return n
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
