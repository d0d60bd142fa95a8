package sdnet_test

import (
	"math"
	"testing"

	"sdref/autodiff"
	"sdref/internal/random"
	"sdref/sdnet"
	"sdref/tensor"
)

// softLoss is the loss and the gradient of logits at shares.
func softLoss(logits, shares *tensor.Tensor[float64]) (float64, *tensor.Tensor[float64]) {
	g := autodiff.NewGraph()
	x, q := g.Input("x", logits.Shape...), g.Input("q", shares.Shape...)
	loss := sdnet.SoftCrossEntropy(x, q)
	gradient := autodiff.Backward(loss, nil, x)[0]
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{loss, gradient}}), tensor.NewArena[float64]())
	p.Set(x, logits)
	p.Set(q, shares)
	p.Run()
	return p.Value(loss).Data[0], p.Value(gradient).Clone()
}

// The loss is its definition, and its gradient the difference quotient, also for shares that do not add up to 1.
func TestSoftCrossEntropy(t *testing.T) {
	const n, k, h = 3, 5, 1e-6
	x, q := tensor.New[float64](n, k), tensor.New[float64](n, k)
	tensor.FillUniform(x, 1, 3, 0)
	tensor.FillUniform(q, 2, 0.5, 0.5)
	loss, gradient := softLoss(x, q)
	want := 0.0
	for i := range n {
		sum := 0.0
		for _, v := range x.Row(i).Data {
			sum += math.Exp(v)
		}
		for j, v := range x.Row(i).Data {
			want -= q.At(i, j) * (v - math.Log(sum)) / n
		}
	}
	if math.Abs(loss-want) > 1e-14*want {
		t.Errorf("loss %v, want %v", loss, want)
	}
	for i := range x.Data {
		at := x.Data[i]
		x.Data[i] = at + h
		up, _ := softLoss(x, q)
		x.Data[i] = at - h
		down, _ := softLoss(x, q)
		x.Data[i] = at
		if d := (up - down) / (2 * h); math.Abs(d-gradient.Data[i]) > 1e-8 {
			t.Errorf("logit %d: difference %v, gradient %v", i, d, gradient.Data[i])
		}
	}
}

// With a 1 at each label, a training step has the loss and the gradients of one with labels.
func TestHardShares(t *testing.T) {
	n := build[float64](t, small(t, "sdnet8_narrow", 8), 1)
	x, labels := noise[float64](1, 1, 2, 3, 8, 8), []int{4, 0}
	hard, soft := sdnet.NewTrainer(n.Clone(), 0.9, 0), sdnet.NewTrainer(n.Clone(), 0.9, 0)
	soft.Shares = tensor.New[float64](2, 5)
	for i, l := range labels {
		soft.Shares.Set(1, i, l)
	}
	a, b := hard.Gradients(x, labels), soft.Gradients(x, labels)
	if math.Abs(a.Loss-b.Loss) > 1e-14*a.Loss || a.Correct != b.Correct {
		t.Errorf("%+v and %+v", a, b)
	}
	for i, p := range hard.Net.Parameters() {
		d := tensor.New[float64](p.Shape...)
		tensor.AddScaled(d, hard.Grad(p.Tensor), soft.Grad(soft.Net.Parameters()[i].Tensor), -1)
		if size := tensor.SumSquares(hard.Grad(p.Tensor)); tensor.SumSquares(d) > 1e-24*size {
			t.Errorf("%s: gradients differ by %v of %v", p.Name, tensor.SumSquares(d), size)
		}
	}
}

// The whole network's gradient at smoothed and mixed targets is the loss's difference quotient.
func TestSoftGradients(t *testing.T) {
	n := build[float64](t, small(t, "sdnet8_narrow", 8), 1)
	x, labels := noise[float64](1, 1, 2, 3, 8, 8), []int{4, 0}
	trainer := sdnet.NewTrainer(n, 0.9, 0)
	trainer.Shares = tensor.New[float64](2, 5)
	for i := range 2 {
		trainer.Shares.Row(i).Fill(0.02)
		trainer.Shares.Data[5*i+labels[i]] += 0.63
		trainer.Shares.Data[5*i+labels[1-i]] += 0.27
	}
	p := n.Parameters()[len(n.Parameters())-1] // the last bias, whose loss has no kink
	trainer.Gradients(x, labels)
	gradient := trainer.Grad(p.Tensor).Clone()
	const h = 1e-6
	s := random.New(3)
	direction := tensor.New[float64](p.Shape...)
	for i := range direction.Data {
		direction.Data[i] = s.Unit(uint64(i))
	}
	at := p.Tensor.Clone()
	loss := func(by float64) float64 {
		tensor.AddScaled(p.Tensor, at, direction, by)
		return trainer.Gradients(x, labels).Loss
	}
	if d, want := (loss(h)-loss(-h))/(2*h), tensor.Dot(gradient, direction); math.Abs(d-want) > 1e-7 {
		t.Errorf("%s: difference %v, gradient %v", p.Name, d, want)
	}
}
