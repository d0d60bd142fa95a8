// Package convert is the conversation about files of other programs: weights that come in, and weights that go out.
//
// It is for users who have weights of PyTorch, or want them. It does not know the bytes of these files.
package convert

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet/statedict"
	"sdref/sdnet/training"
	"sdref/tensor"
	"sdref/tensor/safetensors"
)

const importHelp = `ref import makes a checkpoint from weights of another program: a file of PyTorch's torch.save (.pth,
.pth.tar, .pt, also from before 1.6), such as the authors' checkpoints, or a safetensors file.
Nothing in the file is run: what is more than tensors, numbers and strings is refused by its name.

Each tensor of the network is looked up by its published name and must have its shape; -list shows
what a file holds. Step sizes and power-iteration vectors that it lacks are computed. The
optimiser's state is not taken over, so that the checkpoint can be evaluated but not resumed.`

// importFlags are the flags of ref import.
type importFlags struct {
	from, out, typ string
	list           bool
	query          statedict.Query
	config         training.Config
}

// Import makes a checkpoint from weights of another program.
func Import(c *cli.Call) error {
	f := importFlags{config: training.Published()}
	c.Flags.StringVar(&f.from, "from", "", "the `file` to read")
	c.Flags.StringVar(&f.out, "out", "", "the checkpoint to write, a safetensors `file`")
	c.Flags.BoolVar(&f.list, "list", false, "list what the file holds, and write nothing")
	c.Flags.StringVar(&f.query.Network, "net", "", "the `network` (default: the one whose names and shapes the file has): "+cli.NetworkNames())
	c.Flags.StringVar(&f.query.Data, "data", "", "the data `set` that it is made for (default: likewise): "+cli.DataNames())
	c.Flags.IntVar(&f.query.Classes, "classes", 0, "`number` of classes, if it is not the data set's")
	c.Flags.StringVar(&f.query.Prefix, "prefix", "", "what stands before the `names`, such as state_dict. (default: found)")
	c.Flags.StringVar(&f.typ, "type", "", "float32 or float64 (default: float64 if the file has weights of it)")
	c.Flags.Float64Var(&f.config.Lambda, "lambda", f.config.Lambda, "weight of |z|_1 in the CSC layers, which files do not say")
	c.Flags.Float64Var(&f.config.Mu, "mu", f.config.Mu, "weight of |z|^2/2 in the CSC layers, likewise")
	c.Flags.IntVar(&f.config.Iterations, "iterations", f.config.Iterations, "FISTA iterations of each CSC layer, likewise")
	c.Flags.StringVar(&f.config.Variant, "variant", f.config.Variant, "FISTA's gradient from the third iteration on, likewise: published or paper")
	if err := c.Parse(importHelp); err != nil {
		return err
	}
	switch {
	case f.from == "":
		return errors.New("-from is missing (see ref import -help)")
	case f.out == "" && !f.list:
		return errors.New("-out is missing, or -list (see ref import -help)")
	}
	if f.typ != "" {
		if err := cli.CheckType(f.typ); err != nil {
			return err
		}
	}
	d, err := statedict.Open(f.from)
	if err != nil {
		return err
	}
	if f.list {
		return listTensors(c.Stdout, d)
	}
	if own, err := safetensors.Read(f.from); err == nil {
		if _, _, err := training.ReadConfig(own); err == nil {
			return fmt.Errorf("-from: %s is a checkpoint of this program already", f.from)
		}
	}
	return importWeights(c, f, d)
}

// listTensors shows what a file holds.
func listTensors(out io.Writer, d *statedict.Dict) error {
	fmt.Fprintf(out, "%s: %s, %d tensors, %d numbers and strings\n\n", d.Path, d.Format, len(d.Entries), len(d.Scalars))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range d.Entries {
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(e.Name), e.Type, sides(e.Shape))
	}
	for _, s := range d.Scalars {
		fmt.Fprintf(w, "%s\t%T\t= %s\n", printable(s.Name), s.Value, printable(fmt.Sprint(s.Value)))
	}
	return w.Flush()
}

// printable is a text of a foreign file as a terminal can bear it, on one line.
func printable(text string) string {
	if q := fmt.Sprintf("%.200q", text); q != `"`+text+`"` {
		return q
	}
	return text
}

// sides is a shape such as 64 x 3 x 3 x 3.
func sides(shape []int) string {
	if len(shape) == 0 {
		return "scalar"
	}
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(shape), "[]")), " x ")
}

// importWeights finds the network in the file, fills it and writes the checkpoint.
func importWeights(c *cli.Call, f importFlags, d *statedict.Dict) error {
	m, err := d.Find(f.query)
	if err != nil {
		return err
	}
	where := "without a prefix"
	if m.Prefix != "" {
		where = fmt.Sprintf("behind %q", printable(m.Prefix))
	}
	fmt.Fprintf(c.Stdout, "%s: %s, %d tensors\n%s for %s, by its names %s\n", d.Path, d.Format, len(d.Entries), m.Spec.Name, m.Spec.Data.Name, where)
	if !m.Fits() {
		if err := listDifferences(c.Stdout, m); err != nil {
			return err
		}
		return fmt.Errorf("%s does not fit %s for %s: %s", d.Path, m.Spec.Name, m.Spec.Data.Name, m.Summary())
	}
	fmt.Fprintf(c.Stdout, "every tensor is there: %s; left aside: %d of no use to it, %d elsewhere in the file\n", countTypes(m.Types()), len(m.Unused), m.Elsewhere)
	f.config.Network, f.config.Data, f.config.Classes, f.config.Type = m.Spec.Name, m.Spec.Data.Name, f.query.Classes, m.Type()
	if f.typ != "" {
		f.config.Type = f.typ
	}
	f.config.Images = 1 // how many there were is not known
	if err := f.config.Check(); err != nil {
		return err
	}
	if m.Spec, err = f.config.Spec(); err != nil {
		return err
	}
	return cli.ByType(f.config.Type, importAs[float32], importAs[float64])(c, f, m)
}

// listDifferences shows what keeps a file from fitting.
func listDifferences(out io.Writer, m statedict.Match) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\ntensor\tproblem\tnetwork\tfile")
	shape := func(s []int) string {
		if s == nil {
			return "-"
		}
		return sides(s)
	}
	for _, d := range m.Differences {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", printable(d.Name), d.Problem(), shape(d.Want), shape(d.Have))
	}
	fmt.Fprintln(w)
	return w.Flush()
}

// countTypes is a text such as "62 float32, 1 float64".
func countTypes(types map[string]int) string {
	var list []string
	for _, name := range slices.Sorted(maps.Keys(types)) {
		list = append(list, fmt.Sprintf("%d %s", types[name], name))
	}
	return strings.Join(list, ", ")
}

func importAs[T tensor.Float](c *cli.Call, f importFlags, m statedict.Match) error {
	net, err := statedict.Fill[T](m)
	if err != nil {
		return fmt.Errorf("%s: %w", f.from, err)
	}
	p := cli.NewProgress(c.Stderr, 0)
	computed := statedict.Complete(net, m, func(done float64) bool {
		p.Show(done, fmt.Sprintf("power iteration, %.0f %% of the layers", 100*done))
		return c.Context.Err() == nil
	})
	p.End()
	if c.Context.Err() != nil {
		return cli.ErrInterrupted // nothing was written
	}
	sayComputed(c.Stdout, computed)
	sum, err := fileSum(f.from)
	if err != nil {
		return err
	}
	source := fmt.Sprintf("imported from %s, SHA-256 %s", filepath.Base(f.from), sum)
	checkpoint, err := training.Weights(net, f.config, m.Batches(), source)
	if err != nil {
		return err
	}
	if err := safetensors.Write(f.out, checkpoint); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "checkpoint: %s, %s, lambda %g, %d iterations, state %s\n", f.out, f.config.Type, f.config.Lambda, f.config.Iterations, net.Digest())
	return nil
}

// sayComputed tells what power iteration gave. In training the step size is found before the last change of the weights, and by
// another number of rounds, so that the file's and the computed one differ somewhat.
func sayComputed(out io.Writer, list []statedict.Computed) {
	for _, l := range list {
		text := "which the file lacks too"
		if l.FileStep != 0 {
			text = fmt.Sprintf("the file's, which is kept, is %.6g", l.FileStep)
		}
		fmt.Fprintf(out, "computed: power-iteration vector of %s, %d rounds; step size %.6g, %s\n", l.Layer, l.Rounds, l.Step, text)
	}
}

// fileSum is the SHA-256 of a file.
func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
