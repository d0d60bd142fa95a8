package sdnet

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// Network is a network with its weights. Forward changes nothing in it but the running statistics of BatchNorm in training.
type Network[T tensor.Float] struct {
	Spec
	Layers []*CSC[T] // the CSC layers, in order

	stem     *filter[T]
	stemNorm *norm[T]
	stemLast *filter[T] // SDNet-All's CSC layer in the max-pool's place, or nil
	stages   [][]*block[T]
	linear   *affine[T]
	state    []Named[T]
}

// CSC is a CSC layer with its published name.
type CSC[T tensor.Float] struct {
	Name string
	*csc.Layer[T]
}

// Named is a tensor of the network's state.
type Named[T tensor.Float] struct {
	Name   string
	Buffer bool // not trained: running statistics, step sizes, power-iteration vectors
	*tensor.Tensor[T]
}

// filter is a convolution or a CSC layer.
type filter[T tensor.Float] struct {
	name   string
	weight *tensor.Tensor[T] // (outputs, inputs, k, k)
	conv.Geometry
	layer *CSC[T] // nil for a convolution
	in    [3]int  // channels, height, width
	out   [3]int
}

// norm is BatchNorm.
type norm[T tensor.Float] struct {
	name        string
	gamma, beta *tensor.Tensor[T]
	running     autodiff.Running[T]
	shape       [3]int
}

// affine is the linear classifier.
type affine[T tensor.Float] struct{ weight, bias *tensor.Tensor[T] }

// block is a residual block.
type block[T tensor.Float] struct {
	name         string
	conv1, conv2 *filter[T]
	bn1, bn2     *norm[T]
	shortcut     *filter[T] // nil where the shortcut is the identity
	shortcutNorm *norm[T]
}

// New returns a network with all weights 0, BatchNorm at identity; Initialize or a checkpoint fills it.
func New[T tensor.Float](s Spec) (*Network[T], error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	n := &Network[T]{Spec: s}
	shape := [3]int{3, s.Data.Image, s.Data.Image}
	n.stem = n.newFilter("layer0.0", shape, s.Widths[0], s.Data.Stem.Kernel, s.Data.Stem.Geometry, s.CSCStem)
	n.stemNorm = n.newNorm("layer0.1", n.stem.out)
	shape = n.stem.out
	halve := conv.Geometry{Stride: 2, Padding: 1}
	if s.Data.Stem.Pool {
		if s.CSCBlocks {
			n.stemLast = n.newFilter("layer0.2", shape, s.Widths[0], 3, halve, true)
		}
		shape[1], shape[2] = halve.CodeSize(shape[1], 3), halve.CodeSize(shape[2], 3)
	}
	for i, count := range s.Blocks {
		var stage []*block[T]
		for j := range count {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			b := n.newBlock(blockName(s, i+1, j), shape, s.Widths[i], stride)
			stage = append(stage, b)
			shape = b.conv2.out
		}
		n.stages = append(n.stages, stage)
	}
	n.linear = &affine[T]{n.parameter("linear.weight", s.Data.Classes, shape[0]), n.parameter("linear.bias", s.Data.Classes)}
	return n, nil
}

// blockName is the published name of block j of a stage; the networks of CSC blocks wrap a stage in one more module.
func blockName(s Spec, stage, j int) string {
	if s.CSCBlocks {
		return fmt.Sprintf("layer%d.layers.%d", stage, j)
	}
	return fmt.Sprintf("layer%d.%d", stage, j)
}

func (n *Network[T]) newBlock(name string, in [3]int, width, stride int) *block[T] {
	g := conv.Geometry{Stride: stride, Padding: 1}
	b := &block[T]{name: name}
	b.conv1 = n.newFilter(name+".conv1", in, width, 3, g, n.CSCBlocks)
	b.bn1 = n.newNorm(name+".bn1", b.conv1.out)
	b.conv2 = n.newFilter(name+".conv2", b.conv1.out, width, 3, conv.Geometry{Padding: 1}, n.CSCBlocks)
	b.bn2 = n.newNorm(name+".bn2", b.conv2.out)
	if !n.Plain && (stride != 1 || in[0] != width) {
		b.shortcut = n.newFilter(name+".shortcut.0", in, width, 1, conv.Geometry{Stride: stride}, false)
		b.shortcutNorm = n.newNorm(name+".shortcut.1", b.shortcut.out)
	}
	return b
}

func (n *Network[T]) newFilter(name string, in [3]int, outputs, kernel int, g conv.Geometry, sparse bool) *filter[T] {
	g.Algorithm = n.Algorithm
	f := &filter[T]{name: name, Geometry: g, in: in}
	f.out = [3]int{outputs, g.CodeSize(in[1], kernel), g.CodeSize(in[2], kernel)}
	if !sparse {
		f.weight = n.parameter(name+".weight", outputs, in[0], kernel, kernel)
		return f
	}
	settings := n.Spec.CSC
	settings.Geometry = g
	f.layer = &CSC[T]{name + ".dn", csc.NewLayer[T](outputs, in[0], kernel, in[1], in[2], settings)}
	f.weight = f.layer.Weight
	n.Layers = append(n.Layers, f.layer)
	n.state = append(n.state, Named[T]{f.layer.Name + ".weight", false, f.layer.Weight})
	if f.layer.Penalty != nil {
		n.state = append(n.state, Named[T]{f.layer.Name + ".lambda", false, f.layer.Penalty})
	}
	if f.layer.StepFactor != nil {
		n.state = append(n.state, Named[T]{f.layer.Name + ".step", false, f.layer.StepFactor})
	}
	n.state = append(n.state,
		Named[T]{f.layer.Name + ".step_size", true, f.layer.StepSize},
		Named[T]{f.layer.Name + ".v0", true, f.layer.Vector})
	return f
}

func (n *Network[T]) newNorm(name string, shape [3]int) *norm[T] {
	b := &norm[T]{name: name, shape: shape, gamma: n.parameter(name+".weight", shape[0]), beta: n.parameter(name+".bias", shape[0])}
	b.running.Mean = n.buffer(name+".running_mean", shape[0])
	b.running.Var = n.buffer(name+".running_var", shape[0])
	b.gamma.Fill(1)
	b.running.Var.Fill(1)
	return b
}

func (n *Network[T]) parameter(name string, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	n.state = append(n.state, Named[T]{name, false, t})
	return t
}

func (n *Network[T]) buffer(name string, shape ...int) *tensor.Tensor[T] {
	t := tensor.New[T](shape...)
	n.state = append(n.state, Named[T]{name, true, t})
	return t
}

// State lists all tensors of the network, parameters and buffers, in the order of the published checkpoints. The tensors are
// the network's own.
func (n *Network[T]) State() []Named[T] { return n.state }

// Parameters lists what is trained.
func (n *Network[T]) Parameters() []Named[T] {
	var list []Named[T]
	for _, s := range n.state {
		if !s.Buffer {
			list = append(list, s)
		}
	}
	return list
}

// CountParameters is the number of trained numbers.
func (n *Network[T]) CountParameters() int {
	count := 0
	for _, p := range n.Parameters() {
		count += p.Len()
	}
	return count
}

// Clone returns a copy that shares nothing with n.
func (n *Network[T]) Clone() *Network[T] {
	c, err := New[T](n.Spec)
	if err != nil {
		panic(err) // n has the same specification
	}
	for i, s := range n.state {
		copy(c.state[i].Data, s.Data)
	}
	return c
}

// UpdateSteps continues every CSC layer's power iteration on the weights as they are and sets its step size.
func (n *Network[T]) UpdateSteps() []csc.Estimate {
	var list []csc.Estimate
	for _, l := range n.Layers {
		list = append(list, l.UpdateStep())
	}
	return list
}

// Project brings every CSC layer's learned lambda and step factor back to 0 where they are below.
func (n *Network[T]) Project() {
	for _, l := range n.Layers {
		l.Project()
	}
}

// NormalizeAtoms brings every CSC layer's atoms to norm 1.
func (n *Network[T]) NormalizeAtoms() {
	for _, l := range n.Layers {
		l.Normalize()
	}
}
