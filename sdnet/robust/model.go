// Package robust is robust inference (section 4 of Dai et al., "Revisiting Sparse Convolutional Model for
// Visual Recognition", NeurIPS 2022): on a noisy image the stem's code should be sparser than in training,
// and how much sparser follows from the part of the image that the stem cannot explain,
//
//	lambda(x) = a r(x) + b,   r(x) = |x - A z(x)| / sqrt(C H W),
//
// x the normalised image, z its code at the lambda of training. The line is fitted to the best lambdas of
// noisy training images, and applied to test images one by one, without their labels. Only the stem's lambda
// changes, also in networks whose other layers are CSC layers; weights, step sizes and BatchNorm's statistics
// stay as training left them.
//
// It is for cmd/ref and for readers of that section. It knows nothing of files and terminals.
package robust

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"sdref/internal/misuse"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/tensor"
)

// Model is a network whose stem takes a lambda of its own for each image.
type Model[T tensor.Float] struct {
	Lambda float64 // of training
	// Workers is the greatest number of goroutines that compute, beside GOMAXPROCS; 0 is no other. The bits are the same.
	Workers int

	predictor *sdnet.Predictor[T]
	stem      *sdnet.CSC[T] // of the model's own copy of the network
	normalise *data.Normaliser[T]
	batch     int
	images    *tensor.Tensor[T]
	residuals []float64 // r of each image of the current batch
}

// NewModel returns the model of a network, weights as the optimiser left them, for images with the given mean
// and deviation of each channel; equal lambdas are computed in batches of up to the given size. The network
// is copied. A network whose stem is no CSC layer, or that takes images of another size than 32 x 32, is an
// error.
func NewModel[T tensor.Float](net *sdnet.Network[T], mean, std [data.Channels]float64, batch int) (*Model[T],
	error) {
	if batch < 1 {
		panic(misuse.Errorf("robust.NewModel: a batch of %d images", batch))
	}
	if !net.CSCStem {
		return nil, fmt.Errorf("network %s: the stem is no CSC layer, so it has no lambda", net.Name)
	}
	if shape := net.Data.Shape(); shape != (&data.Set{}).Shape() {
		return nil, fmt.Errorf("network %s takes images of %s, not %s", net.Name, data.ShapeText(shape), data.ShapeText((&data.Set{}).Shape()))
	}
	net = net.Evaluable()
	m := &Model[T]{Lambda: net.Layers[0].Lambda, predictor: sdnet.NewPredictor(net), stem: net.Layers[0],
		batch:     batch,
		normalise: data.NewNormaliser[T](mean, std)}
	m.predictor.Observe = func(name string, value *tensor.Tensor[T]) {
		if name == m.stem.Name {
			m.residuals = m.residualsOf(value)
		}
	}
	return m, nil
}

// Prediction is the network's answer for an image.
type Prediction struct {
	Class    int     // the class with the largest logit, the lowest of equal ones
	Residual float64 // r = |x - A z| / sqrt(C H W), z the code at the lambda that the stem was given
}

// Predict predictions for each image of a set, the stem's lambda being lambdas[i] for image i, on which alone
// the answer depends. After each batch it calls progress, if that is not nil, with the number of its images,
// and returns nil if that returns false. It panics unless there is one lambda for each image.
func (m *Model[T]) Predict(set *data.Set, lambdas []float64, progress func(images int) bool) []Prediction {
	if len(lambdas) != set.Len() {
		panic(misuse.Errorf("robust.Predict: %d lambdas for the %d images of %s", len(lambdas), set.Len(),
			set.Name))
	}
	order := make([]int, set.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(lambdas[i], lambdas[j]) })
	predictions := make([]Prediction, set.Len())
	for len(order) > 0 {
		n := 1
		for n < min(m.batch, len(order)) && lambdas[order[n]] == lambdas[order[0]] {
			n++
		}
		m.stem.Lambda = lambdas[order[0]]
		m.predict(predictions, set, order[:n])
		if progress != nil && !progress(n) {
			return nil
		}
		order = order[n:]
	}
	return predictions
}

// Repeat returns n times the same lambda.
func Repeat(n int, lambda float64) []float64 { return slices.Repeat([]float64{lambda}, n) }

// predict sets the predictions of some images of a set, at the lambda that the stem has.
func (m *Model[T]) predict(predictions []Prediction, set *data.Set, indices []int) {
	if m.images == nil || m.images.Shape[0] != len(indices) {
		m.images = tensor.New[T](len(indices), data.Channels, data.Side, data.Side)
	}
	m.normalise.Plain(m.images.Data, set, indices)
	m.predictor.Workers, m.stem.Workers = m.Workers, m.Workers
	logits := m.predictor.Logits(m.images)
	for j, i := range indices {
		predictions[i] = Prediction{Class: sdnet.Largest(logits.Row(j).Data), Residual: m.residuals[j]}
	}
}

// residualsOf is r of each image of the current batch, given the stem's code z (N, M, Ho, Wo).
func (m *Model[T]) residualsOf(z *tensor.Tensor[T]) []float64 {
	r := m.stem.Reconstruct(z)
	tensor.AddScaledWithin(m.Workers, r, m.images, r, -1)
	list := make([]float64, r.Shape[0])
	for j := range list {
		row := r.Row(j)
		list[j] = math.Sqrt(tensor.SumSquaresWithin(m.Workers, row) / float64(row.Len()))
	}
	return list
}

// MisuseError is the value with which this package panics for mistakes of its caller that are not ones of shapes.
type MisuseError = misuse.Error
