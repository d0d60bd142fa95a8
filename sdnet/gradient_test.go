package sdnet_test

import (
	"math"
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/sdnet"
	"sdref/tensor"
)

// TestGradients checks the gradients of whole networks in float64 by central differences along random directions: one for each
// parameter, and one in all of them at once.
func TestGradients(t *testing.T) {
	for _, kind := range kinds {
		for _, training := range []bool{true, false} {
			spec := small(t, kind, 8)
			if kind == "sdnet8_all_narrow" {
				spec.CSC.Iterations, spec.CSC.Mu, spec.CSC.Nonnegative = 3, 0.2, false
			}
			n := build[float64](t, spec, 1)
			stir(n, 2)
			n.NormalizeAtoms()
			n.UpdateSteps()
			l := &lossOf{Network: n, x: noise[float64](3, 1, 3, 3, 8, 8), labels: []int{4, 0, 2}, training: true}
			for range 40 { // running statistics come near the batch's, so that codes do not vanish in evaluation
				l.value()
			}
			l.training = training
			gradients := l.gradients()
			var all, directions []*tensor.Tensor[float64]
			total := 0.0
			for i, p := range n.Parameters() {
				direction := noise[float64](uint64(i), 1, p.Shape...)
				want := dot(gradients[i], direction)
				total += want
				all, directions = append(all, p.Tensor), append(directions, direction)
				l.check(t, kind+", "+p.Name, all[i:], directions[i:], want, norm(gradients[i])*norm(direction))
			}
			l.check(t, kind+", all parameters", all, directions, total, math.Abs(total))
		}
	}
}

// lossOf is the loss of a network as a function of its parameters; atoms and step sizes stay as they are.
type lossOf struct {
	*sdnet.Network[float64]
	x        *tensor.Tensor[float64]
	labels   []int
	training bool

	programs map[[2]bool]*lossProgram // by training and whether gradients are wanted
}

// lossProgram is a network's graph with the loss, and the gradients of all parameters if they are wanted.
type lossProgram struct {
	*autodiff.Program[float64]
	flow      *sdnet.Flow
	loss      *autodiff.Node
	gradients []*autodiff.Node
}

func newLossProgram(n *sdnet.Network[float64], images int, training, gradients bool) *lossProgram {
	p := &lossProgram{flow: n.Graph(sdnet.Options{Images: images, Training: training})}
	labels := p.flow.Input("labels", images)
	p.loss = p.flow.Loss(p.flow.Logits, labels)
	outputs := []*autodiff.Node{p.loss}
	if gradients {
		p.gradients = autodiff.Backward(p.loss, nil, p.flow.Parameters()...)
		outputs = append(outputs, p.gradients...)
	}
	for _, s := range p.flow.State {
		if now := p.flow.Now(s.Name); now != s.Node {
			outputs = append(outputs, now)
		}
	}
	p.Program = autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[float64]())
	n.Bind(p.Program, p.flow)
	return p
}

// numbers is a tensor of labels.
func numbers[T tensor.Float](labels []int) *tensor.Tensor[T] {
	t := tensor.New[T](len(labels))
	for i, l := range labels {
		t.Data[i] = T(l)
	}
	return t
}

// run runs the network once. In training running statistics move; they have no influence there.
func (l *lossOf) run(gradients bool) *lossProgram {
	key := [2]bool{l.training, gradients}
	if l.programs == nil {
		l.programs = map[[2]bool]*lossProgram{}
	}
	if l.programs[key] == nil {
		l.programs[key] = newLossProgram(l.Network, len(l.labels), l.training, gradients)
	}
	p := l.programs[key]
	p.Set(p.flow.X, l.x)
	p.Set(p.flow.Node("labels"), numbers[float64](l.labels))
	p.Run()
	for _, s := range l.State() {
		if now := p.flow.Now(s.Name); now.Op != nil {
			copy(s.Data, p.Value(now).Data)
		}
	}
	return p
}

func (l *lossOf) value() float64 {
	p := l.run(false)
	return p.Value(p.loss).Data[0]
}

func (l *lossOf) gradients() (list []*tensor.Tensor[float64]) {
	p := l.run(true)
	for _, n := range p.gradients {
		list = append(list, p.Value(n).Clone())
	}
	return list
}

// check compares a directional derivative with a central difference; the error may be 1e-6 of scale. The step 1e-6 makes
// rounding some 1e-10 and moves few values over a kink, where they then count with a tiny slope.
func (l *lossOf) check(t *testing.T, what string, parameters, directions []*tensor.Tensor[float64], want, scale float64) {
	t.Helper()
	const h = 1e-6
	move := func(by float64) {
		for i, p := range parameters {
			tensor.AddScaled(p, p, directions[i], by)
		}
	}
	move(h)
	up := l.value()
	move(-2 * h)
	down := l.value()
	move(h)
	if got := (up - down) / (2 * h); !(math.Abs(got-want) <= 1e-6*scale+1e-9) || scale < 1e-6 {
		t.Errorf("%s (training %t): difference %.10g, gradient %.10g, scale %g", what, l.training, got, want, scale)
	}
}

func dot(a, b *tensor.Tensor[float64]) float64 {
	sum := 0.0
	for i, v := range a.Data {
		sum += v * b.Data[i]
	}
	return sum
}

func norm(a *tensor.Tensor[float64]) float64 { return math.Sqrt(dot(a, a)) }

// TestGradBeforeGradients checks that there is no gradient where none was computed.
func TestGradBeforeGradients(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_narrow", 8), 1)
	trainer := sdnet.NewTrainer(n, 0.9, 0)
	if trainer.Grad(n.Parameters()[0].Tensor) != nil {
		t.Error("a gradient before Gradients")
	}
	trainer.Gradients(noise[float32](1, 1, 1, 3, 8, 8), []int{2})
	if trainer.Grad(tensor.New[float32](1)) != nil {
		t.Error("a gradient of what is no parameter")
	}
	for _, s := range n.State() {
		if (trainer.Grad(s.Tensor) == nil) != s.Buffer {
			t.Errorf("%s, a buffer: %t, has a gradient: %t", s.Name, s.Buffer, !s.Buffer)
		}
	}
}

// TestFrozen checks that the gradient of the images without the parameters' is the same, and a difference quotient of the loss, and
// that nothing is computed for parameters then, except the sums of which BatchNorm's gradient of its input is made.
func TestFrozen(t *testing.T) {
	for _, kind := range kinds {
		n := build[float64](t, small(t, kind, 8), 1)
		x, labels := noise[float64](3, 1, 2, 3, 8, 8), []int{4, 0}
		l := &lossOf{Network: n, x: x, labels: labels, training: true}
		for range 40 { // as in TestGradients
			l.value()
		}
		l.training = false
		gradient := func(frozen bool) *tensor.Tensor[float64] {
			f := n.Graph(sdnet.Options{Images: 2})
			loss := f.Loss(f.Logits, f.Input("labels", 2))
			wanted := []*autodiff.Node{f.X}
			if !frozen {
				wanted = append(wanted, f.Parameters()...)
			}
			gradients := autodiff.Backward(loss, nil, wanted...)
			for _, p := range n.Parameters() {
				sums := strings.Contains(p.Name, ".bn") || strings.HasPrefix(p.Name, "layer0.1.") || strings.Contains(p.Name, "shortcut.1.")
				if (f.Node("grad/"+p.Name) == nil) != frozen && !sums {
					t.Errorf("%s, frozen %t: the gradient of %s", kind, frozen, p.Name)
				}
			}
			for _, node := range f.Nodes {
				if frozen && (node.Op.Name == "filter" || node.Op.Name == "linear_dw") {
					t.Errorf("%s: %s is computed for frozen parameters", kind, node.Name)
				}
			}
			p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: gradients}), tensor.NewArena[float64]())
			n.Bind(p, f)
			p.Set(f.X, x)
			p.Set(f.Node("labels"), numbers[float64](labels))
			p.Run()
			return p.Value(gradients[0])
		}
		if !tensor.SameBits(gradient(true), gradient(false)) {
			t.Errorf("%s: frozen parameters change the gradient of the images", kind)
		}
		direction := noise[float64](5, 1, x.Shape...)
		l.check(t, kind+", images", []*tensor.Tensor[float64]{x}, []*tensor.Tensor[float64]{direction}, dot(gradient(true), direction), norm(direction)*norm(gradient(true)))
	}
}
