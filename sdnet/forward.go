package sdnet

import (
	"fmt"

	"sdref/autodiff"
	"sdref/tensor"
)

// Pass is one pass of a batch through a network, and the place where the gradients are found afterwards.
type Pass[T tensor.Float] struct {
	Tape     *autodiff.Tape[T]
	Training bool // BatchNorm with the batch's statistics, and moving the running ones
	Frozen   bool // parameters have no gradients: for those of the images alone, which cost less then
	// Observe, if set, is shown intermediate values as they arise: "layer0" to "layer4", the outputs of the stem and the
	// stages; the stem's again as "block0.0" and the output of block B of stage S as "blockS.B", both from 1 (see ParseBlock); each CSC
	// layer's code under the layer's name. The tensor is valid during the call only.
	Observe func(name string, value *tensor.Tensor[T])
	// ObserveSignal, if set, is shown the signal of each CSC layer before that layer codes it. Valid during the call only.
	ObserveSignal func(layer string, x *tensor.Tensor[T])

	leaves map[*tensor.Tensor[T]]*autodiff.Var[T]
}

// leaf is the parameter on the pass's tape; each has one Var, so that all its uses add to one gradient.
func (p *Pass[T]) leaf(t *tensor.Tensor[T]) *autodiff.Var[T] {
	v := p.leaves[t]
	if v == nil {
		if p.leaves == nil {
			p.leaves = map[*tensor.Tensor[T]]*autodiff.Var[T]{}
		}
		if p.Frozen {
			v = p.Tape.Constant(t)
		} else {
			v = p.Tape.Leaf(t)
		}
		p.leaves[t] = v
	}
	return v
}

// optional is leaf for a parameter that only some networks have.
func (p *Pass[T]) optional(t *tensor.Tensor[T]) *autodiff.Var[T] {
	if t == nil {
		return nil
	}
	return p.leaf(t)
}

// Grad is the gradient of a parameter, nil before Backward and for parameters that the pass did not use.
func (p *Pass[T]) Grad(parameter *tensor.Tensor[T]) *tensor.Tensor[T] {
	if v := p.leaves[parameter]; v != nil {
		return v.Grad()
	}
	return nil
}

func (p *Pass[T]) observe(name string, v *autodiff.Var[T]) {
	if p.Observe != nil {
		p.Observe(name, v.Value())
	}
}

// Forward returns the logits (N, classes) of images x (N, 3, H, W). Atoms are taken as they are and step sizes from their
// buffers: see Trainer.Step and Evaluable for what comes before.
func (n *Network[T]) Forward(p *Pass[T], x *autodiff.Var[T]) *autodiff.Var[T] {
	h := n.stemNorm.forward(p, n.stem.forward(p, x))
	switch {
	case n.stemLast != nil:
		h = n.stemLast.forward(p, h)
	default:
		if !n.CSCStem {
			h = autodiff.ReLU(h)
		}
		if n.Data.Stem.Pool {
			h = autodiff.MaxPool(h, 3, 2, 1)
		}
	}
	p.observe("block0.0", h)
	p.observe("layer0", h)
	for i, stage := range n.stages {
		for j, b := range stage {
			h = b.forward(p, h, n.Spec)
			p.observe(blockOutput(i+1, j+1), h)
		}
		p.observe(fmt.Sprintf("layer%d", i+1), h)
	}
	return autodiff.Linear(autodiff.AveragePool(h), p.leaf(n.linear.weight), p.leaf(n.linear.bias))
}

// forward is relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)). With CSC layers the inner ReLU is left out, a code being
// its own nonlinearity; without shortcuts so is the outer.
func (b *block[T]) forward(p *Pass[T], x *autodiff.Var[T], s Spec) *autodiff.Var[T] {
	if s.Plain {
		return b.main(p, x, s)
	}
	h := b.main(p, x.Keep(), s)
	if b.shortcut != nil {
		x = b.shortcutNorm.forward(p, b.shortcut.forward(p, x))
	}
	return autodiff.ReLU(autodiff.Add(h, x))
}

func (b *block[T]) main(p *Pass[T], x *autodiff.Var[T], s Spec) *autodiff.Var[T] {
	h := b.bn1.forward(p, b.conv1.forward(p, x))
	if !s.CSCBlocks {
		h = autodiff.ReLU(h)
	}
	return b.bn2.forward(p, b.conv2.forward(p, h))
}

func (f *filter[T]) forward(p *Pass[T], x *autodiff.Var[T]) *autodiff.Var[T] {
	w := p.leaf(f.weight)
	if f.layer == nil {
		return autodiff.Convolve(x, w, f.Geometry)
	}
	if p.ObserveSignal != nil {
		p.ObserveSignal(f.layer.Name, x.Value())
	}
	z := f.layer.ForwardLearned(x, w, p.optional(f.layer.Penalty), p.optional(f.layer.StepFactor))
	p.observe(f.layer.Name, z)
	return z
}

func (b *norm[T]) forward(p *Pass[T], x *autodiff.Var[T]) *autodiff.Var[T] {
	return autodiff.BatchNorm(x, p.leaf(b.gamma), p.leaf(b.beta), b.running, p.Training)
}
