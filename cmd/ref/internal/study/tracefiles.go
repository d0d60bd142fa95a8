package study

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/csc/solve"
	"sdref/internal/atomicfile"
	"sdref/tensor"
	"sdref/tensor/npy"
)

// traceFile is the name and the content of a file of a trace.
type traceFile struct {
	name    string
	content []byte
}

// write writes the numbers, the plots, the problem with the first solver's code, and the page to a folder.
func (t *trace) write(c *cli.Call, folder string) error {
	files, err := t.files()
	if err != nil {
		return err
	}
	var names []string
	for _, f := range files {
		if c.Context.Err() != nil {
			return cli.ErrInterrupted
		}
		if err := atomicfile.WriteBytes(filepath.Join(folder, f.name), f.content); err != nil {
			return err
		}
		names = append(names, f.name)
	}
	fmt.Fprintf(c.Stdout, "\nwrote to %s: %s\n\njudge the last code of solver %s by\n%s\n", folder,
		strings.Join(names, ", "), t.runs[0].name, certifyCommand(t.problem, folder))
	return nil
}

// files makes all files of the trace.
func (t *trace) files() ([]traceFile, error) {
	var table bytes.Buffer
	if err := t.csv(&table); err != nil {
		return nil, err
	}
	files := []traceFile{{"trace.csv", table.Bytes()}}
	pictures := ""
	for _, p := range []struct {
		name   string
		render func() (plot.Picture, error)
	}{{"gap", t.gapChart().Render}, {"nonzeros", t.nonzerosChart().Render}, {"codes", t.codesGrid().Render}} {
		picture, err := p.render()
		if err != nil {
			return nil, err
		}
		files = append(files, traceFile{p.name + ".png", picture.PNG},
			traceFile{p.name + ".svg", picture.SVG})
		pictures += fmt.Sprintf("\n![%s](%s.svg)\n", p.name, p.name)
	}
	shown := t.runs[0].shown
	for _, a := range []struct {
		name string
		*tensor.Tensor[float64]
	}{{"x", t.problem.X}, {"w", t.problem.A.Atoms}, {"z", shown[len(shown)-1].z}} {
		files = append(files, traceFile{a.name + ".npy",
			npy.Encode(npy.FromTensor(a.Tensor))})
	}
	page := fmt.Sprintf("# The iterates of %s\n\n```\n%s```\n%s", t.layer, t.page(), pictures)
	return append(files, traceFile{"trace.md", []byte(page)}), nil
}

// certifyCommand is the command that certifies the code z.npy of a problem x.npy, w.npy in a folder.
func certifyCommand(p *solve.Problem[float64], folder string) string {
	command := "ref certify"
	for _, name := range []string{"x", "w", "z"} {
		command += fmt.Sprintf(" -%s %s", name, cli.Quote(filepath.Join(folder, name+".npy")))
	}
	command += fmt.Sprintf(" -lambda %v -mu %v", p.Lambda, p.Mu)
	if g := p.A.Geometry; p.A.Boundary == solve.ZeroBoundary {
		command += fmt.Sprintf(" -stride %d -padding %d", max(1, g.Stride), g.Padding)
		if g.Dilation > 1 {
			command += fmt.Sprintf(" -dilation %d", g.Dilation)
		}
	} else {
		command += fmt.Sprintf(" -boundary %v", p.A.Boundary)
	}
	if p.Nonnegative {
		command += " -nonnegative"
	}
	return command
}

// csv is all records as a table.
func (t *trace) csv(w io.Writer) error {
	_, err := fmt.Fprintln(w, "solver,k,m,objective,sparsity,ridge,fidelity,"+
		"gap,relative_gap,kkt,change,nonzeros,step,restart")
	for _, p := range t.runs {
		for _, r := range p.records {
			if err == nil {
				err = traceRow(w, p.name, r)
			}
		}
	}
	return err
}

func traceRow(w io.Writer, solver string, r solve.Record) error {
	_, err := fmt.Fprintf(w, "%s,%d,%v,%v,%v,%v,%v,%v,%v,%v,%v,%d,%v,%t\n", solver, r.Iteration, r.Momentum,
		r.Objective, r.Sparsity, r.Ridge,
		r.Fidelity, r.Gap, r.RelativeGap, r.KKT, r.Change, r.Nonzeros, r.Step, r.Restart)
	return err
}
