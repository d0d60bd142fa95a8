package autodiff

import (
	"slices"
	"testing"

	"sdref/tensor"
)

// pullFrom appends the gradient of <seed, y> and returns the gradients' values.
func pullFrom(t *testing.T, y *Node, seed *tensor.Tensor[float64], v values[float64],
	wanted ...*Node) []*tensor.Tensor[float64] {
	t.Helper()
	s := y.Graph().Input("seed", y.Shape...)
	v[s] = seed
	return evaluate(v, Backward(y, s, wanted...)...)
}

func TestUsesSumGradients(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 3)
	h := Scale(x, 2, nil)
	y := Add(Scale(h, 5, nil), Add(Scale(h, 7, nil), h)) // 13h = 26x
	dx := pullFrom(t, y, vector(1.0, 10, 100), values[float64]{x: vector(1.0, 2, 3)}, x)[0]
	mustEqual(t, "gradient", dx, vector(26.0, 260, 2600))
}

func TestDiamonds(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2)
	h := Scale(x, 1, nil)
	for range 10 { // ten diamonds in a row: 2^10 paths
		h = Add(ReLU(Scale(h, -1, nil)), ReLU(h)) // |h|
		h = Add(h, h)
	}
	v := values[float64]{x: vector(1.0, -1)}
	mustEqual(t, "value", evaluate(v, h)[0], vector(1024.0, 1024))
	mustEqual(t, "gradient", pullFrom(t, h, vector(1.0, 1), v, x)[0], vector(1024.0, -1024))
}

// Identities hand on one gradient to several values.
func TestSharedGradients(t *testing.T) {
	g := NewGraph()
	a, b, c := g.Input("a", 1), g.Input("b", 1), g.Input("c", 1)
	y := Add(Add(a, b), Axpy(Scale(Add(a, c), 2, nil), b, 10, nil)) // 3a + 11b + 2c
	list := pullFrom(t, y, vector(1.0), drawn[float64](g, 1), a, b, c)
	mustEqual(t, "da", list[0], vector(3.0))
	mustEqual(t, "db", list[1], vector(11.0))
	mustEqual(t, "dc", list[2], vector(2.0))
}

// The gradients of several uses are added from the last use to the first: of 1, 2^-53 and 2^-53 that is 1 +
// 2^-52 in one order and 1 in the other.
func TestOrderOfTheSum(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 1)
	h := Scale(x, 1, nil)
	one := Scale(h, 1, nil)
	small, tiny := Scale(h, 0x1p-53, nil), Scale(h, 0x1p-53, nil)
	y := Add(one, small, tiny)
	dh := Backward(y, g.Input("seed", 1), h)[0]
	var order []*Node
	for _, term := range dh.Inputs {
		order = append(order, g.Node(term.Name[len("grad/"+h.Name+"/"):]))
	}
	if !slices.Equal(order, []*Node{tiny, small, one}) {
		t.Errorf("the terms are %v", dh)
	}
	if got := evaluate(values[float64]{x: vector(1.0), g.Node("seed"): vector(1.0)},
		dh)[0]; got.Data[0] != 1+0x1p-52 {
		t.Errorf("1 + 2^-53 + 2^-53 is %v, added from the last to the first it is %v", got.Data[0], 1+0x1p-52)
	}
}

// Names say which value a gradient belongs to and which use it comes from.
func TestNamesOfGradients(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2)
	h := Scale(x, 2, nil).At("layer", 3, "h")
	y := Axpy(ReLU(h).At("layer", 3, "r"), h, 0.5, nil).At("", 0, "y")
	list := Backward(y, g.Input("seed", 2), x, h)
	if list[0] != g.Node("grad/x") || list[1] != g.Node("grad/layer/3/h") {
		t.Errorf("gradients are %v", list)
	}
	for name, place := range map[string]Place{
		"grad/x":                   {Layer: "layer", Iteration: 3, Quantity: "gradient of x"},
		"grad/layer/3/h":           {Layer: "layer", Iteration: 3, Quantity: "gradient of h"},
		"grad/layer/3/h/y":         {Quantity: "gradient of h"},
		"grad/layer/3/h/layer/3/r": {Layer: "layer", Iteration: 3, Quantity: "gradient of h"},
	} {
		if n := g.Node(name); n == nil || n.Place != place || !n.gradient {
			t.Errorf("node %s is %+v, want the place %+v", name, n, place)
		}
	}
	if h.gradient || y.gradient {
		t.Error("a node of the value counts as one of the gradient")
	}
}

// A wanted node on the way gets its whole gradient, and those before it too.
func TestGradientOfANodeInTheMiddle(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2)
	h := Scale(x, 3, nil)
	y := Axpy(Scale(h, 2, nil), ReLU(h), 5, nil)
	list := pullFrom(t, y, vector(1.0, 10), values[float64]{x: vector(1.0, -1)}, h, x)
	mustEqual(t, "dh", list[0], vector(7.0, 20))
	mustEqual(t, "dx", list[1], vector(21.0, 60))
}

// The gradient of the result itself is the seed, and that of an operand of a sum the sum's.
func TestGradientsThatAreTheSeed(t *testing.T) {
	g := NewGraph()
	a, b := g.Input("a", 2), g.Input("b", 2)
	y := Add(a, b)
	list := pullFrom(t, y, vector(3.0, 5), drawn[float64](g, 1), y, a, b)
	for _, d := range list {
		mustEqual(t, "gradient", d, vector(3.0, 5))
	}
}

// Without a seed the gradient is that for a seed of 1.
func TestNoSeed(t *testing.T) {
	r := rowOf("cross_entropy")
	in, loss := r.start()
	v := draw[float64](r, 1, in)
	without := evaluate(v, Backward(loss, nil, in[0])...)[0]
	in, loss = r.start()
	v = draw[float64](r, 1, in)
	mustEqual(t, "gradient", without, pullFrom(t, loss, number(1.0), v, in[0])[0])

	g := NewGraph() // the sum of two losses
	logits, labels, other := g.Input("logits", 4, 10), g.Input("labels", 4), g.Input("other", 4)
	loss = Add(CrossEntropy(logits, labels), CrossEntropy(logits, other))
	double := values[float64]{logits: v[in[0]], labels: v[in[1]], other: v[in[1]]}
	tensor.Scale(without, without, 2)
	mustEqual(t, "gradient of both", evaluate(double, Backward(loss, nil, logits)...)[0], without)

	mustShapePanic(t, "Backward", func() { Backward(Scale(logits, 1, nil), nil, logits) })
	mustShapePanic(t, "Backward", func() { Backward(loss, g.Input("wrong", 1), logits) })
	mustPanic(t, "seed", func() { Backward(Linear(logits, g.Input("w", 3, 10), g.Input("b", 3)), nil, logits) })
}

func TestBackwardNeedsAPath(t *testing.T) {
	g := NewGraph()
	x, c := g.Input("x", 2), g.Input("c", 2)
	seed := g.Input("seed", 2)
	mustPanic(t, "no gradient reaches c", func() { Backward(Scale(x, 2, nil), seed, c) })
	mustPanic(t, "no gradient reaches x", func() { Backward(Scale(Unit(x), 2, nil), seed, x) })
	logits, labels := g.Input("logits", 2, 3), g.Input("labels", 2)
	mustPanic(t, "no gradient reaches labels", func() { Backward(CrossEntropy(logits, labels), nil, labels) })
}

// Values that do not lead to the result have no part in the gradient.
func TestSideBranches(t *testing.T) {
	g := NewGraph()
	x, idle := g.Input("x", 2), g.Input("idle", 2)
	h := Scale(x, 2, nil)
	ReLU(h)
	Scale(Add(h, idle), 3, nil)
	before := len(g.Nodes)
	dx := pullFrom(t, h, vector(1.0, 1), drawn[float64](g, 1), x)[0]
	mustEqual(t, "gradient", dx, vector(2.0, 2))
	if n := len(g.Nodes) - before; n != 1 {
		t.Errorf("the gradient has %d nodes, want 1", n)
	}
}

// A graph can have the gradients of two results, of different values. What one sweep shares between pullbacks
// is not shared with the next: the second gradient of gamma would be the first, were its name not taken.
func TestTwoSweeps(t *testing.T) {
	g := NewGraph()
	a, b := g.Input("a", 2), g.Input("b", 2)
	da := Backward(Scale(a, 2, nil), g.Input("first", 2), a)[0]
	db := Backward(Scale(b, 3, nil), g.Input("second", 2), b)[0]
	list := evaluate(values[float64]{g.Node("first"): vector(1.0, 1), g.Node("second"): vector(1.0, 10)}, da,
		db)
	mustEqual(t, "da", list[0], vector(2.0, 2))
	mustEqual(t, "db", list[1], vector(3.0, 30))

	r := rowOf("batchnorm training")
	in, y := r.start()
	gamma := in[1]
	Backward(y, y.Graph().Input("first", y.Shape...), gamma)
	mustPanic(t, "no new name", func() { Backward(y, y.Graph().Input("second", y.Shape...), gamma) })
}

// Channels know nothing of each other, so each alone gives the same bits. The planes are so large that those
// of an image go through in several parts.
func TestBatchNormByChannel(t *testing.T) {
	const images, channels, side = 3, 7, 30
	for _, training := range []bool{true, false} {
		normalize := func(c int, from values[float64]) *tensor.Tensor[float64] {
			g := NewGraph()
			x := g.Input("x", images, c, side, side)
			list := []*Node{x, g.Input("gamma", c), g.Input("beta", c), g.Input("mean", c),
				g.Input("variance", c)}
			y, _, _ := BatchNorm("bn", x, Norm{list[1], list[2], list[3], list[4], 1e-5, 0.1}, training)
			mine := values[float64]{}
			for n, t := range from {
				mine[g.Node(n.Name)] = t
			}
			return evaluate(mine, y)[0]
		}
		names := NewGraph()
		x := names.Input("x", images, channels, side, side)
		from := values[float64]{x: normal[float64](1, x.Shape...)}
		for i, name := range []string{"gamma", "beta", "mean", "variance"} {
			from[names.Input(name, channels)] = normal[float64](uint64(i+2), channels)
		}
		for i := range channels {
			from[names.Node("variance")].Data[i] = 1 + float64(i)
		}
		all := normalize(channels, from)
		for c := range channels {
			one := values[float64]{}
			for n, t := range from {
				if n != x {
					one[n] = tensor.From(t.Data[c:c+1], 1)
				}
			}
			one[x] = tensor.New[float64](images, 1, side, side)
			for n := range images {
				copy(one[x].Row(n).Data, from[x].Row(n).Row(c).Data)
			}
			alone := normalize(1, one)
			for n := range images {
				mustEqual(t, "a channel", all.Row(n).Row(c), alone.Row(n).Row(0))
			}
		}
	}
}
