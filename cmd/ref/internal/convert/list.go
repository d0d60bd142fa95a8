package convert

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/sdnet"
	"sdref/sdnet/statedict"
)

// listTensors shows what a file holds.
func listTensors(out io.Writer, d *statedict.Dict) error {
	fmt.Fprintf(out, "%s: %s, %d tensors, %d numbers and strings, %d objects that are not read\n\n",
		d.Path, d.Format, len(d.Entries), len(d.Scalars), len(d.Objects))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range d.Entries {
		fmt.Fprintf(w, "%s\t%s\t%s\n", printable(e.Name), e.Type, sides(e.Shape))
	}
	for _, s := range d.Scalars {
		fmt.Fprintf(w, "%s\t%T\t= %s\n", printable(s.Name), s.Value, printable(fmt.Sprint(s.Value)))
	}
	for _, o := range d.Objects {
		fmt.Fprintf(w, "%s\tnot read\t%s\n", printable(o.Name), printable(o.What))
	}
	if d.Settings != nil {
		fmt.Fprintf(w, "settings\tof ref export\t%s\n", printable(d.Settings.String()))
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

// sayImages tells which images the network is taken to be made for: a size that nothing says is the data set's.
func sayImages(out io.Writer, s sdnet.Spec, size int, recalled bool) {
	why := fmt.Sprintf("the size is that of %s, -size says another", s.Data.Name)
	if recalled {
		why = "as ref export wrote it down"
	} else if size != 0 {
		why = "the size by -size"
	}
	shape := s.Data.Shape()
	fmt.Fprintf(out, "for images of %d x %d, and %d classes: %s\n", shape[1], shape[2], s.Data.Classes, why)
}

// hint tells how to go on where all that keeps a file from fitting is more than the network needs.
func hint(m statedict.Match) string {
	for _, d := range m.Differences {
		if d.Problem() != "extra" {
			return ""
		}
	}
	return fmt.Sprintf("; -ignore %s leaves the extra ones aside, the first here", cli.Quote(m.Differences[0].Name))
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
