package sdnet

import (
	"sdref/autodiff"
	"sdref/tensor"
)

// Evaluable returns a copy of n made ready for evaluation as the published code does it: step sizes from the weights as the
// optimiser left them, then atoms normalised. n itself stays as it is, so that evaluating in the middle of a run does not
// change the run.
func (n *Network[T]) Evaluable() *Network[T] {
	c := n.Clone()
	c.UpdateSteps()
	c.NormalizeAtoms()
	return c
}

// Predictor computes logits without recording; its memory is reused from call to call.
type Predictor[T tensor.Float] struct {
	Net     *Network[T]
	Observe func(name string, value *tensor.Tensor[T]) // as in Pass
	tape    *autodiff.Tape[T]
}

// NewPredictor returns a predictor for a network whose atoms and step sizes are in order (see Evaluable).
func NewPredictor[T tensor.Float](n *Network[T]) *Predictor[T] {
	return &Predictor[T]{Net: n, tape: autodiff.NoGrad(tensor.NewArena[T]())}
}

// Logits returns the logits (N, classes) of images (N, 3, H, W), valid until the next call.
func (p *Predictor[T]) Logits(images *tensor.Tensor[T]) *tensor.Tensor[T] {
	p.tape.Reset()
	pass := &Pass[T]{Tape: p.tape, Observe: p.Observe}
	return p.Net.Forward(pass, p.tape.Constant(images)).Value()
}
