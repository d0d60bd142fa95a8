package official

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sdref/golden"
	"sdref/sdnet"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

// networkDraft is a case of a narrow network, expected what the network gives; its inputs are rules like the
// authors'.
func networkDraft(t *testing.T, network string, steps int) *draft {
	t.Helper()
	spec, err := sdnet.Lookup(network, "cifar10")
	if err != nil {
		t.Fatal(err)
	}
	spec.Data.Image, spec.Data.Classes = 16, 7
	n, err := sdnet.New[float64](spec)
	if err != nil {
		t.Fatal(err)
	}
	d := &draft{Name: "network/" + network, Kind: "network", Scalars: map[string]any{}, Attrs: map[string]any{
		"network": strings.TrimSuffix(network, "_noshortcut"), "dataset": "cifar10", "image": 16,
		"classes": 7, "batch": 3,
		"iterations": 2, "lambda": 0.1, "nonnegative": true, "shortcut": !spec.Plain, "train_steps": steps,
		"parameters": n.CountParameters(), "optimizer": "SGD lr=0.1 momentum=0.9 weight_decay=5e-4 nesterov",
	}}
	rules := map[string]any{}
	for i, s := range n.State() {
		f := golden.Fill{Shape: s.Shape, Seed: uint64(1000 + i), Scale: 0.25}
		if strings.HasSuffix(s.Name, ".running_var") ||
			(strings.HasSuffix(s.Name, ".weight") && len(s.Shape) == 1) {
			f.Offset = 1
		}
		if !strings.HasSuffix(s.Name, ".step_size") {
			copy(s.Data, f.Values())
			rules[s.Name] = fillJSON(f)
		}
	}
	images := golden.Fill{Shape: []int{3, 3, 16, 16}, Seed: 1, Scale: 2}
	d.Inputs = map[string]any{"x": fillJSON(images), "labels": []int{6, 0, 3}, "parameters": rules}
	d.expect(t, n, tensor.From(images.Values(), images.Shape...), []int{6, 0, 3}, max(1, steps))
	return d
}

// expect fills in what the network gives.
func (d *draft) expect(t *testing.T, n *sdnet.Network[float64], x *tensor.Tensor[float64], labels []int,
	steps int) {
	full := func(name string, v *tensor.Tensor[float64]) {
		d.tensors = append(d.tensors, safetensors.New(name, v.Shape, slices.Clone(v.Data)))
	}
	summary := func(name string, v *tensor.Tensor[float64]) {
		s := golden.Summarize(v.Data)
		d.tensors = append(d.tensors, safetensors.New(name, []int{len(s)}, s[:]))
	}
	n.NormalizeAtoms()
	values, sizes, zeros := []float64{}, map[string]any{}, map[string]any{}
	for i, e := range n.UpdateSteps() {
		values = append(values, e.Value)
		sizes[n.Layers[i].Name] = map[string]any{"lambda_max": e.Value, "step": e.Step()}
	}
	p := sdnet.NewPredictor(n)
	p.Observe = func(name string, v *tensor.Tensor[float64]) {
		if strings.HasSuffix(name, ".dn") {
			zeros[name] = 1 - float64(tensor.CountNonzero(v))/float64(v.Len())
		} else if strings.HasPrefix(name, "layer") {
			summary("eval_"+name, v)
		} else if stage, block, ok := sdnet.ParseBlock(name); ok && n.Plain {
			image, err := n.Invert(v, stage, block, false)
			if err != nil {
				t.Fatal(err)
			}
			full(fmt.Sprintf("inverse_%d_%d", stage, block), image)
		}
	}
	full("eval_logits", p.Logits(x))
	trainer, losses, rows := sdnet.NewTrainer(n, 0.9, 5e-4), []float64{}, [][]float64{}
	for step := range steps {
		if step > 0 {
			values = nil
			for _, e := range n.UpdateSteps() {
				values = append(values, e.Value)
			}
		}
		rows, losses = append(rows, values), append(losses, trainer.Gradients(x, labels).Loss)
		if step == 0 {
			full("train_logits", trainer.Logits())
			for _, s := range n.State() {
				if s.Buffer {
					summary("after_forward/"+s.Name, s.Tensor)
				} else {
					summary("grad/"+s.Name, trainer.Grad(s.Tensor))
				}
			}
		}
		trainer.Apply(0.1)
	}
	for _, s := range n.State() {
		summary(fmt.Sprintf("after_%d_steps/%s", steps, s.Name), s.Tensor)
	}
	d.Scalars["step_sizes"], d.Scalars["zero_fraction"], d.Scalars["losses"],
		d.Scalars["lambda_max_per_step"] = sizes, zeros, losses, rows
}

// drafts are one case of each shape or, with -short, a layer and a network.
func drafts(t *testing.T) []*draft {
	layer := variations["stride 3"]
	list := []*draft{layer.draft("layer/planted", 40), networkDraft(t, "sdnet8_all_narrow", 2)}
	if testing.Short() {
		return list
	}
	return append(list, networkDraft(t, "sdnet8_all_narrow_noshortcut", 0), networkDraft(t, "resnet8_narrow", 1))
}

// TestPlantedTensors changes each expected tensor by a millionth: its row must fail, and no other.
func TestPlantedTensors(t *testing.T) {
	for _, d := range drafts(t) {
		c := d.load(t)
		rows := passing(t, "float64", c, Check[float64])
		if c.Kind == "network" {
			covers(t, c, rows, networkRows(t, c))
		}
		most := 12 // of a network's many, some
		if testing.Short() {
			most = 4
		}
		stride := max(1, len(c.Tensors.Tensors)/most)
		for i := 0; i < len(c.Tensors.Tensors); i += stride {
			kept := c.Tensors.Tensors[i]
			values, err := kept.Float64s()
			if err != nil {
				t.Fatal(err)
			}
			off := slices.Clone(values)
			scale(off, 1+1e-6)
			if slices.Equal(off, values) {
				off[0] = 1e-6 // all were zero
			}
			c.Tensors.Tensors[i] = safetensors.New(kept.Name, kept.Shape, off)
			onlyFails(t, c, kept.Name)
			c.Tensors.Tensors[i] = kept
		}
	}
}

// onlyFails fails unless of a case's rows just the one of that name fails.
func onlyFails(t *testing.T, c *golden.Case, name string) {
	t.Helper()
	rows, err := Check[float64](c)
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	seen := false
	for _, r := range rows {
		seen = seen || r.Name == name
		if r.Pass == (r.Name == name) {
			t.Errorf("with an error planted in %s: %v", name, r)
		}
	}
	if !seen || golden.Passed(rows) {
		t.Errorf("with an error planted in %s: no row says so", name)
	}
}

// TestPlantedScalars does the same to expected numbers; counts change by one.
func TestPlantedScalars(t *testing.T) {
	for _, d := range drafts(t) {
		for name := range d.Scalars {
			switch v := d.Scalars[name].(type) {
			case int:
				d.Scalars[name] = v + 1
				onlyFails(t, d.load(t), name)
				d.Scalars[name] = v
			case float64:
				d.Scalars[name] = v * (1 + 1e-6)
				onlyFails(t, d.load(t), name)
				d.Scalars[name] = v
			case []float64:
				last := len(v) - 1
				v[last] *= 1 + 1e-6
				onlyFails(t, d.load(t), fmt.Sprintf("loss/%d", last))
				v[last] /= 1 + 1e-6
			}
		}
		if d.Kind == "network" {
			plantInTables(t, d)
		}
	}
}

// plantInTables changes a network's numbers that are kept by layer.
func plantInTables(t *testing.T, d *draft) {
	d.Attrs["parameters"] = d.Attrs["parameters"].(int) + 1
	onlyFails(t, d.load(t), "parameters")
	d.Attrs["parameters"] = d.Attrs["parameters"].(int) - 1
	sizes, zeros := d.Scalars["step_sizes"].(map[string]any), d.Scalars["zero_fraction"].(map[string]any)
	if len(sizes) == 0 {
		return // a network without CSC layers
	}
	const layer = "layer0.0.dn"
	for _, name := range []string{"lambda_max", "step"} {
		table := sizes[layer].(map[string]any)
		keep := table[name].(float64)
		table[name] = keep * (1 + 1e-6)
		onlyFails(t, d.load(t), name+"/"+layer)
		table[name] = keep
	}
	keep := zeros[layer].(float64)
	zeros[layer] = keep * (1 + 1e-6)
	onlyFails(t, d.load(t), "zero_fraction/"+layer)
	zeros[layer] = keep
	rows := d.Scalars["lambda_max_per_step"].([][]float64)
	last := len(rows) - 1
	keep = rows[last][0]
	rows[last] = slices.Clone(rows[last]) // the first row may be a list that others hold
	rows[last][0] = keep * (1 + 1e-6)
	onlyFails(t, d.load(t), fmt.Sprintf("lambda_max_per_step/%d/%s", last, layer))
	rows[last][0] = keep
}

// TestPlantedInFloat32 changes a layer's expected numbers by a thousandth, five times the bound.
func TestPlantedInFloat32(t *testing.T) {
	layer := variations["stride 3"]
	d := layer.draft("layer/planted", 40)
	for i, kept := range d.tensors {
		values, err := kept.Float64s()
		if err != nil {
			t.Fatal(err)
		}
		off := slices.Clone(values)
		scale(off, 1+1e-3)
		d.tensors[i] = safetensors.New(kept.Name, kept.Shape, off)
		rows, err := Check[float32](d.load(t))
		d.tensors[i] = kept
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Pass == (r.Name == kept.Name) {
				t.Errorf("with an error planted in %s: %v", kept.Name, r)
			}
		}
	}
}
