package sdnet

import (
	"errors"
	"slices"

	"sdref/autodiff"
	"sdref/internal/elementary"
	"sdref/tensor"
)

// SoftCrossEntropy returns the mean over images of -sum_k q_k log softmax(logits)_k, a number, for shares q of the classes that add
// up to 1 in each image: what label smoothing (Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016,
// section 7) and mixup (Zhang et al., "mixup: beyond empirical risk minimization", 2018) compare with. With a 1 at the label it is
// autodiff.CrossEntropy. Shapes: logits and shares (N, K). Pullback: dlogits = dy (softmax sum_k q_k - q)/N; shares are constants.
func SoftCrossEntropy(logits, shares *autodiff.Node) *autodiff.Node {
	return autodiff.Apply(softCrossEntropyOp, nil, logits, shares)
}

var softCrossEntropyOp = &autodiff.Op{
	Name:    "soft_cross_entropy",
	Formula: "mean of -sum of q log softmax(logits) (logits, q)",
	Shape: func(n *autodiff.Node) ([]int, error) {
		_, err := softShape(n)
		return []int{}, err
	},
	Pull: func(b *autodiff.Gradient, n *autodiff.Node, i int, dy *autodiff.Node) *autodiff.Node {
		g := autodiff.Apply(softCrossEntropyGradOp, nil, n.Inputs...)
		if dy != nil {
			g = autodiff.Scale(g, 1, dy)
		}
		return b.For(n, i, g)
	},
	Constants: []int{1},
	Float32:   autodiff.Kernel[float32]{Whole: softCrossEntropy[float32]},
	Float64:   autodiff.Kernel[float64]{Whole: softCrossEntropy[float64]},
}

var softCrossEntropyGradOp = &autodiff.Op{
	Name:    "soft_cross_entropy_grad",
	Formula: "(softmax sum of q - q)/images (logits, q)",
	Shape:   softShape,
	Float32: autodiff.Kernel[float32]{Whole: softCrossEntropyGrad[float32]},
	Float64: autodiff.Kernel[float64]{Whole: softCrossEntropyGrad[float64]},
}

func softShape(n *autodiff.Node) ([]int, error) {
	logits, shares := n.Inputs[0].Shape, n.Inputs[1].Shape
	if len(logits) != 2 || !slices.Equal(logits, shares) {
		return nil, errors.New("want logits and shares (N, K)")
	}
	return logits, nil
}

func softCrossEntropy[T tensor.Float](c *autodiff.Call[T]) {
	loss, images := 0.0, c.In[0].Shape[0]
	p := make([]float64, c.In[0].Shape[1])
	for image := range images {
		logits, q := c.In[0].Row(image).Data, c.In[1].Row(image).Data
		top, norm := softmax(p, logits)
		for k, v := range logits { // log softmax = v - top - norm
			loss += float64(float64(q[k]) * (norm - (float64(v) - top)))
		}
	}
	c.Out.Data[0] = T(loss / float64(images))
}

func softCrossEntropyGrad[T tensor.Float](c *autodiff.Call[T]) {
	images := c.In[0].Shape[0]
	share, p := 1/float64(images), make([]float64, c.In[0].Shape[1])
	for image := range images {
		q, out := c.In[1].Row(image).Data, c.Out.Row(image).Data
		softmax(p, c.In[0].Row(image).Data)
		total := 0.0
		for _, v := range q {
			total += float64(v)
		}
		for k, v := range p {
			out[k] = T((float64(v*total) - float64(q[k])) * share)
		}
	}
}

// softmax sets p to softmax(x) and returns the largest x and the logarithm of the sum of exp(x - top). A NaN anywhere makes all NaN.
func softmax[T tensor.Float](p []float64, x []T) (top, norm float64) {
	largest := x[0]
	for _, v := range x {
		largest = max(largest, v)
	}
	top = float64(largest)
	sum := 0.0
	for k, v := range x {
		p[k] = elementary.Exp(float64(v) - top)
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return top, elementary.Log(sum)
}
