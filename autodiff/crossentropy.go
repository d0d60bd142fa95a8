package autodiff

import (
	"fmt"
	"slices"

	"sdref/internal/elementary"
	"sdref/tensor"
)

// CrossEntropy returns the mean over images of -log softmax(logits)[label], a tensor of one element. Shapes: logits (N, K),
// labels N numbers below K. Computed in float64 with the largest logit taken out. Pullback: dlogits = dy (softmax - onehot)/N.
// Saves the softmax.
func CrossEntropy[T tensor.Float](logits *Var[T], labels []int) *Var[T] {
	s := logits.Shape()
	if len(s) != 2 || s[0] != len(labels) {
		panic(&tensor.ShapeError{Op: "CrossEntropy (logits, labels)", Shapes: [][]int{s, {len(labels)}}})
	}
	labels = slices.Clone(labels) // the pullback reads them again; the caller may have refilled theirs by then
	loss := 0.0
	softmax := make([]float64, s[0]*s[1])
	for n, label := range labels {
		if label < 0 || label >= s[1] {
			panic(fmt.Sprintf("CrossEntropy: label %d of image %d is not one of %d classes", label, n, s[1]))
		}
		loss += logSumExp(softmax[n*s[1]:(n+1)*s[1]], logits.Value().Data[n*s[1]:(n+1)*s[1]], label)
	}
	y := logits.tape.result()
	y.Value().Data[0] = T(loss / float64(s[0]))
	dx := func(dst, dy *tensor.Tensor[T]) {
		scale := float64(dy.Data[0]) / float64(s[0])
		for i, p := range softmax {
			if labels[i/s[1]] == i%s[1] {
				p--
			}
			dst.Data[i] = T(p * scale)
		}
	}
	return logits.tape.finish(y, op[T]{args: []*Var[T]{logits}, pulls: []pullback[T]{dx}})
}

// logSumExp sets p to softmax(x) and returns -log p[label].
func logSumExp[T tensor.Float](p []float64, x []T, label int) float64 {
	top := x[0]
	for _, v := range x {
		top = max(top, v) // NaN if any is
	}
	sum := 0.0
	for k, v := range x {
		p[k] = elementary.Exp(float64(v) - float64(top))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return elementary.Log(sum) - (float64(x[label]) - float64(top))
}
