package cases

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"sdref/golden/graph"
	"sdref/tensor"
)

// groups are the columns of the table of coverage: kinds of cases.
var groups = []struct {
	name  string
	kinds []string
}{
	{"convolutions", []string{"conv_forward", "conv_transpose", "conv_filter"}},
	{"FISTA, layers", []string{"fista", "csc_layer"}},
	{"power iteration", []string{"power_iteration"}},
	{"BatchNorm", []string{"batchnorm"}},
	{"blocks, networks, steps", []string{"block", "network", "training_step"}},
}

// coordinate is a row of the table: what it is called, and its values in a case.
type coordinate struct {
	name   string
	values func(c *graph.Case) []string
}

// coordinates are what a backend's code may depend on.
var coordinates = []coordinate{
	{"images", ofSignals(0)},
	{"channels", ofSignals(1)},
	{"atoms", ofKernels(func(w []int) string { return fmt.Sprint(w[0]) })},
	{"rows", ofSignals(2)},
	{"columns", ofSignals(3)},
	{"kernel", ofKernels(func(w []int) string { return fmt.Sprintf("%dx%d", w[2], w[3]) })},
	{"stride, dilation, padding", func(c *graph.Case) (list []string) {
		for i := range c.Nodes {
			if n := &c.Nodes[i]; n.Op == "analysis" || n.Op == "synthesis" || n.Op == "filter" {
				g := n.Geometry()
				list = append(list, fmt.Sprintf("%d/%d/%d", max(1, g.Stride), max(1, g.Dilation), g.Padding))
			}
		}
		return list
	}},
	{"elements of an activation", func(c *graph.Case) []string {
		largest := 0
		for i := range c.Nodes {
			n := &c.Nodes[i]
			switch n.Op {
			case "filter":
				largest = max(largest, tensor.Size(c.Shape(n.Inputs[0])), tensor.Size(c.Shape(n.Inputs[1])))
			case "analysis", "synthesis", "batchnorm":
				largest = max(largest, tensor.Size(c.Shape(n.Inputs[0])), tensor.Size(n.Shape))
			}
		}
		bits := 0
		for largest>>bits > 1 {
			bits++
		}
		if largest == 0 {
			return nil
		}
		return []string{fmt.Sprintf("2^%d", bits)}
	}},
	{"iterations", setting("iterations")},
	{"rounds", setting("rounds")},
}

// setting is a setting of a case.
func setting(name string) func(*graph.Case) []string {
	return func(c *graph.Case) []string {
		if v, ok := c.Attrs[name]; ok && fmt.Sprint(v) != "0" {
			return []string{fmt.Sprint(v)}
		}
		return nil
	}
}

// ofSignals is one side of the images that contractions and BatchNorm read.
func ofSignals(axis int) func(*graph.Case) []string {
	return func(c *graph.Case) (list []string) {
		for _, n := range c.Nodes {
			var x []int
			switch n.Op {
			case "analysis", "filter", "batchnorm":
				x = c.Shape(n.Inputs[0])
			case "synthesis":
				x = n.Shape
			default:
				continue
			}
			list = append(list, fmt.Sprint(x[axis]))
		}
		return list
	}
}

// ofKernels is something of the kernels of contractions.
func ofKernels(of func(w []int) string) func(*graph.Case) []string {
	return func(c *graph.Case) (list []string) {
		for _, n := range c.Nodes {
			switch n.Op {
			case "analysis", "synthesis":
				list = append(list, of(c.Shape(n.Inputs[1])))
			case "filter":
				list = append(list, of(n.Shape))
			}
		}
		return list
	}
}

// coverage is the table, each line of which ends with a newline.
func coverage() string {
	var s strings.Builder
	head := []string{"coordinate"}
	for _, g := range groups {
		head = append(head, g.name)
	}
	line := func(cells []string) { fmt.Fprintf(&s, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	line(slices.Repeat([]string{"---"}, len(head)))
	for _, row := range coordinates {
		cells := []string{row.name}
		for _, g := range groups {
			seen := map[string]bool{}
			for _, c := range All() {
				if slices.Contains(g.kinds, c.Kind) {
					for _, v := range row.values(c) {
						seen[v] = true
					}
				}
			}
			cells = append(cells, strings.Join(slices.SortedFunc(maps.Keys(seen), byNumbers), ", "))
		}
		line(cells)
	}
	return s.String()
}

// byNumbers orders texts by the numbers in them.
func byNumbers(a, b string) int { return slices.Compare(numbers(a), numbers(b)) }

func numbers(text string) (list []int) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		n := 0
		fmt.Sscan(word, &n)
		list = append(list, n)
	}
	return list
}

// TestCoverage: the table in the guide is what the cases cover.
func TestCoverage(t *testing.T) {
	guide, err := os.ReadFile("../../docs/golden.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(guide), "\n\n"+coverage()+"\n") {
		t.Errorf("docs/golden.md has another table of coverage than\n%s", coverage())
	}
}

// TestCoordinates: faults live at these values, which the cases must not lose.
func TestCoordinates(t *testing.T) {
	table := strings.Split(coverage(), "\n")
	for coordinate, needed := range map[string][]string{
		"images": {"1", "9"}, "channels": {"6", "9", "15", "131"}, "atoms": {"4", "8", "12", "133"},
		"columns": {"18", "35"},
		"rows":    {"67"}, "kernel": {"5x3", "2x5"}, "stride, dilation, padding": {"2/2/2"},
		"elements of an activation": {"2^15"}, "iterations": {"60"},
	} {
		at := slices.IndexFunc(table, func(l string) bool {
			return strings.HasPrefix(l, "| "+coordinate+" |")
		})
		for _, v := range needed {
			words := strings.FieldsFunc(table[at], func(r rune) bool {
				return r == ' ' || r == ',' || r == '|'
			})
			if !slices.Contains(words, v) {
				t.Errorf("no case has %s %s", coordinate, v)
			}
		}
	}
}
