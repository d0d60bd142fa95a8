package judge

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/cli/clitest"
	"sdref/golden"
	"sdref/golden/cases"
	"sdref/golden/graph"
)

// All cases, with -short those of the smoke set, as ONNX models: where their files lie, what python3-onnx says of them, and what the judge says of
// ONNX Runtime, once with every node and the weights as inputs, once with the required nodes and the weights
// as constants.
func TestCasesONNX(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "models")
	chosen, which := cases.All(), []string{}
	if testing.Short() {
		chosen = slices.DeleteFunc(slices.Clone(chosen), func(c *graph.Case) bool { return !c.Has("smoke") })
		which = []string{"-flag", "smoke"}
	}
	all := len(chosen)
	r := ref.Works(t, append([]string{"cases", "-export", dir, "-format", "onnx"}, which...),
		fmt.Sprintf("%d of %d cases in %s: %d models, ONNX operator set 17", all, all, dir, 2*all))
	if strings.Contains(r.Out, "not exported") {
		t.Errorf("cases are left out:\n%s", r.Out)
	}
	for _, k := range chosen {
		required := slices.DeleteFunc(slices.Clone(k.Nodes), func(n graph.Node) bool { return !n.Required })
		for suffix, outputs := range map[string]int{"": len(k.Nodes), "_required": len(required)} {
			data := filepath.Join(dir, k.ID+suffix, "test_data_set_0")
			if files, err := filepath.Glob(filepath.Join(data, "output_*.pb")); err != nil || len(files) != outputs {
				t.Errorf("%s has %d files of outputs, want %d: %v", data, len(files), outputs, err)
			}
			if _, err := os.Stat(filepath.Join(data, "input_0.pb")); err != nil {
				t.Error(err)
			}
		}
	}
	ref.Call(t, "cases", "-export", dir, "-format", "onnx").Refused(t, dir, "not an empty folder")

	t.Run("checker", func(t *testing.T) {
		if got, want := clitest.CheckONNX(t, dir), fmt.Sprintf("%d models,", 2*all); !strings.HasPrefix(got, want) {
			t.Errorf("%s, want %s", got, want)
		}
	})
	t.Run("runtime", func(t *testing.T) {
		runtime := append([]string{"--"}, clitest.ONNXRuntime(t)...)
		command := append(which, runtime...)
		passed := fmt.Sprintf("%d cases: %[1]d PASS; PASS", all)
		judged(t, 0, append(slices.Clone(command), dir), passed)
		judged(t, 0, append(slices.Clone(command), "--required", dir), passed)
		judged(t, 0, append(append([]string{"-smoke"}, runtime...), "--plain", dir), "PASS; PASS")
	})
	t.Run("another model", func(t *testing.T) { // of the variant whose gradient is taken elsewhere from the third iteration on
		command := append([]string{"-case", "fista-4", "--"}, clitest.ONNXRuntime(t)...)
		model := filepath.Join(dir, "fista-4", "model.onnx")
		clitest.Put(t, model, []byte(clitest.Content(t, filepath.Join(dir, "fista-4-paper", "model.onnx"))))
		judged(t, 1, append(command, dir), "LOGIC       fista-4: iteration 3, synthesis")
	})
}

// What cannot be said is listed, node by node, and the rest is written.
func TestCasesONNXRefuses(t *testing.T) {
	b := graph.New("own", "own", "a case with an operator that ONNX does not have")
	x := b.Input("x", golden.Fill{Shape: []int{2, 3}, Seed: 1, Scale: 1})
	y := b.Node("relu", graph.Place{Quantity: "y"}, nil, x)
	own := *autodiff.Lookup("relu")
	own.Name = "own"
	b.Graph.Node(y).Op = &own
	z := b.Node("scale", graph.Place{Quantity: "z"}, graph.Attrs{"scale": 2}, y)
	u := b.Node("scale", graph.Place{Quantity: "u"}, graph.Attrs{"scale": 2}, x)
	b.Require(z)
	dir := t.TempDir()
	export := func(c *cli.Call) error { return exportONNX(c, dir, []*graph.Case{b.Case}) }
	clitest.Program{{Name: "cases", Run: export}}.Works(t, []string{"cases"},
		"not exported: own: node y: own cannot be said in ONNX: the table of package onnx has no row for it\n",
		"not exported: own: node z: scale cannot be said in ONNX: it depends on y\n",
		"not exported: own_required: none of its nodes can be said\n", "1 of 1 cases", "1 models")
	files, err := filepath.Glob(filepath.Join(dir, "own", "test_data_set_0", "output_*.pb"))
	if err != nil || len(files) != 1 {
		t.Errorf("outputs %q, want the one of %s; %v", files, u, err)
	}
}

func TestCasesFormat(t *testing.T) {
	ref.Call(t, "cases", "-export", t.TempDir(), "-format", "tflite").Refused(t, "-format", `"tflite"`, "npy nor onnx")
	ref.Call(t, "cases", "-format", "onnx").Refused(t, "-format onnx", "-export")
}
