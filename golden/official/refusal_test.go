package official

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sdref/tensor/safetensors"
)

// refusal is a damage to a draft, and what the error must say.
type refusal struct {
	says   string
	damage func(d *draft)
}

// attr returns the damage of another setting.
func attr(name string, value any) refusal {
	return refusal{"attrs." + name, func(d *draft) { d.Attrs[name] = value }}
}

// without returns the damage of a setting left out.
func without(name string) refusal {
	return refusal{"attrs." + name, func(d *draft) { delete(d.Attrs, name) }}
}

// lose takes an expected tensor away, bend gives it another shape.
func lose(name string) refusal {
	return refusal{name, func(d *draft) {
		d.tensors = slices.DeleteFunc(d.tensors, func(t safetensors.Tensor) bool { return t.Name == name })
	}}
}

func bend(name string) refusal {
	return refusal{name, func(d *draft) {
		for i, t := range d.tensors {
			if t.Name == name {
				d.tensors[i] = safetensors.New(name, []int{2, 1}, []float64{1, 2})
			}
		}
	}}
}

// input changes the shape of an input's rule, or of a parameter's.
func input(table func(d *draft) map[string]any, name string) refusal {
	return refusal{name, func(d *draft) {
		table(d)[name] = map[string]any{"shape": []int{2, 3}, "seed": 1, "scale": 1}
	}}
}

func inputs(d *draft) map[string]any     { return d.Inputs }
func parameters(d *draft) map[string]any { return d.Inputs["parameters"].(map[string]any) }

func scalar(name string, value any) refusal {
	return refusal{"scalars." + name, func(d *draft) { d.Scalars[name] = value }}
}

func noScalar(name string) refusal {
	return refusal{"scalars." + name, func(d *draft) { delete(d.Scalars, name) }}
}

// refused fails unless the damaged case is refused by an error that names the case, the file and the field.
func refused(t *testing.T, whole *draft, all []refusal) {
	t.Helper()
	for i, r := range all {
		d := whole.clone(t)
		r.damage(d)
		c := d.load(t)
		for precision, check := range checks {
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%d, %s, %s: panic %v", i, r.says, precision, p)
					}
				}()
				rows, err := check(c)
				if rows != nil || err == nil {
					t.Errorf("%d, %s, %s: no error", i, r.says, precision)
					return
				}
				for _, word := range []string{c.Path[:len(c.Path)-len(".json")], c.Name, r.says} {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%d, %s: error %q does not say %s", i, precision, err, word)
					}
				}
			}()
		}
	}
}

func TestRefusedLayers(t *testing.T) {
	all := []refusal{
		{`unknown kind "csc_layers"`, func(d *draft) { d.Kind = "csc_layers" }},
		attr("variant", "nesterov"), attr("variant", 3), attr("dilation", "2"), attr("stride", 0),
		attr("stride", 1.5), attr("kernel", 0),
		attr("batch", -1), attr("padding", -1), attr("dilation", -1), attr("iterations", 0),
		attr("lambda", -0.1), attr("mu", -1),
		attr("nonnegative", 1), attr("output_padding", 0), attr("output_padding", 2), attr("kernel", 14),
		attr("step_rule", "0.9"), attr("step_rule", "lambda_max"),
		attr("step_rule", "0.9/lambda_max/lambda_max"),
		attr("step_rule", "0.9/lambda"), attr("step_rule", "0.9x/lambda_max"),
		attr("step_rule", "-1/lambda_max"),
		attr("step_rule", "0/lambda_max"), attr("step_rule", "NaN/lambda_max"),
		attr("step_rule", "Inf/lambda_max"),
		{"atoms", func(d *draft) {
			d.Attrs["atoms"] = int64(1) << 50
		}}, {"batch", func(d *draft) { d.Attrs["batch"] = int64(1) << 50 }},
		scalar("nonzeros", "many"), scalar("objective", 1), scalar("step", []float64{1}),
		input(inputs, "x"), input(inputs, "grad_z"), input(inputs, "weight_raw"), input(inputs, "v0"),
		{"inputs.v0", func(d *draft) { delete(d.Inputs, "v0") }},
		{"extra", func(d *draft) {
			d.tensors = append(d.tensors, safetensors.New("extra", []int{1}, []float64{1}))
		}},
	}
	for _, name := range []string{"weight", "z", "reconstruction", "grad_x", "grad_weight"} {
		all = append(all, lose(name), bend(name))
	}
	for _, name := range []string{"batch", "atoms", "channels", "kernel", "height", "width", "stride",
		"padding", "output_padding",
		"iterations", "lambda", "mu", "nonnegative", "unit_norm_atoms", "step_rule"} {
		all = append(all, without(name))
	}
	l := variations["stride 3"]
	refused(t, l.draft("layer/refused", 40), all)
}

func TestRefusedNetworks(t *testing.T) {
	all := []refusal{
		attr("network", "sdnet9"), {"inputs.parameters", func(d *draft) {
			d.Attrs["network"] = "resnet8_narrow"
		}}, {"attrs.dataset", func(d *draft) {
			d.Attrs["dataset"] = "mnist"
		}}, {"inputs.parameters", func(d *draft) { d.Attrs["shortcut"] = false }}, attr("variant", "?"),
		attr("optimizer", "Adam"), attr("optimizer", "SGD lr=0.1"), attr("optimizer", "SGD lr=x nesterov"),
		attr("optimizer", "SGD lr=0.1 dampening=1 nesterov"), {"attrs", func(d *draft) {
			d.Attrs["iterations"] = 0
		}},
		{"lambda -1", func(d *draft) {
			d.Attrs["lambda"] = -1
		}}, {"mu -1", func(d *draft) { d.Attrs["mu"] = -1 }},
		{"attrs.image", func(d *draft) {
			d.Attrs["image"] = 0
		}}, {"inputs.x", func(d *draft) { d.Attrs["image"] = 24 }},
		{"attrs.image", func(d *draft) {
			d.Attrs["image"] = 1 << 30
		}}, {"attrs.iterations", func(d *draft) {
			d.Attrs["iterations"] = int64(1) << 31
		}}, {"labels", func(d *draft) { d.Attrs["batch"] = 4 }},
		{"labels", func(d *draft) {
			d.Attrs["classes"] = 6
		}}, {"labels", func(d *draft) { d.Inputs["labels"] = []int{0, 1, 7} }},
		{"labels", func(d *draft) {
			delete(d.Inputs, "labels")
		}}, {"step", func(d *draft) { d.Attrs["train_steps"] = -1 }},
		{"losses", func(d *draft) {
			d.Attrs["train_steps"] = 3
		}}, {"linear.weight", func(d *draft) { d.Attrs["classes"] = 9 }},
		input(inputs, "x"), input(parameters, "layer0.0.dn.v0"), input(parameters, "linear.bias"),
		input(parameters, "unknown"),
		{"layer0.1.running_var", func(d *draft) { delete(parameters(d), "layer0.1.running_var") }},
		noScalar("losses"), noScalar("step_sizes"), noScalar("zero_fraction"),
		noScalar("lambda_max_per_step"), scalar("lambda_max_per_step", [][]float64{{1}}),
		scalar("losses", []float64{}), scalar("losses", "low"), scalar("losses", []float64{1}),
		scalar("lambda_max_per_step", [][]float64{{1}, {2}}),
		scalar("step_sizes", map[string]any{"layer0.0.dn": map[string]any{}}),
		scalar("zero_fraction", map[string]any{"layer0.0.dn": "half"}),
		scalar("zero_fraction", map[string]any{"layer9.dn": 0.5}), scalar("accuracy", 0.5),
		lose("eval_logits"), bend("eval_logits"), lose("eval_layer2"), bend("eval_layer2"),
		lose("train_logits"), bend("train_logits"),
		lose("grad/linear.bias"), bend("grad/linear.bias"), bend("after_forward/layer0.1.running_mean"),
		bend("after_2_steps/linear.bias"),
		{"inverse_1_1", func(d *draft) {
			d.tensors = append(d.tensors, safetensors.New("inverse_1_1", []int{1}, []float64{1}))
		}},
		{"after_3_steps/linear.bias", func(d *draft) {
			d.tensors = append(d.tensors, safetensors.New("after_3_steps/linear.bias", []int{1},
				[]float64{1}))
		}},
	}
	for _, name := range []string{"network", "dataset", "image", "classes", "batch", "iterations", "lambda",
		"nonnegative", "shortcut",
		"train_steps", "parameters", "optimizer"} {
		all = append(all, without(name))
	}
	refused(t, networkDraft(t, "sdnet8_all_narrow", 2), all)
}

// TestErrorsAreNotRows checks that a case whose expected numbers are not numbers fails and does not vanish.
func TestErrorsAreNotRows(t *testing.T) {
	l := variations["stride 3"]
	d := l.draft("layer/zeros", 40)
	for i, e := range d.tensors {
		d.tensors[i] = safetensors.New(e.Name, e.Shape, make([]float64, e.Len()))
	}
	rows, err := Check[float64](d.load(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if slices.ContainsFunc(d.tensors, func(e safetensors.Tensor) bool {
			return e.Name == r.Name
		}) && r.Pass {
			t.Error(fmt.Sprint("zeros expected, and yet ", r))
		}
	}
}
