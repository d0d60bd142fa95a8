package training

import (
	"fmt"

	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Evaluation is the results of a network on a set of images.
type Evaluation struct {
	Images     int     `json:"images"`
	Top1, Top5 int     // images whose label has the largest logit, and one of the five largest
	Loss       float64 `json:"loss"` // mean cross-entropy
	Codes      []Codes `json:"codes"`
	Err        error   `json:"-"` // why an image could not be read, which ended the evaluation
}

// Codes is the number of codes of a CSC layer and of exact zeros among them.
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

// Evaluate runs a network, prepared by sdnet.Network.Evaluable, over a set of images without augmentation.
// After each batch it calls progress, if that is not nil, with the evaluation so far, and stops early if that
// returns false. An image file that cannot be read ends it too. It panics if batch is not positive.
func Evaluate[T tensor.Float](net *sdnet.Network[T], set data.Images, mean, std [3]float64, batch int,
	progress func(Evaluation) bool) Evaluation {
	if batch < 1 {
		panic(fmt.Sprintf("training.Evaluate: a batch of %d images", batch))
	}
	e := Evaluation{Codes: codesOf(net)}
	p := sdnet.NewPredictor(net)
	p.Observe = func(name string, value *tensor.Tensor[T]) { count(e.Codes, name, value) }
	normalise := data.NewNormaliser[T](mean, std)
	side, sum := set.Extent(), 0.0
	batches := &reader{plan: func(k int) []sample {
		return inOrder(set, k*batch, batch)
	}, bytes: 3 * side * side}
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

// inOrder lists at most n images of a set from index first on; nil if there are none.
func inOrder(set data.Images, first, n int) (list []sample) {
	for i := first; i < first+min(n, set.Len()-first); i++ {
		list = append(list, sample{set.Label(i), func(dst []byte) error { return set.Plain(dst, i) }})
	}
	return list
}

// codesOf lists the CSC layers of a network, with no codes counted yet.
func codesOf[T tensor.Float](net *sdnet.Network[T]) (list []Codes) {
	for _, l := range net.Layers {
		list = append(list, Codes{Layer: l.Name})
	}
	return list
}

// count adds the codes of the named layer, if it is in the list.
func count[T tensor.Float](list []Codes, name string, value *tensor.Tensor[T]) {
	for i := range list {
		if list[i].Layer == name {
			list[i].Zeros += value.Len() - tensor.CountNonzero(value)
			list[i].Total += value.Len()
		}
	}
}
