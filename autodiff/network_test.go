package autodiff

import (
	"sdref/conv"
	"sdref/tensor"
)

// network is a small one with every kind of operator, of which each parameter is an input, and its gradient.
type network struct {
	*Graph
	x, labels, loss         *Node
	parameters, gradients   []*Node
	mean, variance          *Node // the running statistics
	newMean, newVariance    *Node
	first, second, residual *Node // both codes, and what is between them
	normalized, rectified   *Node
	before                  *Node // what is normalized
}

// newNetwork is: convolution, batch normalisation and ReLU, two iterations with shrinkage, pooling, a linear
// layer, the loss.
func newNetwork(images, c, height, width int, training bool) *network {
	n := &network{Graph: NewGraph()}
	n.x, n.labels = n.Input("x", images, 3, height, width), n.Input("labels", images)
	n.mean, n.variance = n.Input("mean", c), n.Input("variance", c)
	down := conv.Geometry{Stride: 2, Padding: 1}
	gamma, beta := n.parameter("gamma", c), n.parameter("beta", c)
	n.before = Analysis(n.x, n.parameter("stem", c, 3, 3, 3), conv.Geometry{Padding: 1})
	norm := Norm{gamma, beta, n.mean, n.variance, 1e-5, 0.1}
	n.normalized, n.newMean, n.newVariance = BatchNorm("bn", n.before, norm, training)
	n.rectified = ReLU(n.normalized)
	h := n.rectified
	w, step := n.parameter("atoms", c+1, c, 3, 3), n.parameter("t")
	n.first = Prox(Scale(Analysis(h, w, down), 0.5, step), step, nil,
		Shrinkage{Lambda: 0.05, Nonnegative: true}).At("csc", 1, "code")
	n.residual = Axpy(h, Synthesis(n.first, w, height, width, down), -1, nil).At("csc", 2, "residual")
	u := Axpy(n.first, Analysis(n.residual, w, down), 1, step)
	n.second = Prox(u, step, n.parameter("lambda"), Shrinkage{Mu: 0.5}).At("csc", 2, "code")
	pooled := AveragePool(MaxPool(n.second, 3, 2, 1))
	logits := Linear(pooled, n.parameter("fc", 5, c+1), n.parameter("bias", 5))
	n.loss = CrossEntropy(logits, n.labels).At("", 0, "loss")
	n.gradients = Backward(n.loss, nil, n.parameters...)
	return n
}

func (n *network) parameter(name string, shape ...int) *Node {
	n.parameters = append(n.parameters, n.Input(name, shape...))
	return n.parameters[len(n.parameters)-1]
}

// outputs is what a training step computes.
func (n *network) outputs() []*Node {
	return append([]*Node{n.loss, n.newMean, n.newVariance}, n.gradients...)
}

// drawNetwork gives the network's inputs values.
func drawNetwork[T tensor.Float](n *network) values[T] {
	v := drawn[T](n.Graph, 9)
	for _, p := range n.parameters {
		tensor.Scale(v[p], v[p], 0.25)
	}
	v[n.variance].Fill(1)
	v[n.Node("t")].Fill(0.375)
	v[n.Node("lambda")].Fill(0.0625)
	for i := range v[n.labels].Data {
		v[n.labels].Data[i] = T(i * 3 % 5)
	}
	return v
}
