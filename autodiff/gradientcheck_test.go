package autodiff

import (
	"testing"

	"sdref/tensor"
)

// Losses of one's own end in any operator, without a seed: the gradient is that for a seed of 1.
func TestLossesOfOnesOwn(t *testing.T) {
	x, target, labels := normal[float64](1, 4, 10), normal[float64](2, 4, 10), vector(3.0, 0, 9, 1)
	for name, c := range map[string]struct {
		f        func(in []*Node) *Node
		at       []*tensor.Tensor[float64]
		constant []int
	}{
		"mean squared error": {func(in []*Node) *Node {
			d := Axpy(in[0], in[1], -1, nil)
			return Mean(Mul(d, d))
		}, []*tensor.Tensor[float64]{x, target}, nil},
		"log of a sum of exponentials": {func(in []*Node) *Node { return Log(Sum(Exp(in[0]))) }, []*tensor.Tensor[float64]{x}, nil},
		"product of two losses": {func(in []*Node) *Node { return Mul(CrossEntropy(in[0], in[1]), Mean(in[0])) },
			[]*tensor.Tensor[float64]{x, labels}, []int{1}},
		"sum of losses, one weighted": {func(in []*Node) *Node { return Axpy(Mean(Mul(in[0], in[0])), CrossEntropy(in[0], in[1]), 0.25, nil) },
			[]*tensor.Tensor[float64]{x, labels}, []int{1}},
		"weighted":            {func(in []*Node) *Node { return Scale(CrossEntropy(in[0], in[1]), -3, nil) }, []*tensor.Tensor[float64]{x, labels}, []int{1}},
		"exponential of":      {func(in []*Node) *Node { return Exp(Mean(in[0])) }, []*tensor.Tensor[float64]{x}, nil},
		"positive part":       {func(in []*Node) *Node { return ReLU(Sum(Mul(in[0], in[0]))) }, []*tensor.Tensor[float64]{x}, nil},
		"sum less itself":     {func(in []*Node) *Node { s := Sum(in[0]); return Axpy(s, s, -0.5, nil) }, []*tensor.Tensor[float64]{x}, nil},
		"by a scalar of data": {func(in []*Node) *Node { return Scale(Sum(in[0]), 2, Mean(in[0])) }, []*tensor.Tensor[float64]{x}, nil},
	} {
		errors := GradientCheck{F: c.f, At: c.at, Constant: c.constant}.Errors()
		if len(errors) != len(c.at)-len(c.constant) {
			t.Errorf("%s: %d errors", name, len(errors))
		}
		for i, e := range errors {
			if !(e < 1e-9) {
				t.Errorf("%s: argument %d: relative error %.1e", name, i, e)
			}
		}
		g := NewGraph() // without a seed, and for a seed of 1
		v, in := values[float64]{}, []*Node(nil)
		for i, x := range c.at {
			in = append(in, g.Input(string(rune('a'+i)), x.Shape...))
			v[in[i]] = x
		}
		y := c.f(in)
		without := evaluate(v, Backward(y, nil, in[0])...)[0]
		other := NewGraph()
		w, args := values[float64]{}, []*Node(nil)
		for i, x := range c.at {
			args = append(args, other.Input(string(rune('a'+i)), x.Shape...))
			w[args[i]] = x
		}
		mustEqual(t, name, without, pullFrom(t, c.f(args), number(1.0), w, args[0])[0])
	}
}

func TestMeanOfNothing(t *testing.T) {
	x := NewGraph().Input("x", 2, 0)
	mustShapePanic(t, "sum", func() { Mean(x) })
	Sum(x) // is 0
}

// A gradient that is wrong by a thousandth in one element is seen, and one that does not exist is a panic.
func TestGradientCheckSees(t *testing.T) {
	wrong := *mulOp
	wrong.Pull = func(b *Gradient, n *Node, i int, dy *Node) *Node {
		return b.For(n, i, Scale(Mul(n.Inputs[1-i], b.Seed(n, dy)), 1+1e-3*float64(i), nil))
	}
	at := []*tensor.Tensor[float64]{normal[float64](1, 3, 4), normal[float64](2, 3, 4)}
	errors := GradientCheck{F: func(in []*Node) *Node { return Apply(&wrong, nil, in...) }, At: at, Step: 1. / 8}.Errors()
	if !(errors[0] < 1e-12) || !(errors[1] > 0.9e-3) {
		t.Errorf("errors %v", errors)
	}
	mustPanic(t, "no gradient reaches argument0", func() {
		GradientCheck{F: func(in []*Node) *Node { return Unit(in[0]) }, At: at[:1]}.Errors()
	})
}
