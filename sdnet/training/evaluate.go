package training

import (
	"fmt"

	"sdref/autodiff"
	"sdref/sdnet"
	"sdref/sdnet/augment"
	"sdref/sdnet/cifar"
	"sdref/tensor"
)

// Evaluation is how a network does on a set of images.
type Evaluation struct {
	Images     int     `json:"images"`
	Top1, Top5 int     // images whose label is the largest, among the five largest logits
	Loss       float64 `json:"loss"` // mean cross-entropy
	Codes      []Codes `json:"codes"`
}

// Codes counts the codes of a CSC layer.
type Codes struct {
	Layer        string
	Zeros, Total int
}

// ZeroShare is the share of exact zeros among the codes.
func (c Codes) ZeroShare() float64 { return float64(c.Zeros) / float64(max(1, c.Total)) }

// Accuracy is the share of images whose label has the largest logit.
func (e Evaluation) Accuracy() float64 { return float64(e.Top1) / float64(max(1, e.Images)) }

// Accuracy5 is the share of images whose label is among the five largest logits.
func (e Evaluation) Accuracy5() float64 { return float64(e.Top5) / float64(max(1, e.Images)) }

// Evaluate runs a network, prepared by sdnet.Network.Evaluable, over a set of images without augmentation. After each batch
// it calls progress, if that is not nil, with the evaluation so far, and stops early if the answer is false. It panics if
// batch is not positive.
func Evaluate[T tensor.Float](net *sdnet.Network[T], set *cifar.Set, mean, std [3]float64, batch int, progress func(Evaluation) bool) Evaluation {
	if batch < 1 {
		panic(fmt.Sprintf("training.Evaluate: a batch of %d images", batch))
	}
	var e Evaluation
	for _, l := range net.Layers {
		e.Codes = append(e.Codes, Codes{Layer: l.Name})
	}
	p := sdnet.NewPredictor(net)
	p.Observe = func(name string, value *tensor.Tensor[T]) {
		for i := range e.Codes {
			if e.Codes[i].Layer == name {
				e.Codes[i].Zeros += value.Len() - tensor.CountNonzero(value)
				e.Codes[i].Total += value.Len()
			}
		}
	}
	normalise := augment.NewNormaliser[T](mean, std)
	losses := autodiff.NoGrad(tensor.NewArena[T]())
	sum := 0.0
	for first := 0; first < set.Len(); first += batch {
		indices := make([]int, min(batch, set.Len()-first))
		for i := range indices {
			indices[i] = first + i
		}
		images := tensor.New[T](len(indices), cifar.Channels, cifar.Side, cifar.Side)
		normalise.Plain(images.Data, set, indices)
		labels := labelsOf(set, indices)
		logits := p.Logits(images)
		e.Images += len(indices)
		e.Top1 += sdnet.TopK(logits, labels, 1)
		e.Top5 += sdnet.TopK(logits, labels, 5)
		loss := autodiff.CrossEntropy(losses.Constant(logits), labels).Value()
		sum += float64(float64(loss.Data[0]) * float64(len(indices)))
		e.Loss = sum / float64(e.Images)
		losses.Reset()
		if progress != nil && !progress(e) {
			break
		}
	}
	return e
}
