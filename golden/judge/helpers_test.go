package judge

import (
	"math"
	"slices"
	"testing"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/tensor"
)

// exercise is a case with what is needed to judge answers to it.
type exercise struct {
	*graph.Case
	in, expected graph.Values
	bounds       Bounds
}

func prepare(t testing.TB, c *graph.Case) exercise {
	t.Helper()
	e := exercise{Case: c, in: c.Generate(), bounds: Bounds{}}
	var err error
	if e.expected, err = c.Evaluate(e.in); err != nil {
		t.Fatal(err)
	}
	for _, n := range c.Nodes {
		e.bounds[n.Name] = map[precision.Profile]Bound{}
		for _, p := range precision.Profiles {
			b := Bound{Local: 8, End: 64}
			if c.Has("exact") || graph.Lookup(n.Op).Class == graph.Selection {
				b.Local = 0
			}
			if c.Has("exact") {
				b.End = 0
			}
			e.bounds[n.Name][p] = b
		}
	}
	return e
}

// judge judges the answers that the change has been made to.
func (e exercise) judge(p precision.Profile, a Answers, change func(Answers)) Report {
	b := Answers{}
	for name, answer := range a {
		b[name] = &Answer{Shape: slices.Clone(answer.Shape), DType: answer.DType,
			Data: slices.Clone(answer.Data)}
	}
	if change != nil {
		change(b)
	}
	return Judge(e.Case, e.in, e.expected, e.bounds, b, p)
}

// honest answers every node of a case: operands of contractions rounded to the profile's format, each result
// once to float32 and to the profile's format.
func (e exercise) honest(p precision.Profile) Answers {
	answers, known := Answers{}, graph.Values{}
	for name, v := range e.in {
		known[name] = v
	}
	for i := range e.Nodes {
		n := &e.Nodes[i]
		op := graph.Lookup(n.Op)
		var in []*graph.Tensor
		for _, name := range n.Inputs {
			in = append(in, known[name])
		}
		if op.Class == graph.Contraction {
			in = mapped(in, p.Operands().Round)
		}
		y := op.Value(n, in)
		for j, v := range y.Data {
			y.Data[j] = p.Results().Round(precision.Single.Round(v))
		}
		known[n.Name] = y
		answers[n.Name] = &Answer{Shape: n.Shape, DType: "float32", Data: y.Data}
	}
	return answers
}

// only keeps the required answers.
func (e exercise) only(a Answers) Answers {
	b := Answers{}
	for _, n := range e.Nodes {
		if n.Required {
			b[n.Name] = a[n.Name]
		}
	}
	return b
}

// layer is FISTA with the gradients of x and w, on a lattice or not.
func layer(t testing.TB, exact bool) exercise {
	flag, x, w, dz := "real", fill(0, 2, 2, 16, 6, 7), fill(0, 0.25, 24, 16, 3, 3), fill(0, 1, 2, 24, 6, 7)
	s := csc.Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.1, Nonnegative: true, Iterations: 4}
	step := 0.0625
	if exact {
		flag, x, w, dz = "exact", fill(9, 1, 2, 3, 6, 7), fill(3, 1, 5, 3, 3, 3), fill(9, 1, 2, 5, 6, 7)
		s.Lambda, s.Iterations = 8, 2
	}
	b := graph.New("layer-"+flag, "fista", "", flag)
	code := b.FISTA("", b.Input("x", x), b.Input("w", w), b.Constant("step", step), s)
	dz.Seed = 3
	b.Require(append(b.Backward(code, b.Input("grad/"+code, dz), "x", "w"), code)...)
	return prepare(t, b.Case)
}

func fill(levels int, scale float64, shape ...int) golden.Fill {
	return golden.Fill{Shape: shape, Seed: uint64(len(shape)*100 + shape[1]), Scale: scale, Levels: levels}
}

// convolution is one contraction with 64 channels.
func convolution(t testing.TB, exact bool) exercise {
	flag, x, w := "real", fill(0, 1, 2, 64, 6, 7), fill(0, 0.25, 40, 64, 3, 3)
	if exact {
		flag, x, w = "exact", fill(9, 1, 2, 64, 6, 7), fill(3, 1, 40, 64, 3, 3)
	}
	b := graph.New("convolution-"+flag, "conv_forward", "", flag)
	b.Require(b.Node("analysis", graph.Place{Quantity: "y"}, graph.Convolution(conv.Geometry{Padding: 1}),
		b.Input("x", x), b.Input("w", w)))
	return prepare(t, b.Case)
}

// eigenpair is power iteration.
func eigenpair(t testing.TB) exercise {
	b := graph.New("power", "power_iteration", "", "real")
	v, w := b.Input("v0", fill(0, 1, 1, 5, 6, 7)), b.Input("w", fill(0, 0.25, 5, 3, 3, 3))
	vector, step := b.PowerIteration("", v, w, 6, 7, csc.Power{Rounds: 4, Share: 0.9},
		conv.Geometry{Padding: 1})
	b.Require(vector, "eigenvalue", step)
	return prepare(t, b.Case)
}

func nan() float64 { return math.NaN() }

func from(data []float64, shape ...int) *graph.Tensor { return tensor.From(data, shape...) }
