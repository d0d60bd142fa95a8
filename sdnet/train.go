package sdnet

import (
	"sdref/autodiff"
	"sdref/csc"
	"sdref/sdnet/optim"
	"sdref/tensor"
)

// Trainer makes training steps. Its memory is reused from step to step.
type Trainer[T tensor.Float] struct {
	Net       *Network[T]
	Optimizer *optim.SGD[T]
	// Observe, if set, is shown intermediate values of each step, as a Pass shows them.
	Observe func(name string, value *tensor.Tensor[T])

	params []Named[T]
	tape   *autodiff.Tape[T]
	pass   *Pass[T]
	logits *autodiff.Var[T]
}

// NewTrainer returns a trainer with zero velocities.
func NewTrainer[T tensor.Float](n *Network[T], momentum, decay float64) *Trainer[T] {
	t := &Trainer[T]{Net: n, params: n.Parameters(), tape: autodiff.NewTape(tensor.NewArena[T]())}
	var tensors []*tensor.Tensor[T]
	for _, p := range t.params {
		tensors = append(tensors, p.Tensor)
	}
	t.Optimizer = optim.NewSGD(tensors, momentum, decay)
	return t
}

// Result is what a training step reports.
type Result struct {
	Loss      float64 // mean cross-entropy over the batch
	Correct   int     // images whose largest logit is their label's
	Estimates []csc.Estimate
}

// Step makes one training step in the published order: step sizes from the weights as the optimiser left them, the power
// iteration continuing from its last vector; then atoms normalised, forward, mean cross-entropy, backward, SGD. images is
// (N, 3, H, W).
func (t *Trainer[T]) Step(images *tensor.Tensor[T], labels []int, rate float64) Result {
	estimates := t.Net.UpdateSteps()
	r := t.Gradients(images, labels)
	r.Estimates = estimates
	t.Apply(rate)
	return r
}

// Gradients does the middle of a step: atoms normalised, forward, loss, backward. Grad tells the gradients until Apply.
func (t *Trainer[T]) Gradients(images *tensor.Tensor[T], labels []int) Result {
	t.Net.NormalizeAtoms()
	t.tape.Reset()
	t.pass = &Pass[T]{Tape: t.tape, Training: true, Observe: t.Observe}
	t.logits = t.Net.Forward(t.pass, t.tape.Constant(images)).Keep()
	r := Result{Correct: TopK(t.logits.Value(), labels, 1)}
	loss := autodiff.CrossEntropy(t.logits, labels)
	r.Loss = float64(loss.Value().Data[0])
	t.tape.Backward(loss, nil)
	return r
}

// Grad is the gradient of a parameter that the last Gradients found.
func (t *Trainer[T]) Grad(parameter *tensor.Tensor[T]) *tensor.Tensor[T] {
	return t.pass.Grad(parameter)
}

// Logits are those (N, classes) of the last Gradients, valid until Apply.
func (t *Trainer[T]) Logits() *tensor.Tensor[T] { return t.logits.Value() }

// Apply moves all parameters by the gradients that the last Gradients found and forgets these. A learned lambda or step factor that
// falls below 0 is set to 0.
func (t *Trainer[T]) Apply(rate float64) {
	for i, p := range t.params {
		t.Optimizer.Step(i, p.Tensor, t.pass.Grad(p.Tensor), rate)
	}
	t.Net.Project()
	t.tape.Reset()
}

// TopK counts the images whose label is among the k largest logits (N, classes). Of equal logits the lower class counts as
// larger; a NaN at the label never counts.
func TopK[T tensor.Float](logits *tensor.Tensor[T], labels []int, k int) int {
	correct := 0
	classes := logits.Shape[1]
	for n, label := range labels {
		row := logits.Data[n*classes : (n+1)*classes]
		if row[label] != row[label] {
			continue
		}
		above := 0
		for c, v := range row {
			if v > row[label] || (v == row[label] && c < label) || v != v {
				above++
			}
		}
		if above < k {
			correct++
		}
	}
	return correct
}
