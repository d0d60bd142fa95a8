package judge

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/golden"
	"sdref/tensor/safetensors"
)

// object is a JSON object.
type object = map[string]any

// The sizes and settings of a case that can be computed by hand: one atom w of 1 x 1 pixel, so that A* is the
// inner product with w in each pixel, A*A = |w|^2 = 1, and one iteration is all there is.
const (
	batch, channels, height, width = 2, 3, 4, 5
	lambda, mu, stepSize           = 0.125, 0.5, 0.9
)

// fill is a fill rule as a case states it, and its values.
func fill(seed int, shape ...int) (object, []float64) {
	f := golden.Fill{Shape: shape, Seed: uint64(seed), Scale: 1}
	return object{"shape": shape, "seed": seed, "scale": 1}, f.Values()
}

// byHand is the case: its JSON, and its tensors in order.
func byHand(name string) (object, []safetensors.Tensor) {
	const pixels = height * width
	fillX, x := fill(1, batch, channels, height, width)
	fillW, w := fill(2, 1, channels, 1, 1)
	fillV, _ := fill(3, 1, 1, height, width)
	fillZ, gradZ := fill(4, batch, 1, height, width)
	norm := math.Sqrt(w[0]*w[0] + w[1]*w[1] + w[2]*w[2])
	for c := range w {
		w[c] /= norm
	}
	z, rec, gradX, gradW := make([]float64, batch*pixels), make([]float64, len(x)), make([]float64, len(x)),
		make([]float64, channels)
	penalty, squares, nonzeros := 0.0, 0.0, 0
	for i := range z {
		at := func(c int) int { return (i/pixels*channels+c)*pixels + i%pixels }
		inner := 0.0
		for c := range channels {
			inner += w[c] * x[at(c)]
		}
		if z[i] = max(0, (stepSize*inner-lambda*stepSize)/(1+mu*stepSize)); z[i] > 0 {
			nonzeros++
			for c := range channels {
				gradX[at(c)] = stepSize * w[c] * gradZ[i] / (1 + mu*stepSize)
				gradW[c] += stepSize * x[at(c)] * gradZ[i] / (1 + mu*stepSize)
			}
		}
		penalty += lambda*z[i] + mu/2*z[i]*z[i]
		for c := range channels {
			rec[at(c)] = w[c] * z[i]
			squares += (x[at(c)] - rec[at(c)]) * (x[at(c)] - rec[at(c)])
		}
	}
	return object{
			"name": name, "kind": "csc_layer",
			"attrs": object{"batch": batch, "atoms": 1, "channels": channels, "kernel": 1, "height": height,
				"width": width, "stride": 1, "padding": 0,
				"output_padding": 0, "iterations": 1, "lambda": lambda, "mu": mu, "nonnegative": true,
				"unit_norm_atoms": true, "step_rule": "0.9/lambda_max"},
			"inputs": object{"x": fillX, "weight_raw": fillW, "v0": fillV, "grad_z": fillZ},
			"scalars": object{"lambda_max": 1, "step": stepSize, "penalty": penalty,
				"reconstruction_sum_of_squares": squares,
				// the first finds the eigenvector, the second that it stays
				"power_iterations": 2,
				"nonzeros":         nonzeros},
		}, []safetensors.Tensor{
			safetensors.New("weight", []int{1, channels, 1, 1}, w),
			safetensors.New("z", []int{batch, 1, height, width}, z),
			safetensors.New("reconstruction", []int{batch, channels, height, width}, rec),
			safetensors.New("grad_x", []int{batch, channels, height, width}, gradX),
			safetensors.New("grad_weight", []int{1, channels, 1, 1}, gradW),
		}
}

// writeCase writes the case into a folder, changed by change.
func writeCase(t *testing.T, folder, name string,
	change func(o object, tensors map[string]safetensors.Tensor)) string {
	t.Helper()
	o, tensors := byHand(name)
	byName := map[string]safetensors.Tensor{}
	for _, t := range tensors {
		byName[t.Name] = t
	}
	if change != nil {
		change(o, byName)
	}
	path := filepath.Join(folder, name+".json")
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	clitest.Put(t, path, text)
	f := &safetensors.File{}
	for _, t := range tensors {
		if changed, ok := byName[t.Name]; ok {
			f.Tensors = append(f.Tensors, changed)
		}
	}
	if err := safetensors.Write(strings.TrimSuffix(path, ".json")+".safetensors", f); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckPasses(t *testing.T) {
	folder := t.TempDir()
	clitest.Mkdir(t, filepath.Join(folder, "below"))
	writeCase(t, folder, "first", nil)
	writeCase(t, filepath.Join(folder, "below"), "second", nil)
	for _, typ := range []string{"float64", "float32"} {
		r := ref.Works(t, []string{"check", "-vectors", folder, "-type", typ}, ", "+typ+"\n",
			"pass first weight:", "pass second grad_weight:", "pass first power_iterations:",
			"2 cases, 22 tensors and scalars: 22 passed, 0 failed")
		if strings.Contains(r.Out, "FAIL") || r.Err != "" {
			t.Errorf("%s: %s%s", typ, r.Out, r.Err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if r := ref.CallWith(t, ctx, nil, "check", "-vectors", folder); r.Status != cli.ExitInterrupted ||
		r.Err != "" {
		t.Errorf("cancelled: status %d, %q", r.Status, r.Err)
	}
}

// Every tensor and every scalar counts: one that is off by 1e-6 fails.
func TestCheckFails(t *testing.T) {
	for _, name := range []string{"weight", "z", "reconstruction", "grad_x", "grad_weight"} {
		plant(t, name, func(o object, tensors map[string]safetensors.Tensor) {
			values, err := safetensors.Values[float64](tensors[name])
			if err != nil {
				t.Fatal(err)
			}
			for i := range values {
				values[i] *= 1 + 1e-6
			}
		})
	}
	plant(t, "z", func(_ object, tensors map[string]safetensors.Tensor) {
		values, _ := safetensors.Values[float64](tensors["z"])
		values[7] = math.NaN()
	})
	for _, name := range []string{"lambda_max", "step", "penalty", "reconstruction_sum_of_squares"} {
		plant(t, name, func(o object, _ map[string]safetensors.Tensor) {
			switch v := o["scalars"].(object)[name].(type) {
			case int:
				o["scalars"].(object)[name] = float64(v) * (1 + 1e-6)
			case float64:
				o["scalars"].(object)[name] = v * (1 + 1e-6)
			}
		})
	}
	for _, name := range []string{"power_iterations", "nonzeros"} {
		plant(t, name, func(o object, _ map[string]safetensors.Tensor) {
			o["scalars"].(object)[name] = o["scalars"].(object)[name].(int) + 1
		})
	}
}

// plant checks a case with one mistake in it, beside a good one.
func plant(t *testing.T, name string, change func(object, map[string]safetensors.Tensor)) {
	t.Helper()
	folder := t.TempDir()
	writeCase(t, folder, "good", nil)
	writeCase(t, folder, "bad", change)
	r := ref.Call(t, "check", "-vectors", folder)
	if r.Status != cli.ExitFailed || r.Err != "" {
		t.Errorf("%s: status %d, want 1; %q", name, r.Status, r.Err)
	}
	r.Says(t, "FAIL bad "+name+":", "pass good "+name+":", "22 tensors and scalars: 21 passed, 1 failed")
}

// Cases that cannot be computed name their file and what in it is wrong.
func TestCheckRefuses(t *testing.T) {
	attr := func(name string, value any) func(object, map[string]safetensors.Tensor) {
		return func(o object, _ map[string]safetensors.Tensor) { o["attrs"].(object)[name] = value }
	}
	for _, c := range []struct {
		change func(object, map[string]safetensors.Tensor)
		says   []string
	}{
		{func(_ object, t map[string]safetensors.Tensor) {
			delete(t, "z")
		}, []string{"case.safetensors", `no tensor "z"`}},
		{func(_ object, t map[string]safetensors.Tensor) {
			t["weight"] = safetensors.New("weight", []int{channels, 1, 1, 1}, make([]float64, channels))
		}, []string{"case.safetensors", `"weight"`, "[3 1 1 1]", "[1 3 1 1]"}},
		{func(o object, _ map[string]safetensors.Tensor) {
			o["kind"] = "csc_tower"
		}, []string{"case.json", "kind", `"csc_tower"`}},
		{func(o object, _ map[string]safetensors.Tensor) {
			delete(o, "kind")
		}, []string{"case.json", "kind", "missing"}},
		{func(o object, _ map[string]safetensors.Tensor) {
			o["scalars"].(object)["luck"] = 7
		}, []string{"case.json", "luck"}},
		{func(o object, _ map[string]safetensors.Tensor) {
			o["scalars"].(object)["step"] = "0.9"
		}, []string{"case.json", "scalars.step"}},
		{func(o object, _ map[string]safetensors.Tensor) {
			delete(o["attrs"].(object), "lambda")
		}, []string{"case.json", "attrs.lambda", "missing"}},
		{func(o object, _ map[string]safetensors.Tensor) {
			delete(o["inputs"].(object), "v0")
		}, []string{"case.json", "inputs.v0", "missing"}},
		{attr("stride", 0), []string{"case.json", "attrs", "stride"}},
		{attr("stride", "one"), []string{"case.json", "attrs.stride"}},
		{attr("kernel", 9), []string{"case.json", "attrs", "kernel"}},
		{attr("lambda", -1), []string{"case.json", "attrs", "lambda"}},
		{attr("variant", "best"), []string{"case", "variant", `"best"`}},
		{attr("step_rule", "quick"), []string{"case.json", "attrs.step_rule", `"quick"`}},
		{attr("output_padding", 1), []string{"case.json", "attrs.output_padding"}},
		{attr("height", 5), []string{"case.json", "inputs.", "shape"}},
	} {
		folder := t.TempDir()
		writeCase(t, folder, "case", c.change)
		ref.Call(t, "check", "-vectors", folder).Refused(t, c.says...)
	}
}

func TestCheckRefusesFolders(t *testing.T) {
	folder := t.TempDir()
	ref.Call(t, "check", "-vectors", folder).Refused(t, folder, "no case")
	ref.Call(t, "check", "-vectors", filepath.Join(folder, "absent")).Refused(t, "absent")
	path := writeCase(t, folder, "case", nil)
	ref.Call(t, "check", "-vectors", path).Refused(t, path)
	clitest.Put(t, filepath.Join(folder, "half.json"), []byte("{}"))
	ref.Call(t, "check", "-vectors", folder).Refused(t, "half.json", "half.safetensors")
	clitest.Put(t, filepath.Join(folder, "half.safetensors"), []byte("no\nheader\n"))
	ref.Call(t, "check", "-vectors", folder).Refused(t, "half.json", "name")
	clitest.Put(t, filepath.Join(folder, "half.json"), []byte("{\n\n"))
	ref.Call(t, "check", "-vectors", folder).Refused(t, "half.json", "JSON")
	if err := os.Rename(filepath.Join(folder, "case.safetensors"),
		filepath.Join(folder, "half.safetensors")); err != nil {
		t.Fatal(err)
	}
	ref.Call(t, "check", "-vectors", folder).Refused(t, "case.json", "case.safetensors")
}
