package sdnet

import (
	"sdref/autodiff"
	"sdref/csc"
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

// Predictor computes logits; its memory is reused from call to call. It belongs to one goroutine at a time: a call while another one
// is under way is a panic, not a wrong answer. Predictors of one network may work at the same time.
type Predictor[T tensor.Float] struct {
	Net *Network[T]
	// Observe, if set, is shown intermediate values by the names of Flow.Marks. The tensor is valid during the call only.
	Observe func(name string, value *tensor.Tensor[T])
	// ObserveSignal, if set, is shown the signal of each CSC layer. Valid during the call only.
	ObserveSignal func(layer string, x *tensor.Tensor[T])
	// Workers is the greatest number of goroutines that a call uses, beside GOMAXPROCS; 0 is no other. The bits are the same. A server
	// that answers many requests at once does most of them in a second with 1.
	Workers int

	programs *programs[T]
}

// NewPredictor returns a predictor for a network whose atoms and step sizes are in order (see Evaluable).
func NewPredictor[T tensor.Float](n *Network[T]) *Predictor[T] {
	return &Predictor[T]{Net: n, programs: newPrograms[T]()}
}

// Logits returns the logits (N, classes) of images (N, C, H, W), valid until the next call.
func (p *Predictor[T]) Logits(images *tensor.Tensor[T]) *tensor.Tensor[T] {
	r := p.run(images, nil)
	return r.Value(r.Logits)
}

// Loss is Logits, with the mean cross-entropy of labels.
func (p *Predictor[T]) Loss(images *tensor.Tensor[T], labels []int) (logits *tensor.Tensor[T], loss float64) {
	r := p.run(images, labels)
	return r.Value(r.Logits), float64(r.Value(r.loss).Data[0])
}

func (p *Predictor[T]) run(images *tensor.Tensor[T], labels []int) *program[T] {
	mustBeBatch(p.Net.Spec, "Predictor", images, labels)
	k := programKey{images: images.Shape[0], observed: p.Observe != nil, signals: p.ObserveSignal != nil, loss: labels != nil}
	defer p.programs.use("Predictor")()
	r := p.programs.get(p.Net, k, predictionProgram[T])
	r.Workers = p.Workers
	r.run(p.Net, images, LabelTensor[T](labels), p.Observe, p.ObserveSignal)
	return r
}

// predictionProgram is the program of Logits and Loss.
func predictionProgram[T tensor.Float](n *Network[T], k programKey) (*program[T], autodiff.Wanted) {
	f := n.newFlow(Options{Images: k.images, Lambdas: true})
	p := &program[T]{Flow: f}
	f.Logits = f.Forward(f.X)
	w := autodiff.Wanted{Outputs: []*autodiff.Node{f.Logits}}
	if k.loss {
		p.labels = f.Input("labels", k.images)
		p.loss = f.Loss(f.Logits, p.labels)
		w.Outputs = append(w.Outputs, p.loss)
	}
	return p, w
}

// Plan is the plan of a training step or of a prediction for so many images. A specification that Check finds fault with may be a panic.
func (s Spec) Plan(images int, training bool) *autodiff.Plan {
	n := &Network[float32]{Spec: s} // without weights, which a plan does not need
	for _, l := range s.brief().Layers {
		l.Settings.Iterations = s.CSC.Iterations
		n.Layers = append(n.Layers, &CSC[float32]{l.Name, &csc.Layer[float32]{Settings: l.Settings}})
	}
	make := predictionProgram[float32]
	if training {
		make = trainingProgram[float32]
	}
	_, w := make(n, programKey{images: images, training: training})
	return autodiff.NewPlan(w)
}
