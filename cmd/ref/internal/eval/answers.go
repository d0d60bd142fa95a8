package eval

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/internal/atomicfile"
	"sdref/sdnet"
	"sdref/sdnet/data"
	"sdref/sdnet/training"
)

// answers collects what a network says of the images of a set.
type answers struct {
	names   []string // of the classes
	classes int
	set     data.Images
	list    []answer
}

// answer is what a network says of one image.
type answer struct {
	image, label, given int
	p, ofLabel          float64 // the probabilities of the answer and of the label
}

func newAnswers(names []string, classes int, set data.Images) *answers {
	return &answers{names: names, classes: classes, set: set}
}

// add adds an answer. Of equal probabilities the first counts.
func (a *answers) add(of training.Answer) {
	given := sdnet.Largest(of.Probabilities)
	one := answer{of.Image, of.Label, given, of.Probabilities[given], 0}
	if of.Label < len(of.Probabilities) {
		one.ofLabel = of.Probabilities[of.Label]
	}
	a.list = append(a.list, one)
}

// classResult is the results of one class.
type classResult struct {
	Class    string  `json:"class"`
	Images   int     `json:"images"`
	Right    int     `json:"right"`    // images of the class that were given it
	Accuracy float64 `json:"accuracy"` // their share
	Given    int     `json:"given"`    // images of any class that were given it
	// Precision is the share of images of the class among those that were given it.
	Precision float64 `json:"precision"`
}

// byClass is the results by class.
func (a *answers) byClass() []classResult {
	list := make([]classResult, a.classes)
	for c := range list {
		list[c].Class = className(a.names, c)
	}
	for _, one := range a.list {
		list[one.label].Images++
		list[one.given].Given++
		if one.label == one.given {
			list[one.label].Right++
		}
	}
	for c := range list {
		list[c].Accuracy = float64(list[c].Right) / float64(max(1, list[c].Images))
		list[c].Precision = float64(list[c].Right) / float64(max(1, list[c].Given))
	}
	return list
}

// matrix tells how many images of each class, a row, got each answer, a column.
func (a *answers) matrix() [][]int {
	m := make([][]int, a.classes)
	for c := range m {
		m[c] = make([]int, a.classes)
	}
	for _, one := range a.list {
		m[one.label][one.given]++
	}
	return m
}

// report prints and writes what the flags ask for.
func (a *answers) report(c *cli.Call, f evalFlags, known bool) error {
	if f.csv != "" {
		if err := a.writeCSV(f.csv, known); err != nil {
			return err
		}
	}
	if !known {
		if f.byClass || f.confusion || f.worst > 0 || f.picture != "" {
			fmt.Fprintln(c.Stdout, "no results by class, since these are images of other classes")
		}
		return nil
	}
	if f.byClass {
		a.printClasses(c.Stdout)
	}
	if f.confusion {
		a.printMatrix(c.Stdout)
	}
	if f.worst > 0 {
		a.printWorst(c.Stdout, f.worst)
	}
	if f.picture != "" {
		return a.draw(c, f.picture)
	}
	return nil
}

func (a *answers) printClasses(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nclass\timages\tright\taccuracy %\tgiven\tprecision %\t")
	for _, r := range a.byClass() {
		fmt.Fprintf(w, "%s\t%d\t%d\t%s\t%d\t%s\t\n", data.Shown(r.Class), r.Images, r.Right, percent(r.Right, r.Images), r.Given, percent(r.Right, r.Given))
	}
	w.Flush()
}

// percent is a share, - of nothing.
func percent(part, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 100*float64(part)/float64(all))
}

// maxMatrix is the greatest number of classes whose matrix is printed.
const maxMatrix = 25

// maxMistakes is the number of mistakes that are listed instead.
const maxMistakes = 20

func (a *answers) printMatrix(out io.Writer) {
	m := a.matrix()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if a.classes > maxMatrix {
		a.printMistakes(w, m)
		w.Flush()
		return
	}
	fmt.Fprint(w, "\nimages of, taken for\t")
	for c := range m {
		fmt.Fprintf(w, "%s\t", data.Shown(className(a.names, c)))
	}
	for c, row := range m {
		fmt.Fprintf(w, "\n%s\t", data.Shown(className(a.names, c)))
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
		}
	}
	fmt.Fprintln(w)
	w.Flush()
}

// printMistakes lists the most frequent mistakes.
func (a *answers) printMistakes(out io.Writer, m [][]int) {
	type mistake struct{ label, given, n int }
	var list []mistake
	for label, row := range m {
		for given, n := range row {
			if n > 0 && label != given {
				list = append(list, mistake{label, given, n})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b mistake) int { return cmp.Compare(b.n, a.n) })
	fmt.Fprintln(out, "\nimages of\ttaken for\ttimes\t")
	for _, one := range list[:min(len(list), maxMistakes)] {
		fmt.Fprintf(out, "%s\t%s\t%d\t\n", data.Shown(className(a.names, one.label)), data.Shown(className(a.names, one.given)), one.n)
	}
}

// printWorst lists the mistakes with the greatest probabilities.
func (a *answers) printWorst(out io.Writer, n int) {
	var wrong []answer
	for _, one := range a.list {
		if one.label != one.given {
			wrong = append(wrong, one)
		}
	}
	slices.SortStableFunc(wrong, func(a, b answer) int { return cmp.Compare(b.p, a.p) })
	fmt.Fprintf(out, "\nthe most confident of %d mistakes:\n", len(wrong))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "image\tclass\ttaken for\twith %\tthe class has %")
	for _, one := range wrong[:min(n, len(wrong))] {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.2f\t%.2f\n", data.Shown(data.NameOf(a.set, one.image)), data.Shown(className(a.names, one.label)),
			data.Shown(className(a.names, one.given)), 100*one.p, 100*one.ofLabel)
	}
	w.Flush()
}

// writeCSV writes a line for each image.
func (a *answers) writeCSV(path string, known bool) error {
	return atomicfile.Write(path, func(out io.Writer) error {
		w := csv.NewWriter(out)
		w.Write([]string{"image", "class", "answer", "right", "probability", "probability_of_class"})
		for _, one := range a.list {
			row := []string{data.NameOf(a.set, one.image), "", className(a.names, one.given), "", number(one.p), ""}
			if known {
				row[1], row[3], row[5] = className(a.names, one.label), strconv.FormatBool(one.label == one.given), number(one.ofLabel)
			}
			w.Write(row)
		}
		w.Flush()
		return w.Error()
	})
}

// number is a probability, as exact as it is.
func number(p float64) string { return strconv.FormatFloat(p, 'g', -1, 64) }
