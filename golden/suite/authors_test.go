package suite

import (
	"slices"
	"strings"
	"testing"

	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/tensor"
)

// TestGraphIsTheAuthorsLayer writes the layer cases of the authors' code down as graphs.
func TestGraphIsTheAuthorsLayer(t *testing.T) {
	for _, official := range officialCases(t, "layer") {
		l, err := readLayer(official)
		if err != nil {
			t.Fatal(err)
		}
		rounds, err := official.Scalars.Int("power_iterations")
		if err != nil {
			t.Fatal(err)
		}
		b := graph.New(strings.ReplaceAll(official.Name, "/", "-"), "csc_layer", "")
		x, w, v := b.Input("x", official.Inputs["x"]), b.Input("w", official.Inputs["weight_raw"]), b.Input("v0", official.Inputs["v0"])
		if l.settings.UnitNormAtoms {
			w = b.UnitAtoms("", w)
		}
		p := graph.Power{Rounds: rounds, Tolerance: csc.PowerTolerance, Share: l.share}
		_, step := b.PowerIteration("", v, w, l.height, l.width, p, l.settings.Geometry)
		code := b.FISTA("", x, w, step, l.settings)
		gradients := b.Backward(code, b.Input("grad/"+code, official.Inputs["grad_z"]), x, w)
		again := b.Node("synthesis", graph.Place{Quantity: "reconstruction"}, graph.TransposedConvolution(l.settings.Geometry, l.height, l.width), code, w)
		in := b.Generate()
		values, err := b.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		values["w"] = in["w"]
		for tensor, node := range map[string]string{"weight": w, "z": code, "reconstruction": again, "grad_x": gradients[0], "grad_weight": gradients[1]} {
			want, err := official.Tensor(tensor, values[node].Shape...)
			if err != nil {
				t.Fatal(err)
			}
			near(t, official.Name+" "+tensor, values[node].Data, want, boundFloat64)
		}
		for scalar, node := range map[string]string{"lambda_max": "eigenvalue", "step": step} {
			want, err := official.Scalars.Float(scalar)
			if err != nil {
				t.Fatal(err)
			}
			near(t, official.Name+" "+scalar, values[node].Data, []float64{want}, boundFloat64)
		}
	}
}

// TestGraphIsTheAuthorsNetwork writes SDNet-18 down as a graph: the logits in evaluation, then the first training pass's
// loss, logits and gradients.
func TestGraphIsTheAuthorsNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	cases := officialCases(t, "network")
	at := slices.IndexFunc(cases, func(c *golden.Case) bool { return strings.HasSuffix(c.Name, "/sdnet18_cifar10") })
	official, err := readNetwork(cases[at])
	if err != nil {
		t.Fatal(err)
	}
	loss, err := official.Scalars.Floats("losses")
	if err != nil {
		t.Fatal(err)
	}

	evaluation := newNetBuilder(graph.New("evaluation", "network", ""), official.spec, csc.PowerRounds, false)
	x := evaluation.Input("x", official.Inputs["x"])
	logits := evaluation.forward(x)
	values := evaluateOfficial(t, evaluation, official)
	compareOfficial(t, official, "eval_logits", values[logits])

	training := newNetBuilder(graph.New("training", "training_step", ""), official.spec, csc.PowerRounds, true)
	x = training.Input("x", official.Inputs["x"])
	training.train(x, training.Labels("labels", official.batch, official.spec.Data.Classes, 1), 1)
	values = evaluateOfficial(t, training, official)
	compareOfficial(t, official, "train_logits", values["linear/y"])
	near(t, "loss", values["loss/y"].Data, loss[:1], boundFloat64)
	for _, tensor := range official.Tensors.Tensors {
		if name, ok := strings.CutPrefix(tensor.Name, "grad/"); ok {
			name = strings.Replace(name, ".dn.weight", ".dn/weight", 1)
			compareOfficial(t, official, tensor.Name, values["grad/"+name])
		}
	}
}

// evaluateOfficial computes a network from the case's parameters, the atoms normalised beforehand as the case has them.
func evaluateOfficial(t *testing.T, n *netBuilder, c *networkCase) graph.Values {
	t.Helper()
	in := graph.Values{}
	for i := range n.Inputs {
		input := &n.Inputs[i]
		if fill, ok := c.Parameters[input.Name]; ok {
			input.Fill = fill
		}
		in[input.Name] = tensor.From(input.Fill.Values(), input.Fill.Shape...)
		if strings.HasSuffix(input.Name, ".dn.weight") {
			csc.NormalizeAtoms(in[input.Name])
		}
	}
	if labels := in["labels"]; labels != nil {
		for i, l := range c.Labels {
			labels.Data[i] = float64(l)
		}
	}
	values, err := n.Evaluate(in)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// compareOfficial sets a value against a tensor of the case or its summary.
func compareOfficial(t *testing.T, c *networkCase, name string, value *graph.Tensor) {
	t.Helper()
	stored, err := c.Tensors.Get(name)
	if err != nil || value == nil {
		t.Errorf("%s: %v, node %v", name, err, value)
		return
	}
	want, err := stored.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	d := golden.Compare(value.Data, want)
	if stored.Len() == len(golden.Summary{}) && value.Len() != stored.Len() {
		d = golden.CompareSummary(golden.Summarize(value.Data), want)
	}
	if !d.Within(boundFloat64) {
		t.Error(golden.Judge(c.Name, name, d, boundFloat64))
	}
}
