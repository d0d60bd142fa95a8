package judge

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"sdref/autodiff"
	"sdref/autodiff/onnx"
	"sdref/cmd/ref/internal/cli"
	"sdref/golden/graph"
	"sdref/tensor"
)

// form is one of the ways in which a case is written as an ONNX model.
type form struct {
	suffix    string // of the folder, behind the case's name
	trace     bool   // all nodes are outputs, under their published names; otherwise the required ones
	constants bool   // the model holds the weights; otherwise they are inputs
}

var forms = []form{{"", true, false}, {"_required", false, true}}

// exportONNX writes each case as ONNX's own backend tests lie in folders, once in each form:
//
//	ID/model.onnx
//	ID/test_data_set_0/input_I.pb, output_I.pb    in the order of the model's inputs and outputs
//
// It says which nodes and cases ONNX cannot say, and why.
func exportONNX(c *cli.Call, dir string, cases []*graph.Case) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if there, err := os.ReadDir(dir); err != nil || len(there) > 0 {
		return errors.Join(err, fmt.Errorf("%s: not an empty folder", dir))
	}
	written, models := 0, 0
	for _, k := range cases {
		if c.Context.Err() != nil {
			return cli.ErrInterrupted
		}
		count, err := exportCase(c, dir, k)
		if err != nil {
			return fmt.Errorf("case %s: %w", k.ID, err)
		}
		models += count
		if count > 0 {
			written++
		}
	}
	fmt.Fprintf(c.Stdout, "%d of %d cases in %s: %d models, ONNX operator set %d, float32\n",
		written, len(cases), dir, models, onnx.Opset)
	return nil
}

// exportCase writes a case and returns the number of its models.
func exportCase(c *cli.Call, dir string, k *graph.Case) (models int, err error) {
	if k.Graph == nil {
		fmt.Fprintf(c.Stdout, "not exported: %s: the case has no graph\n", k.ID)
		return 0, nil
	}
	in := k.Generate()
	values, err := k.Evaluate(in)
	if err != nil {
		return 0, err
	}
	maps.Copy(values, in)
	refused := map[string]bool{}
	for _, r := range onnx.Refusals(k.Graph) {
		refused[r.Node] = true
		fmt.Fprintf(c.Stdout, "not exported: %s: %v\n", k.ID, r)
	}
	for _, f := range forms {
		e := onnx.Export{Name: k.ID, Doc: k.Why}
		e.Metadata = []onnx.Property{{Key: "kind", Value: k.Kind}, {Key: "flags", Value: strings.Join(k.Flags, " ")}}
		for _, n := range k.Nodes {
			if (f.trace || n.Required) && !refused[n.Name] {
				e.Outputs = append(e.Outputs, k.Graph.Node(n.Name))
			}
		}
		if e.Outputs == nil {
			fmt.Fprintf(c.Stdout, "not exported: %s%s: none of its nodes can be said\n", k.ID, f.suffix)
			continue
		}
		e.Constants = map[*autodiff.Node]*tensor.Tensor[float32]{}
		for _, input := range k.Inputs {
			n := k.Graph.Node(input.Name)
			if f.constants && isWeightInput(input.Name) {
				e.Constants[n] = tensor.Convert[float32](values[input.Name])
			} else {
				e.Inputs = append(e.Inputs, n)
			}
		}
		m, err := e.Model()
		if err != nil {
			return models, err
		}
		if err := writeTest(filepath.Join(dir, k.ID+f.suffix), m, values); err != nil {
			return models, err
		}
		models++
	}
	return models, nil
}

// isWeightInput tells the inputs of a case that a network has learned or keeps, so that a model would hold
// them: weights, the parameters and running statistics of BatchNorm, step sizes. A power iteration's start,
// class labels, signals, velocities and gradients are none.
func isWeightInput(name string) bool {
	if strings.HasPrefix(name, "velocity/") || strings.HasPrefix(name, "grad/") {
		return false
	}
	switch name[strings.LastIndex(name, ".")+1:] {
	case "w", "weight", "bias", "running_mean", "running_var", "step":
		return true
	}
	return false
}

// writeTest writes a model, and the values of its inputs and outputs, into a folder.
func writeTest(dir string, m *onnx.Model, values graph.Values) error {
	data := filepath.Join(dir, "test_data_set_0")
	if err := os.MkdirAll(data, 0o777); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "model.onnx"), m.Encode(), 0o666); err != nil {
		return err
	}
	for what, list := range map[string][]onnx.Value{"input": m.Inputs, "output": m.Outputs} {
		for i, v := range list {
			t := onnx.Tensor{Name: v.Name, Shape: v.Shape}
			if v.Type == onnx.Int64 {
				for _, label := range values[v.Name].Data {
					t.Ints = append(t.Ints, int64(label))
				}
			} else {
				t.Floats = tensor.Convert[float32](values[v.Name]).Data
			}
			file := filepath.Join(data, fmt.Sprintf("%s_%d.pb", what, i))
			if err := os.WriteFile(file, t.Encode(), 0o666); err != nil {
				return err
			}
		}
	}
	return nil
}
