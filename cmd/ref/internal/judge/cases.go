package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/trial"
	"sdref/tensor/npy"
)

// Cases shows the cases.
func Cases(c *cli.Call) error {
	which := addSelection(c)
	show := c.Flags.Bool("show", false,
		"show all of each case: settings, inputs, nodes, bounds of profile fp32")
	export := c.Flags.String("export", "",
		"write the cases, with expected values and bounds, into this `folder`, for use without the judge")
	format := c.Flags.String("format", "npy",
		"how -export writes them: npy, as the judge does, or onnx, models with inputs and outputs")
	if err := parse(c, casesHelp); err != nil {
		return err
	}
	cases, err := which.cases()
	if err != nil {
		return err
	}
	write, known := map[string]func(*cli.Call, string, []*graph.Case) error{"npy": exportCases, "onnx": exportONNX}[*format]
	switch {
	case !known:
		return fmt.Errorf("-format: %q is neither npy nor onnx", *format)
	case *export != "":
		return write(c, *export, cases)
	case *format != "npy":
		return fmt.Errorf("-format %s needs -export FOLDER", *format)
	}
	for _, k := range cases {
		if *show {
			showCase(c, k)
		} else {
			fmt.Fprintf(c.Stdout, "%-34s %-15s %4d nodes  %-28s %s\n", k.ID, k.Kind, len(k.Nodes),
				strings.Join(k.Flags, " "), k.Why)
		}
	}
	if !*show {
		fmt.Fprintf(c.Stdout, "%d cases\n", len(cases))
	}
	return nil
}

// showCase prints a case.
func showCase(c *cli.Call, k *graph.Case) {
	fmt.Fprintf(c.Stdout, "%s: %s\n  kind %s, flags %s\n", k.ID, k.Why, k.Kind, strings.Join(k.Flags, " "))
	settings, _ := json.Marshal(k.Attrs) // a map of plain values
	fmt.Fprintf(c.Stdout, "  settings %s\n", settings)
	for _, in := range k.Inputs {
		rule, _ := json.Marshal(in.Fill)
		fmt.Fprintf(c.Stdout, "  input %s %s\n", in.Name, rule)
	}
	bounds := cases.Bounds(k.ID)
	for _, n := range k.Nodes {
		required := ""
		if n.Required {
			required = ", required"
		}
		fmt.Fprintf(c.Stdout, "  node %s %v = %s(%s)%s", n.Name, n.Shape, n.Op, strings.Join(n.Inputs, ", "),
			required)
		if b, ok := bounds[n.Name][precision.FP32]; ok {
			fmt.Fprintf(c.Stdout, "; bounds %.3g and %.3g units", b.Local, b.End)
		}
		fmt.Fprintln(c.Stdout)
	}
}

// tolerance is what an exported tensor may differ by, for those who compare end results without the judge.
type tolerance struct {
	File      string  `json:"file"`
	Magnitude float64 `json:"magnitude"` // the largest in the tensor
	// the largest |got - want| that honest backends need
	Absolute map[precision.Profile]float64 `json:"absolute"`
}

// exportCases writes cases as the protocol does, and beside them ID/expected/NAME.npy and ID/bounds.json.
func exportCases(c *cli.Call, dir string, cases []*graph.Case) error {
	var requests []trial.Request
	for _, k := range cases {
		requests = append(requests, trial.Request{ID: k.ID, Case: k, In: k.Generate()})
	}
	if err := trial.WriteRequests(dir, requests); err != nil {
		return err
	}
	for _, e := range requests {
		if c.Context.Err() != nil {
			return cli.ErrInterrupted
		}
		if err := exportExpected(filepath.Join(dir, e.ID), e); err != nil {
			return fmt.Errorf("case %s: %w", e.ID, err)
		}
	}
	fmt.Fprintf(c.Stdout, "%d cases in %s\n", len(cases), dir)
	return nil
}

func exportExpected(dir string, e trial.Request) error {
	expected, err := e.Case.Evaluate(e.In)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "expected"), 0o777); err != nil {
		return err
	}
	bounds, table := cases.Bounds(e.Case.ID), map[string]tolerance{}
	known := graph.Values{}
	maps.Copy(known, e.In)
	for i := range e.Case.Nodes {
		n := &e.Case.Nodes[i]
		v, err := e.Case.Recompute(n, known)
		if err != nil {
			return err
		}
		known[n.Name] = v.Tensor
		file := "expected/" + trial.FileName(n.Name)
		if err := npy.Write(filepath.Join(dir, filepath.FromSlash(file)),
			npy.Array{Shape: n.Shape, DType: "float64", Data: expected[n.Name].Data}); err != nil {
			return err
		}
		t := tolerance{File: file, Absolute: map[precision.Profile]float64{}}
		for p, b := range bounds[n.Name] {
			t.Magnitude, t.Absolute[p] = judge.EndToEnd(n, known, v, p, b)
		}
		table[n.Name] = t
	}
	text, err := json.MarshalIndent(table, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "bounds.json"), append(text, '\n'), 0o666)
}

const casesHelp = `ref cases lists the cases that ref judge judges by: name, kind, number of nodes, flags, and why the
case exists. EXACT cases come out the same in any order of summation; REAL ones show the precision.
-show prints all of a case; -export writes cases with their expected values, in float64, and an
absolute bound for each tensor and profile, for those who compare end results themselves.

-export with -format onnx writes each case as two ONNX models in the layout of ONNX's own backend
tests, ID/model.onnx and ID/test_data_set_0: ID has all nodes as outputs and the weights as inputs,
ID_required only the required outputs, and the weights as constants. docs/onnx.md says more.`
