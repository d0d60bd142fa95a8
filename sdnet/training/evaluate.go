package training

import (
	"fmt"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Evaluation is how a network does on a set of images.
type Evaluation struct {
	Images     int     `json:"images"`
	Top1, Top5 int     // images whose label is the largest, among the five largest logits
	Loss       float64 `json:"loss"` // mean cross-entropy
	Codes      []Codes `json:"codes"`
	Err        error   `json:"-"` // of the image at which the evaluation ended, if that could not be read
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
// it calls progress, if that is not nil, with the evaluation so far, and stops early if the answer is false. An image that
// cannot be read, which only images in files can be, ends it too. It panics if batch is not positive.
func Evaluate[T tensor.Float](net *sdnet.Network[T], set data.Images, mean, std [3]float64, batch int, progress func(Evaluation) bool) Evaluation {
	if batch < 1 {
		panic(fmt.Sprintf("training.Evaluate: a batch of %d images", batch))
	}
	e := Evaluation{Codes: codesOf(net)}
	p := sdnet.NewPredictor(net)
	p.Observe = func(name string, value *tensor.Tensor[T]) { count(e.Codes, name, value) }
	normalise := data.NewNormaliser[T](mean, std)
	side, sum := set.Extent(), 0.0
	batches := &reader{plan: func(k int) []sample { return inOrder(set, k*batch, batch) }, bytes: 3 * side * side}
	for k := 0; e.Images < set.Len(); k++ {
		b := batches.get(k)
		if e.Err = b.err; e.Err != nil {
			break
		}
		images := tensor.New[T](len(b.labels), 3, side, side)
		values(normalise, images.Data, b)
		logits, loss := p.Loss(images, b.labels)
		e.Images += len(b.labels)
		e.Top1 += sdnet.TopK(logits, b.labels, 1)
		e.Top5 += sdnet.TopK(logits, b.labels, 5)
		sum += float64(loss * float64(len(b.labels)))
		e.Loss = sum / float64(e.Images)
		if progress != nil && !progress(e) {
			break
		}
	}
	return e
}

// inOrder are at most n images of a set from the given one on, nil if there are none.
func inOrder(set data.Images, first, n int) (list []sample) {
	for i := first; i < first+min(n, set.Len()-first); i++ {
		list = append(list, sample{set.Label(i), func(dst []byte) error { return set.Plain(dst, i) }})
	}
	return list
}

// codesOf is the CSC layers of a network, nothing counted.
func codesOf[T tensor.Float](net *sdnet.Network[T]) (list []Codes) {
	for _, l := range net.Layers {
		list = append(list, Codes{Layer: l.Name})
	}
	return list
}

// count adds a layer's codes, if that is what the name says.
func count[T tensor.Float](list []Codes, name string, value *tensor.Tensor[T]) {
	for i := range list {
		if list[i].Layer == name {
			list[i].Zeros += value.Len() - tensor.CountNonzero(value)
			list[i].Total += value.Len()
		}
	}
}
