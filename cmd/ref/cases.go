package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sdref/golden/cases"
	"sdref/golden/graph"
	"sdref/golden/judge"
	"sdref/golden/precision"
	"sdref/golden/trial"
	"sdref/tensor/npy"
)

// runCases shows the cases.
func runCases(c *call) error {
	which := choose(c)
	show := c.flags.Bool("show", false, "show all of each case: settings, inputs, nodes, bounds of profile fp32")
	export := c.flags.String("export", "", "write the cases, with expected values and bounds, into this `folder`, for use without the judge")
	if err := c.parse(casesHelp); err != nil {
		return err
	}
	cases, err := which.cases()
	if err != nil {
		return err
	}
	if *export != "" {
		return c.export(*export, cases)
	}
	for _, k := range cases {
		if *show {
			c.show(k)
		} else {
			fmt.Fprintf(c.stdout, "%-34s %-15s %4d nodes  %-28s %s\n", k.ID, k.Kind, len(k.Nodes), strings.Join(k.Flags, " "), k.Why)
		}
	}
	if !*show {
		fmt.Fprintf(c.stdout, "%d cases\n", len(cases))
	}
	return nil
}

// show prints a case.
func (c *call) show(k *graph.Case) {
	fmt.Fprintf(c.stdout, "%s: %s\n  kind %s, flags %s\n", k.ID, k.Why, k.Kind, strings.Join(k.Flags, " "))
	settings, _ := json.Marshal(k.Attrs) // a map of plain values
	fmt.Fprintf(c.stdout, "  settings %s\n", settings)
	for _, in := range k.Inputs {
		rule, _ := json.Marshal(in.Fill)
		fmt.Fprintf(c.stdout, "  input %s %s\n", in.Name, rule)
	}
	bounds := cases.Bounds(k.ID)
	for _, n := range k.Nodes {
		required := ""
		if n.Required {
			required = ", required"
		}
		fmt.Fprintf(c.stdout, "  node %s %v = %s(%s)%s", n.Name, n.Shape, n.Op, strings.Join(n.Inputs, ", "), required)
		if b, ok := bounds[n.Name][precision.FP32]; ok {
			fmt.Fprintf(c.stdout, "; bounds %.3g and %.3g units", b.Local, b.End)
		}
		fmt.Fprintln(c.stdout)
	}
}

// tolerance is what an exported tensor may differ by, for those who compare end results without the judge.
type tolerance struct {
	File      string                        `json:"file"`
	Magnitude float64                       `json:"magnitude"` // the largest in the tensor
	Absolute  map[precision.Profile]float64 `json:"absolute"`  // the largest |got - want| that honest backends need
}

// export writes cases as the protocol does, and beside them ID/expected/NAME.npy and ID/bounds.json.
func (c *call) export(dir string, cases []*graph.Case) error {
	var exams []trial.Exam
	for _, k := range cases {
		exams = append(exams, trial.Exam{ID: k.ID, Case: k, In: k.Generate()})
	}
	if err := trial.WriteExams(dir, exams); err != nil {
		return err
	}
	for _, e := range exams {
		if c.ctx.Err() != nil {
			return errInterrupted
		}
		if err := exportExpected(filepath.Join(dir, e.ID), e); err != nil {
			return fmt.Errorf("case %s: %w", e.ID, err)
		}
	}
	fmt.Fprintf(c.stdout, "%d cases in %s\n", len(cases), dir)
	return nil
}

func exportExpected(dir string, e trial.Exam) error {
	expected, err := e.Case.Evaluate(e.In)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, "expected"), 0o777); err != nil {
		return err
	}
	bounds, table := cases.Bounds(e.Case.ID), map[string]tolerance{}
	known := graph.Values{}
	for name, v := range e.In {
		known[name] = v
	}
	for i := range e.Case.Nodes {
		n := &e.Case.Nodes[i]
		v, err := e.Case.Recompute(n, known)
		if err != nil {
			return err
		}
		known[n.Name] = v.Tensor
		file := "expected/" + trial.FileName(n.Name)
		if err := npy.Write(filepath.Join(dir, filepath.FromSlash(file)), npy.Array{Shape: n.Shape, DType: "float64", Data: expected[n.Name].Data}); err != nil {
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
absolute bound for each tensor and profile, for those who compare end results themselves.`
