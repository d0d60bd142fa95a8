package sdnet_test

import (
	"math"
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
			l := &lossOf{n, noise[float64](3, 1, 3, 3, 8, 8), []int{4, 0, 2}, true}
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
}

func (l *lossOf) pass(tape *autodiff.Tape[float64]) (*sdnet.Pass[float64], *autodiff.Var[float64]) {
	pass := &sdnet.Pass[float64]{Tape: tape, Training: l.training}
	return pass, autodiff.CrossEntropy(l.Forward(pass, tape.Constant(l.x)), l.labels)
}

func (l *lossOf) value() float64 {
	// In training running statistics move; they have no influence there.
	_, loss := l.pass(autodiff.NoGrad(tensor.NewArena[float64]()))
	return loss.Value().Data[0]
}

func (l *lossOf) gradients() (list []*tensor.Tensor[float64]) {
	tape := autodiff.NewTape(tensor.NewArena[float64]())
	pass, loss := l.pass(tape)
	tape.Backward(loss, nil)
	for _, p := range l.Parameters() {
		list = append(list, pass.Grad(p.Tensor))
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

// TestGradBeforeBackward checks that there is no gradient where none was computed.
func TestGradBeforeBackward(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_narrow", 8), 1)
	tape := autodiff.NewTape(tensor.NewArena[float32]())
	pass := &sdnet.Pass[float32]{Tape: tape}
	p := n.Parameters()[0].Tensor
	if pass.Grad(p) != nil {
		t.Error("a gradient before Forward")
	}
	n.Forward(pass, tape.Constant(noise[float32](1, 1, 1, 3, 8, 8)))
	if pass.Grad(p) != nil || pass.Grad(tensor.New[float32](1)) != nil {
		t.Error("a gradient before Backward, or of what is no parameter")
	}
}

// TestFrozen checks that without the parameters' gradients that of the images is the same, and a difference quotient of the loss.
func TestFrozen(t *testing.T) {
	for _, kind := range kinds {
		n := build[float64](t, small(t, kind, 8), 1)
		x, labels := noise[float64](3, 1, 2, 3, 8, 8), []int{4, 0}
		l := &lossOf{n, x, labels, true}
		for range 40 { // as in TestGradients
			l.value()
		}
		l.training = false
		gradient := func(frozen bool) *tensor.Tensor[float64] {
			tape := autodiff.NewTape(tensor.NewArena[float64]())
			pass, images := &sdnet.Pass[float64]{Tape: tape, Frozen: frozen}, tape.Leaf(x)
			tape.Backward(autodiff.CrossEntropy(n.Forward(pass, images), labels), nil)
			for _, p := range n.Parameters() {
				if (pass.Grad(p.Tensor) == nil) != frozen {
					t.Errorf("%s, frozen %t: the gradient of %s", kind, frozen, p.Name)
				}
			}
			return images.Grad()
		}
		if !tensor.SameBits(gradient(true), gradient(false)) {
			t.Errorf("%s: frozen parameters change the gradient of the images", kind)
		}
		direction := noise[float64](5, 1, x.Shape...)
		l.check(t, kind+", images", []*tensor.Tensor[float64]{x}, []*tensor.Tensor[float64]{direction}, dot(gradient(true), direction), norm(direction)*norm(gradient(true)))
	}
}
