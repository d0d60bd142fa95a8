package sdnet

import (
	"fmt"
	"slices"
	"strings"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/internal/misuse"
	"sdref/sdnet/optim"
	"sdref/tensor"
)

// Loss appends the mean cross-entropy of logits and labels (N), or shares of the classes (N, classes), as loss/y.
func (f *Flow) Loss(logits, labels *autodiff.Node) *autodiff.Node {
	if len(labels.Shape) == 2 {
		return SoftCrossEntropy(logits, labels).At(f.prefix+"loss", 0, "y")
	}
	return autodiff.CrossEntropy(logits, labels).At(f.prefix+"loss", 0, "y")
}

// Training is a training step written down in a flow.
type Training struct {
	Logits, Loss *autodiff.Node
	Parameters   []*autodiff.Node // that the step started from
	Gradients    []*autodiff.Node // of the parameters
}

// Gradients appends forward pass, mean cross-entropy and backward pass for images x and labels (N), or shares (N, classes).
func (f *Flow) Gradients(x, labels *autodiff.Node) Training {
	s := Training{Logits: f.Forward(x)}
	s.Loss = f.Loss(s.Logits, labels)
	s.Parameters = f.Parameters()
	s.Gradients = autodiff.Backward(s.Loss, nil, s.Parameters...)
	return s
}

// Descend appends a step of SGD for all parameters, from their velocities by name, whose place the new ones take. What comes
// after it belongs to the next training step, and its nodes' names begin with step2/, and so on.
func (f *Flow) Descend(s Training, velocities map[string]*autodiff.Node, d autodiff.Descent) (after []*autodiff.Node) {
	i := 0
	for _, p := range f.State {
		if p.Buffer {
			continue
		}
		moved, v := optim.Append(strings.TrimSuffix(f.prefix, "/"), p.Name, s.Parameters[i], s.Gradients[i], velocities[p.Name], nil, d)
		f.now[p.Name], velocities[p.Name] = moved, v
		after = append(after, moved)
		i++
	}
	step := 1
	fmt.Sscanf(f.prefix, "step%d/", &step)
	f.prefix = fmt.Sprintf("step%d/", step+1)
	return after
}

// Trainer makes training steps. Its memory is reused from step to step. It belongs to one goroutine at a time, and so does its network.
type Trainer[T tensor.Float] struct {
	Net       *Network[T]
	Optimizer *optim.SGD[T]
	// Observe, if set, is shown intermediate values of each step, by the names of Flow.Marks. The tensor is valid during the call only.
	Observe func(name string, value *tensor.Tensor[T])
	// Shares (N, classes), if set, are what the loss of each step compares with instead of the labels (see SoftCrossEntropy).
	Shares *tensor.Tensor[T]
	// Workers is the greatest number of goroutines that a step uses, beside GOMAXPROCS; 0 is no other. The bits are the same.
	Workers int

	params   []Named[T]
	programs *programs[T]
	last     *program[T] // of the last Gradients; nil before it and after Apply
}

// NewTrainer returns a trainer with zero velocities.
func NewTrainer[T tensor.Float](n *Network[T], momentum, decay float64) *Trainer[T] {
	t := &Trainer[T]{Net: n, params: n.Parameters(), programs: newPrograms[T]()}
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
// (N, C, H, W).
func (t *Trainer[T]) Step(images *tensor.Tensor[T], labels []int, rate float64) Result {
	t.limit()
	estimates := t.Net.UpdateSteps()
	r := t.Gradients(images, labels)
	r.Estimates = estimates
	t.Apply(rate)
	return r
}

// limit tells those who compute parts of a step how many goroutines they may use.
func (t *Trainer[T]) limit() {
	t.Optimizer.Workers = t.Workers
	for _, l := range t.Net.Layers {
		l.Workers = t.Workers
	}
}

// Gradients does the middle of a step: atoms normalised, forward, loss, backward. Grad tells the gradients until Apply.
// Images of another shape are a panic with a *tensor.ShapeError, labels that are not one of the classes for each image one with a
// *MisuseError.
func (t *Trainer[T]) Gradients(images *tensor.Tensor[T], labels []int) Result {
	defer t.programs.use("Trainer")()
	mustBeBatch(t.Net.Spec, "Trainer", images, labels)
	t.limit()
	t.Net.NormalizeAtoms()
	t.last = t.programs.get(t.Net, programKey{images: images.Shape[0], training: true, observed: t.Observe != nil, soft: t.Shares != nil}, trainingProgram[T])
	wanted := t.Shares
	if wanted == nil {
		wanted = LabelTensor[T](labels)
	}
	t.last.Workers = t.Workers
	t.last.run(t.Net, images, wanted, t.Observe, nil)
	for name, moved := range t.last.moved {
		copy(t.Net.byName[name].Data, t.last.Value(moved).Data)
	}
	return Result{Loss: float64(t.last.Value(t.last.step.Loss).Data[0]), Correct: TopK(t.Logits(), labels, 1)}
}

// trainingProgram is the program of Gradients.
func trainingProgram[T tensor.Float](n *Network[T], k programKey) (*program[T], autodiff.Wanted) {
	f := n.newFlow(Options{Images: k.images, Training: true, Lambdas: true})
	shape := []int{k.images}
	if k.soft {
		shape = append(shape, n.Data.Classes)
	}
	p := &program[T]{Flow: f, labels: f.Input("labels", shape...), moved: map[string]*autodiff.Node{}}
	p.step = f.Gradients(f.X, p.labels)
	w := autodiff.Wanted{Outputs: append([]*autodiff.Node{p.step.Logits, p.step.Loss}, p.step.Gradients...)}
	for _, s := range f.State {
		if now := f.now[s.Name]; now != s.Node {
			p.moved[s.Name] = now
			w.Outputs = append(w.Outputs, now)
		}
	}
	return p, w
}

// Grad is the gradient of a parameter that the last Gradients found; nil for what is no parameter, before Gradients and after Apply.
func (t *Trainer[T]) Grad(parameter *tensor.Tensor[T]) *tensor.Tensor[T] {
	if t.last == nil {
		return nil
	}
	for i, p := range t.params {
		if p.Tensor == parameter {
			return t.last.Value(t.last.step.Gradients[i])
		}
	}
	return nil
}

// Logits are those (N, classes) of the last Gradients, valid until Apply.
func (t *Trainer[T]) Logits() *tensor.Tensor[T] {
	t.mustHaveGradients("Logits")
	return t.last.Value(t.last.step.Logits)
}

// mustHaveGradients panics unless Gradients has been called since the last Apply.
func (t *Trainer[T]) mustHaveGradients(method string) {
	if t.last == nil {
		panic(misuse.Errorf("sdnet: Trainer.%s before Gradients, or after Apply", method))
	}
}

// Apply moves all parameters by the gradients that the last Gradients found and forgets these. A learned lambda or step factor that
// falls below 0 is set to 0. Without gradients it panics with a *MisuseError.
func (t *Trainer[T]) Apply(rate float64) {
	t.mustHaveGradients("Apply")
	for i, p := range t.params {
		t.Optimizer.Step(i, p.Tensor, t.last.Value(t.last.step.Gradients[i]), rate)
	}
	t.Net.Project()
	t.last.Release()
	t.last = nil
}

// TopK counts the images whose label is among the k largest logits (N, classes). Of equal logits the lower class counts as
// larger; a NaN at the label never counts.
func TopK[T tensor.Float](logits *tensor.Tensor[T], labels []int, k int) int {
	correct := 0
	classes := logits.Shape[1]
	mustBeLabels("TopK", len(labels), classes, labels)
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

// mustBeBatch checks images (N, C, H, W) for a network, and their labels unless these are nil.
func mustBeBatch[T tensor.Float](s Spec, what string, images *tensor.Tensor[T], labels []int) {
	shape := s.Data.Shape()
	if len(images.Shape) != 4 || images.Shape[0] < 1 || !slices.Equal(images.Shape[1:], shape[:]) {
		panic(&tensor.ShapeError{Op: "sdnet: images for a " + what, Shapes: [][]int{images.Shape, append([]int{-1}, shape[:]...)}})
	}
	if labels != nil {
		mustBeLabels(what, images.Shape[0], s.Data.Classes, labels)
	}
}

// mustBeLabels checks that there is one of the classes for each image.
func mustBeLabels(what string, images, classes int, labels []int) {
	if len(labels) != images {
		panic(misuse.Errorf("sdnet: %s: %d labels for %d images", what, len(labels), images))
	}
	for i, label := range labels {
		if label < 0 || label >= classes {
			panic(misuse.Errorf("sdnet: %s: label %d of image %d is not one of %d classes", what, label, i, classes))
		}
	}
}
