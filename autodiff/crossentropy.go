package autodiff

import (
	"errors"

	"sdref/internal/elementary"
	"sdref/internal/misuse"
	"sdref/tensor"
)

// CrossEntropy returns the mean over images of -log softmax(logits)[label], a number. Shapes: logits (N, K), labels (N), whole
// numbers below K; others are a panic when the program runs. Computed in float64 with the largest logit taken out. Pullback: dlogits
// = dy (softmax - onehot)/N.
func CrossEntropy(logits, labels *Node) *Node { return Apply(crossEntropyOp, nil, logits, labels) }

var crossEntropyOp = &Op{
	Name:    "cross_entropy",
	Formula: "mean of -log softmax(logits)[label] (logits, labels)",
	Shape: func(n *Node) ([]int, error) {
		_, err := crossEntropyShape(n)
		return []int{}, err
	},
	Pull: func(b *Gradient, n *Node, i int, dy *Node) *Node {
		g := Apply(crossEntropyGradOp, nil, n.Inputs...)
		if dy != nil {
			g = Scale(g, 1, dy)
		}
		return b.For(n, i, g)
	},
	Constants: []int{1},
	Float32:   Kernel[float32]{Whole: crossEntropy[float32]},
	Float64:   Kernel[float64]{Whole: crossEntropy[float64]},
}

func crossEntropyShape(n *Node) ([]int, error) {
	logits, labels := n.Inputs[0].Shape, n.Inputs[1].Shape
	if len(logits) != 2 || len(labels) != 1 || logits[0] != labels[0] {
		return nil, errors.New("want logits (N, K) and labels (N)")
	}
	return logits, nil
}

func crossEntropy[T tensor.Float](c *Call[T]) {
	loss, classes := 0.0, c.In[0].Shape[1]
	p := make([]float64, classes)
	for image := range c.In[0].Shape[0] {
		loss += logSumExp(p, c.In[0].Data[image*classes:(image+1)*classes], c.label(image))
	}
	c.Out.Data[0] = T(loss / float64(c.In[0].Shape[0]))
}

// label is the label of an image.
func (c *Call[T]) label(image int) int {
	label, classes := c.In[1].Data[image], c.In[0].Shape[1]
	if i := int(label); T(i) == label && 0 <= i && i < classes {
		return i
	}
	panic(misuse.Errorf("autodiff: node %s: label %v of image %d is not one of %d classes", c.Name, label, image, classes))
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

var crossEntropyGradOp = &Op{
	Name:    "cross_entropy_grad",
	Formula: "(softmax - onehot)/images (logits, labels)",
	Shape:   crossEntropyShape,
	Float32: Kernel[float32]{Whole: crossEntropyGrad[float32]},
	Float64: Kernel[float64]{Whole: crossEntropyGrad[float64]},
}

func crossEntropyGrad[T tensor.Float](c *Call[T]) {
	images, classes := c.In[0].Shape[0], c.In[0].Shape[1]
	share, p := 1/float64(images), make([]float64, classes)
	for image := range images {
		label := c.label(image)
		logSumExp(p, c.In[0].Data[image*classes:(image+1)*classes], label)
		p[label]--
		for k, v := range p {
			c.Out.Data[image*classes+k] = T(v * share)
		}
	}
}
