package simulate

import (
	"testing"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/sdnet/optim"
)

func fill(seed uint64, scale float64, shape ...int) golden.Fill {
	return golden.Fill{Shape: shape, Seed: seed, Scale: scale}
}

// layerCase is a CSC layer with gradients: power iteration, FISTA, and their way back.
func layerCase(id string, s csc.Settings) *graph.Case {
	b := graph.New(id, "csc_layer", "test", "real")
	x, w := b.Input("x", fill(1, 1, 2, 3, 7, 9)), b.Input("w", fill(2, 0.5, 8, 3, 3, 3))
	weight := b.UnitAtoms("", w)
	code := s.Geometry.CodeShape([]int{2, 3, 7, 9}, []int{8, 3, 3, 3})
	v := b.Input("v0", fill(3, 1, 1, 8, code[2], code[3]))
	_, step := b.PowerIteration("", v, weight, 7, 9, csc.PublishedPower(3), s.Geometry)
	z := b.FISTA("", x, weight, step, s)
	b.Backward(z, b.Input("grad/"+z, fill(4, 1, code...)), x, weight)
	return b.Case
}

// blockCase is what comes between convolutions: BatchNorm, ReLU, pooling, a classifier, its loss and one step
// of descent.
func blockCase(training bool) *graph.Case {
	b := graph.New("block", "network", "test", "real")
	x := b.Input("x", golden.Fill{Shape: []int{5, 4, 8, 6}, Seed: 1, Scale: 1, Offset: 0.5})
	state := b.Of(b.Input("gamma", fill(2, 1, 4)), b.Input("beta", fill(3, 1, 4)),
		b.Input("running_mean", fill(4, 0.25, 4)),
		b.Input("running_var", golden.Fill{Shape: []int{4}, Seed: 5, Scale: 0.5, Offset: 1}))
	y, _, _ := b.BatchNorm("bn", x, autodiff.Norm{Gamma: state[0], Beta: state[1], Mean: state[2],
		Variance: state[3], Epsilon: 1e-5, Momentum: 0.1}, training)
	at := func(quantity string) graph.Place { return graph.Place{Quantity: quantity} }
	y = b.Node("add", at("sum"), nil, y, x)
	y = b.Node("bias", at("biased"), nil, y, b.Input("c", fill(8, 1, 4)))
	y = b.Node("relu", at("relu"), nil, y)
	y = b.Node("gelu", at("gelu"), nil, y)
	y = b.Node("max_pool", at("pool"), graph.Attrs{"size": 3, "stride": 2, "padding": 1}, y)
	y = b.Node("average_pool", at("features"), nil, y)
	w := b.Input("w", fill(6, 1, 7, 4))
	y = b.Node("linear", at("logits"), nil, y, w, b.Input("b", fill(7, 1, 7)))
	loss := b.Node("cross_entropy", at("loss"), nil, y, b.Labels("labels", 5, 7, 8))
	gradients := b.Backward(loss, "", x, w, "b", "gamma", "beta")
	in := b.Of(w, gradients[1], b.Input("velocity", fill(9, 1, 7, 4)))
	optim.Append("", "w", in[0], in[1], in[2], nil, autodiff.Descent{Rate: 0.1, Momentum: 0.9, Decay: 5e-4})
	b.List()
	return b.Case
}

// lossCase is a loss that no network has: the mean of (e^x - y)^2 log y.
func lossCase() *graph.Case {
	b := graph.New("loss", "network", "test", "real")
	x := b.Input("x", fill(1, 1, 5, 7))
	y := b.Input("y", golden.Fill{Shape: []int{5, 7}, Seed: 2, Scale: 0.5, Offset: 1})
	at := func(quantity string) graph.Place { return graph.Place{Quantity: quantity} }
	d := b.Node("axpy", at("d"), graph.Attrs{"scale": -1}, b.Node("exp", at("e"), nil, x), y)
	weighted := b.Node("mul", at("weighted"), nil, b.Node("mul", at("square"), nil, d, d), b.Node("log", at("log"), nil, y))
	b.Backward(b.Node("sum", at("loss"), graph.Attrs{"divisor": 35}, weighted), "", x, y)
	b.List()
	return b.Case
}

func testCases() []*graph.Case {
	return []*graph.Case{
		layerCase("published", csc.Settings{Lambda: 0.1, Nonnegative: true, Iterations: 4,
			Geometry: conv.Geometry{Padding: 1}}),
		layerCase("elastic", csc.Settings{Lambda: 0.1, Mu: 0.5, Iterations: 3, Variant: csc.Paper,
			Geometry: conv.Geometry{Stride: 2, Padding: 1}}),
		layerCase("dilated", csc.Settings{Lambda: 0.05, Mu: 0.1, Iterations: 2,
			Geometry: conv.Geometry{Dilation: 2, Padding: 2}}),
		blockCase(true), blockCase(false), lossCase(),
	}
}

// TestEveryOperator computes cases that together use every operator, on machines of every profile. Each node,
// recomputed in float64 from the machine's own values, must lie within the provable limit: package graph and
// this one mean the same, and what is claimed to be honest is. With -short there is a machine for each order of summation.
func TestEveryOperator(t *testing.T) {
	used, machines := map[string]bool{}, 24
	if testing.Short() {
		machines = len(orders)
	}
	for _, c := range testCases() {
		in := c.Generate()
		for _, p := range precision.Profiles {
			for _, m := range Machines(p, machines) {
				got, err := m.Run(c, in)
				if err != nil {
					t.Fatal(err)
				}
				for i := range c.Nodes {
					n := &c.Nodes[i]
					used[n.Op] = true
					checkNode(t, &m, c, n, in, got)
				}
			}
		}
	}
	for _, op := range graph.Ops() {
		if !used[op.Name] {
			t.Errorf("no case uses operator %s", op.Name)
		}
	}
	if len(operators) != len(graph.Ops()) {
		t.Errorf("%d operators, want %d", len(operators), len(graph.Ops()))
	}
}

func checkNode(t *testing.T, m *Machine, c *graph.Case, n *graph.Node, in, got graph.Values) {
	t.Helper()
	of := inputs(n, in, got)
	want, err := c.Recompute(n, of)
	if err != nil {
		t.Fatal(err)
	}
	limit := m.Profile.Limit(want.Terms, graph.Lookup(n.Op).Class == graph.Contraction)
	if m.Winograd && want.Spread != nil {
		limit = precision.Winograd(want.Terms)
	}
	if worst, at := judge.Measure(n, of, want, got[n.Name].Data, m.Profile,
		false); !(worst*m.Profile.Unit() <= limit) {
		t.Errorf("%s, %v: %s (%s) element %d is %g, want %g: %g of the limit", c.ID, *m, n.Name, n.Op, at,
			got[n.Name].Data[at], want.Data[at],
			worst*m.Profile.Unit()/limit)
	}
}
