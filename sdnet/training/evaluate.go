package training

import (
	"sdref/internal/elementary"
	"sdref/internal/misuse"
	"sdref/internal/parallel"
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
	LeftOut    int     `json:"left_out,omitempty"` // images that could not be read and were left out
	Err        error   `json:"-"`                  // why an image could not be read, which ended the evaluation
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

// Answer is what a network says of one image.
type Answer struct {
	Image         int // index in the set
	Label         int
	Probabilities []float64 // by class, valid during the call only
}

// Evaluator runs a network, prepared by sdnet.Network.Evaluable, over sets of images without augmentation.
type Evaluator[T tensor.Float] struct {
	Net       *sdnet.Network[T]
	Mean, Std [3]float64
	Batch     int
	// Workers is the greatest number of goroutines that compute, beside GOMAXPROCS; 0 is no other. As many more read images ahead.
	Workers int
	// Views, if there are more than one, are the views of each image over which the probabilities are averaged, by their weights.
	Views []data.View
	// Progress, if set, is called after each batch with the evaluation so far; false stops it early.
	Progress func(Evaluation) bool
	// Answers, if set, is called with the answer to each image, in the order of the set.
	Answers func(Answer)
}

// Evaluate runs a network, prepared by sdnet.Network.Evaluable, over a set of images without augmentation.
// After each batch it calls progress, if that is not nil, with the evaluation so far, and stops early if that
// returns false. An image file that cannot be read ends it too, unless it is to be left out. It panics if batch
// is not positive.
func Evaluate[T tensor.Float](net *sdnet.Network[T], set data.Images, mean, std [3]float64, batch int,
	progress func(Evaluation) bool) Evaluation {
	e := Evaluator[T]{Net: net, Mean: mean, Std: std, Batch: batch, Progress: progress}
	return e.Evaluate(set)
}

// Evaluate evaluates a set of images. It panics if the batch is not positive.
func (v *Evaluator[T]) Evaluate(set data.Images) Evaluation {
	if v.Batch < 1 {
		panic(misuse.Errorf("training.Evaluate: a batch of %d images", v.Batch))
	}
	e := Evaluation{Codes: codesOf(v.Net)}
	p := sdnet.NewPredictor(v.Net)
	p.Workers = v.Workers
	p.Observe = func(name string, value *tensor.Tensor[T]) { count(e.Codes, name, value) }
	w := &looks[T]{Evaluator: v, predictor: p, normalise: data.NewNormaliser[T](v.Mean, v.Std), shape: set.Shape()}
	set = data.ForEvaluation(set)
	bytes := tensor.Size(w.shape[:])
	batches := &reader{plan: func(k int) []sample { return inOrder(set, k*v.Batch, v.Batch) }, bytes: bytes, limit: parallel.Limit(v.Workers)}
	sum := 0.0
	for k := 0; e.Images+e.LeftOut < set.Len(); k++ {
		b := batches.get(k)
		if e.Err = b.err; e.Err != nil {
			break
		}
		all := len(b.labels)
		places := b.compact(bytes)
		if e.LeftOut += all - len(places); len(places) > 0 {
			scores, probabilities, loss := w.look(b)
			e.Images += len(b.labels)
			e.Top1 += sdnet.TopK(scores, b.labels, 1)
			e.Top5 += sdnet.TopK(scores, b.labels, 5)
			sum += float64(loss * float64(len(b.labels)))
			e.Loss = sum / float64(e.Images)
			if v.Answers != nil {
				classes := scores.Shape[1]
				for j, place := range places {
					v.Answers(Answer{k*v.Batch + place, b.labels[j], probabilities[j*classes:][:classes]})
				}
			}
		}
		if v.Progress != nil && !v.Progress(e) {
			break
		}
	}
	return e
}

// looks shows the views of batches to a network.
type looks[T tensor.Float] struct {
	*Evaluator[T]
	predictor *sdnet.Predictor[T]
	normalise *data.Normaliser[T]
	shape     [3]int // of an image
	view      []byte // the batch as one view shows it
}

// look returns what the network says of a batch: scores (N, classes) of which the largest is the answer, logits
// if there is one view and mean probabilities if there are more; the probabilities, row by row, nil if there is
// one view and nobody asks for them; and the mean cross-entropy.
func (w *looks[T]) look(b *batch) (scores *tensor.Tensor[T], probabilities []float64, loss float64) {
	images := newBatch[T](len(b.labels), w.shape)
	if len(w.Views) < 2 {
		values(parallel.Limit(w.Workers), w.normalise, images, w.seen(b, w.Views...))
		scores, loss = w.predictor.Loss(images, b.labels)
		if w.Answers != nil {
			probabilities = make([]float64, scores.Len())
			addProbabilities(probabilities, scores, 1)
		}
		return scores, probabilities, loss
	}
	shares := data.Weights(w.Views)
	for k, view := range w.Views {
		values(parallel.Limit(w.Workers), w.normalise, images, w.seen(b, view))
		logits, _ := w.predictor.Loss(images, b.labels)
		if scores == nil {
			scores, probabilities = tensor.New[T](logits.Shape...), make([]float64, logits.Len())
		}
		addProbabilities(probabilities, logits, shares[k])
	}
	classes := scores.Shape[1]
	for i, p := range probabilities {
		scores.Data[i] = T(p)
	}
	for j, label := range b.labels {
		loss -= elementary.Log(probabilities[j*classes+label]) / float64(len(b.labels))
	}
	return scores, probabilities, loss
}

// seen is the batch as a view shows it, or as it is if there is none.
func (w *looks[T]) seen(b *batch, view ...data.View) *batch {
	if len(view) == 0 || view[0] == (data.View{Weight: view[0].Weight}) {
		return b
	}
	each := tensor.Size(w.shape[:])
	all := each * len(b.labels)
	if len(w.view) < all {
		w.view = make([]byte, all)
	}
	for j := range b.labels {
		view[0].Write(w.view[j*each:][:each], b.pixels[j*each:][:each], w.shape)
	}
	return &batch{pixels: w.view[:all], labels: b.labels}
}

// addProbabilities adds a share of the softmax of each row of logits.
func addProbabilities[T tensor.Float](to []float64, logits *tensor.Tensor[T], share float64) {
	for i, p := range sdnet.Softmax(logits).Data {
		to[i] += float64(share * p)
	}
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

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
