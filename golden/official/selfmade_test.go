package official

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sdref/golden"
	"sdref/tensor/safetensors"
)

// draft is a case before it is written.
type draft struct {
	Name    string         `json:"name"`
	Kind    string         `json:"kind"`
	Attrs   map[string]any `json:"attrs"`
	Inputs  map[string]any `json:"inputs"`
	Scalars map[string]any `json:"scalars"`
	tensors []safetensors.Tensor
}

// load writes the case to a new folder and reads it again.
func (d *draft) load(t *testing.T) *golden.Case {
	t.Helper()
	path := filepath.Join(t.TempDir(), "case")
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".json", text, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := safetensors.Write(path+".safetensors", &safetensors.File{Tensors: d.tensors}); err != nil {
		t.Fatal(err)
	}
	c, err := golden.Load(path + ".json")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clone returns a copy whose tables can be changed.
func (d *draft) clone(t *testing.T) *draft {
	t.Helper()
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	c := &draft{tensors: slices.Clone(d.tensors)}
	if err := json.Unmarshal(text, c); err != nil {
		t.Fatal(err)
	}
	return c
}

func fillJSON(f golden.Fill) map[string]any {
	return map[string]any{"shape": f.Shape, "seed": f.Seed, "scale": f.Scale, "offset": f.Offset}
}

// draft computes the layer's case.
func (l *plainLayer) draft(name string, seed uint64) *draft {
	fills := l.fills(seed)
	d := &draft{Name: name, Kind: "csc_layer", Inputs: map[string]any{}, Attrs: map[string]any{
		"batch": l.batch, "atoms": l.atoms, "channels": l.channels, "kernel": l.kernel, "height": l.height,
		"width":  l.width,
		"stride": l.stride, "padding": l.padding, "output_padding": l.outputPadding,
		"iterations": l.iterations, "lambda": l.lambda,
		"mu": l.mu, "nonnegative": l.nonnegative, "unit_norm_atoms": l.unitNorm,
		"step_rule": fmt.Sprintf("%g/lambda_max", l.share),
	}}
	if l.dilation > 1 {
		d.Attrs["dilation"] = l.dilation
	}
	if l.gradientAtExtrapolation {
		d.Attrs["variant"] = "paper"
	}
	for input, f := range fills {
		d.Inputs[input] = fillJSON(f)
	}
	l.w, l.v = fills["weight_raw"].Values(), fills["v0"].Values()
	x := fills["x"].Values()
	l.prepare()
	all := l.solve(x)
	z := all[l.iterations].z
	reconstruction := l.synthesis(z)
	dx, dw := l.gradients(all, fills["grad_z"].Values())
	d.tensors = []safetensors.Tensor{
		safetensors.New("weight", fills["weight_raw"].Shape, l.w),
		safetensors.New("z", fills["grad_z"].Shape, z),
		safetensors.New("reconstruction", fills["x"].Shape, reconstruction),
		safetensors.New("grad_x", fills["x"].Shape, dx),
		safetensors.New("grad_weight", fills["weight_raw"].Shape, dw),
	}
	absolute, nonzeros := 0.0, 0
	for _, v := range z {
		absolute += math.Abs(v)
		if v != 0 {
			nonzeros++
		}
	}
	d.Scalars = map[string]any{
		"lambda_max": l.value, "step": l.step, "power_iterations": l.rounds, "nonzeros": nonzeros,
		"penalty":                       l.lambda*absolute + l.mu/2*squares(z),
		"reconstruction_sum_of_squares": squares(minus(x, reconstruction)),
	}
	return d
}

// variations are layers that no official case has: other strides, kernels, dilations, iterations, rules.
var variations = map[string]plainLayer{
	"stride 3": {batch: 2, atoms: 5, channels: 3, kernel: 3, height: 11, width: 8, stride: 3, padding: 1,
		outputPadding: 1, dilation: 1,
		iterations: 2, lambda: 0.1, share: 0.9, nonnegative: true, unitNorm: true},
	"kernel 1, elastic net": {batch: 3, atoms: 4, channels: 6, kernel: 1, height: 5, width: 7, stride: 1,
		dilation:   1,
		iterations: 5, lambda: 0.05, mu: 0.3, share: 0.9, unitNorm: true},
	"dilation": {batch: 2, atoms: 3, channels: 2, kernel: 3, height: 9, width: 7, stride: 1, padding: 2,
		dilation:   2,
		iterations: 3, lambda: 0.1, share: 0.9, nonnegative: true, unitNorm: true},
	"dilation and stride": {batch: 1, atoms: 3, channels: 2, kernel: 3, height: 9, width: 11, stride: 2,
		padding: 2, dilation: 2,
		iterations: 4, lambda: 0.02, mu: 0.1, share: 0.7, unitNorm: true},
	"five iterations, paper": {batch: 2, atoms: 7, channels: 3, kernel: 5, height: 7, width: 9, stride: 1,
		padding: 2, dilation: 1,
		iterations: 5, lambda: 0.1, mu: 0.05, share: 0.9, nonnegative: true, unitNorm: true,
		gradientAtExtrapolation: true},
	"five iterations, published": {batch: 2, atoms: 7, channels: 3, kernel: 5, height: 7, width: 9, stride: 1,
		padding: 2, dilation: 1,
		iterations: 5, lambda: 0.1, mu: 0.05, share: 0.9, nonnegative: true, unitNorm: true},
	"raw atoms, half a step": {batch: 2, atoms: 4, channels: 3, kernel: 2, height: 8, width: 6, stride: 2,
		dilation:   1,
		iterations: 2, lambda: 0.01, share: 0.5, nonnegative: true},
	"no penalty, no padding": {batch: 1, atoms: 2, channels: 3, kernel: 4, height: 5, width: 6, stride: 1,
		dilation:   1,
		iterations: 3, share: 1, unitNorm: true},
	"one channel, one atom, one image": {batch: 1, atoms: 1, channels: 1, kernel: 3, height: 5, width: 5,
		stride: 1, padding: 1, dilation: 1,
		iterations: 1, lambda: 0.1, share: 0.9, nonnegative: true, unitNorm: true},
}

func TestLayersOfEveryKind(t *testing.T) {
	for name, l := range variations {
		c := l.draft(name, 40).load(t)
		for precision, check := range checks {
			rows := passing(t, precision, c, check)
			covers(t, c, rows, []string{"weight", "z", "reconstruction", "grad_x", "grad_weight",
				"lambda_max", "step",
				"power_iterations", "nonzeros", "penalty", "reconstruction_sum_of_squares"})
		}
	}
}
