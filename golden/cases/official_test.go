package cases

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/official"
	"sdref/tensor"
)

// officialBound is the largest relative error of a graph in float64 that passes.
const officialBound = 1e-10

// officialCases returns the cases of the authors' code in one folder.
func officialCases(t *testing.T, folder string) []*golden.Case {
	t.Helper()
	cases, err := golden.Open(filepath.Join("..", "testdata", "official", folder))
	if err != nil {
		t.Fatal(err)
	}
	return cases
}

// TestGraphIsTheAuthorsLayer writes the layer cases of the authors' code down as graphs.
func TestGraphIsTheAuthorsLayer(t *testing.T) {
	for _, authors := range officialCases(t, "layer") {
		l, err := official.ReadLayer(authors)
		if err != nil {
			t.Fatal(err)
		}
		rounds, err := authors.Scalars.Int("power_iterations")
		if err != nil {
			t.Fatal(err)
		}
		b := graph.New(strings.ReplaceAll(authors.Name, "/", "-"), "csc_layer", "")
		x, w, v := b.Input("x", authors.Inputs["x"]), b.Input("w", authors.Inputs["weight_raw"]),
			b.Input("v0", authors.Inputs["v0"])
		if l.UnitNormAtoms {
			w = b.UnitAtoms("", w)
		}
		p := csc.Power{Rounds: rounds, Tolerance: csc.PowerTolerance, Share: l.Share}
		_, step := b.PowerIteration("", v, w, l.Height, l.Width, p, l.Geometry)
		code := b.FISTA("", x, w, step, l.Settings)
		gradients := b.Backward(code, b.Input("grad/"+code, authors.Inputs["grad_z"]), x, w)
		again := b.Node("synthesis", graph.Place{Quantity: "reconstruction"},
			graph.TransposedConvolution(l.Geometry, l.Height, l.Width), code, w)
		in := b.Generate()
		values, err := b.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		values["w"] = in["w"]
		for tensor, node := range map[string]string{"weight": w, "z": code, "reconstruction": again,
			"grad_x": gradients[0], "grad_weight": gradients[1]} {
			want, err := authors.Tensor(tensor, values[node].Shape...)
			if err != nil {
				t.Fatal(err)
			}
			near(t, authors.Name+" "+tensor, values[node].Data, want, officialBound)
		}
		for scalar, node := range map[string]string{"lambda_max": "eigenvalue", "step": step} {
			want, err := authors.Scalars.Float(scalar)
			if err != nil {
				t.Fatal(err)
			}
			near(t, authors.Name+" "+scalar, values[node].Data, []float64{want}, officialBound)
		}
	}
}

// TestGraphIsTheAuthorsNetwork writes SDNet-18 down as a graph: the logits in evaluation, then the first
// training pass's loss, logits and gradients.
func TestGraphIsTheAuthorsNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	cases := officialCases(t, "network")
	at := slices.IndexFunc(cases, func(c *golden.Case) bool {
		return strings.HasSuffix(c.Name, "/sdnet18_cifar10")
	})
	authors := cases[at]
	spec, batch, err := official.ReadNetwork(authors)
	if err != nil {
		t.Fatal(err)
	}
	loss, err := authors.Scalars.Floats("losses")
	if err != nil {
		t.Fatal(err)
	}

	evaluation := newNetBuilder(spec, csc.PowerRounds, false, "evaluation", "network", "")
	x := evaluation.Input("x", authors.Inputs["x"])
	logits := evaluation.forward(evaluation.Of(x)[0]).Name
	values := evaluateOfficial(t, evaluation, authors)
	compareOfficial(t, authors, "eval_logits", values[logits])

	training := newNetBuilder(spec, csc.PowerRounds, true, "training", "training_step", "")
	x = training.Input("x", authors.Inputs["x"])
	images := training.Of(x, training.Labels("labels", batch, spec.Data.Classes, 1))
	training.train(images[0], images[1], 1)
	values = evaluateOfficial(t, training, authors)
	compareOfficial(t, authors, "train_logits", values["linear/y"])
	near(t, "loss", values["loss/y"].Data, loss[:1], officialBound)
	for _, tensor := range authors.Tensors.Tensors {
		if name, ok := strings.CutPrefix(tensor.Name, "grad/"); ok {
			name = strings.Replace(name, ".dn.weight", ".dn/weight", 1)
			compareOfficial(t, authors, tensor.Name, values["grad/"+name])
		}
	}
}

// evaluateOfficial computes a network from the case's parameters, the atoms normalised beforehand as the case
// has them.
func evaluateOfficial(t *testing.T, n *netBuilder, c *golden.Case) graph.Values {
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
func compareOfficial(t *testing.T, c *golden.Case, name string, value *graph.Tensor) {
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
	if !d.Within(officialBound) {
		t.Error(golden.Judge(c.Name, name, d, officialBound))
	}
}
