package study

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/sdnet/robust"
)

// paperRobust is the accuracies in per cent that the paper reports for SDNet-18 on CIFAR-10-C: at the lambda
// of training and adapted.
var paperRobust = map[string][2]float64{"gaussian": {50.58, 64.92}, "shot": {63.29, 71.13},
	"speckle": {67.11, 71.42}, "impulse": {54.13, 57.48}}

// robustReport is the results of ref robust, and its JSON file.
type robustReport struct {
	Network    string `json:"network"`
	Checkpoint string `json:"checkpoint"`
	Data       string `json:"data"`
	// Known tells whether the labels are those of the network; if not, an answer is right if it is that on
	// the clean image.
	Known      bool            `json:"labels"`
	Images     int             `json:"images"`
	Learn      int             `json:"learn"`
	Seed       uint64          `json:"seed"`
	Lambda     float64         `json:"lambda"` // of training
	Lambdas    []float64       `json:"lambdas"`
	Learnt     []robust.Curve  `json:"learnt"`
	Choices    []robust.Choice `json:"choices"`
	Noises     []robustNoise   `json:"noises"`
	Conditions []robustCell    `json:"conditions"`
	Complete   bool            `json:"complete"` // false if the command was stopped: curves or conditions are missing
}

// robustNoise is the results for a noise, over all severities.
type robustNoise struct {
	Noise   string                    `json:"noise"`
	Methods map[string]robust.Summary `json:"methods"`
	// Best is the accuracy with the best lambda of each severity; 0 if not measured.
	Best float64 `json:"best,omitempty"`
}

// robustCell is the results for a noise at a severity, in numbers of images.
type robustCell struct {
	robust.Condition
	Lambda  map[string]float64 `json:"lambda"` // mean over the images
	Correct map[string]int     `json:"correct"`
	Curve   *robust.Curve      `json:"curve,omitempty"`
}

// count adds up the outcomes.
func (r *robustReport) count(outcomes []robust.Outcome) {
	best := map[string]float64{} // the sum of accuracies with the best lambdas, by noise
	for _, t := range outcomes {
		cell := robustCell{Condition: t.Condition, Lambda: map[string]float64{}, Correct: map[string]int{},
			Curve: t.Curve}
		for m := range robust.Method(robust.Methods) {
			cell.Lambda[m.String()], cell.Correct[m.String()] = t.Lambda[m], t.Correct(m)
		}
		if t.Curve != nil {
			best[t.Noise] += float64(slices.Max(t.Curve.Correct)) / float64(t.Images)
		}
		r.Conditions = append(r.Conditions, cell)
	}
	for _, name := range r.names() {
		row := robustNoise{Noise: name, Methods: map[string]robust.Summary{}}
		for m := range robust.Method(robust.Methods) {
			row.Methods[m.String()] = robust.Summarise(outcomes, name, m)
		}
		row.Best = best[name] / float64(r.severities(name))
		r.Noises = append(r.Noises, row)
	}
}

// names lists "clean" and the noises, in order.
func (r *robustReport) names() (list []string) {
	for _, cell := range r.Conditions {
		if !slices.Contains(list, cell.Noise) {
			list = append(list, cell.Noise)
		}
	}
	return list
}

// severities is the number of severities of a noise.
func (r *robustReport) severities(name string) (n int) {
	for _, cell := range r.Conditions {
		if cell.Noise == name {
			n++
		}
	}
	return n
}

// print writes the tables.
func (r *robustReport) print(out io.Writer) error {
	fmt.Fprintln(out, "\nlearnt from noised training images:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, choice := range r.Choices {
		fmt.Fprintf(w, "  %s\tconstant %.1f\tlambda = %.3f r %+.3f\n", choice.Noise, choice.Constant,
			choice.Line.Slope, choice.Line.Intercept)
	}
	fmt.Fprintf(w, "\n%s on test images in %%, mean over the severities; standard errors; gains over fixed "+
		"image by image:\n\n", r.quantity())
	w.Flush()
	return r.table(tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight))
}

// table writes a line for each noise.
func (r *robustReport) table(w *tabwriter.Writer) error {
	paper := r.Known && r.Data == "cifar10"
	fmt.Fprintf(w, "noise\tfixed %g\t", r.Lambda)
	for m := robust.Constant; int(m) < robust.Methods; m++ {
		fmt.Fprintf(w, "%v\tgain\t", m)
	}
	fmt.Fprint(w, "best\t")
	if paper {
		fmt.Fprint(w, "paper, SDNet-18\t")
	}
	fmt.Fprintln(w)
	for _, row := range r.Noises {
		fixed := row.Methods[robust.Fixed.String()].Accuracy
		fmt.Fprintf(w, "%s\t%.2f +- %.2f\t", row.Noise, 100*fixed.Mean, 100*fixed.Error)
		for m := robust.Constant; int(m) < robust.Methods; m++ {
			s := row.Methods[m.String()]
			fmt.Fprintf(w, "%.2f\t%+.2f +- %.2f\t", 100*s.Accuracy.Mean, 100*s.Gain.Mean, 100*s.Gain.Error)
		}
		switch {
		case row.Best > 0:
			fmt.Fprintf(w, "%.2f\t", 100*row.Best)
		default:
			fmt.Fprint(w, "-\t")
		}
		if numbers, ok := paperRobust[row.Noise]; paper && ok {
			fmt.Fprintf(w, "%.2f to %.2f\t", numbers[0], numbers[1])
		} else if paper {
			fmt.Fprint(w, "\t")
		}
		fmt.Fprintln(w)
	}
	return w.Flush()
}

// quantity is the name of the percentage that the report shows.
func (r *robustReport) quantity() string {
	if r.Known {
		return "accuracy"
	}
	return "answers as on the clean image"
}

// write writes the JSON file and the pictures.
func (r *robustReport) write(p *cli.Progress, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	pictures, err := r.pictures()
	if err != nil {
		return err
	}
	for _, g := range pictures {
		if err := g.Write(folder); err != nil {
			return err
		}
		p.Say("%s: %s", filepath.Join(folder, g.Name+".png"), g.Short)
	}
	path := filepath.Join(folder, "robust.json")
	p.Say("%s: all numbers", path)
	return cli.WriteJSON(path, r)
}

// pictures are accuracy against lambda for each noise, and the lines that were learnt.
func (r *robustReport) pictures() ([]plot.Figure, error) {
	tested := r.Conditions[0].Curve != nil
	curves, whose := r.Learnt, "training"
	if tested {
		curves, whose = nil, "test"
		for _, cell := range r.Conditions {
			curves = append(curves, *cell.Curve)
		}
	}
	var list []plot.Figure
	for _, name := range r.names()[1:] {
		g := plot.Figure{Name: "robust-" + name, Title: fmt.Sprintf("%s with %s noise", r.Network, name),
			Short:  r.quantity() + " against lambda, by severity",
			Header: []string{"severity", "residual", "lambda", "images", "correct"}}
		chart := plot.Chart{Title: fmt.Sprintf("%s, %d %s images with %s noise", r.Network, curves[0].Images,
			whose, name),
			X: plot.Axis{Label: "lambda of the stem"}, Y: plot.Axis{Label: r.quantity() + " (%)", To: 100}}
		for _, c := range curves {
			if c.Noise != name && c.Noise != robust.Clean {
				continue
			}
			series := plot.Series{Name: c.Condition.String(), X: r.Lambdas, Mark: plot.LinePoints}
			for i, n := range c.Correct {
				series.Y = append(series.Y, 100*float64(n)/float64(c.Images))
				g.Rows = append(g.Rows, plot.Row(c.Severity, c.Residual, r.Lambdas[i], c.Images, n))
			}
			chart.Series = append(chart.Series, series)
		}
		var err error
		if g.Picture, err = chart.Render(); err != nil {
			return nil, err
		}
		list = append(list, g)
	}
	fit, err := r.fit()
	return append(list, fit), err
}

// fit is the picture of the best lambdas of training images against their residuals, and the fitted lines.
func (r *robustReport) fit() (plot.Figure, error) {
	g := plot.Figure{Name: "robust-fit", Title: "the lambda that a residual asks for",
		Short:  "best lambda of training images against their mean residual",
		Header: []string{"noise", "severity", "residual", "best lambda"}}
	chart := plot.Chart{Title: fmt.Sprintf("%s: best lambda of %d noised training images", r.Network,
		r.Learn),
		X: plot.Axis{Label: "mean residual |x - A z| / sqrt(C H W) at the lambda of training"},
		Y: plot.Axis{Label: "best lambda", To: 1.05 * r.Lambdas[len(r.Lambdas)-1]}}
	var residuals []float64 // of all noises
	for i, choice := range r.Choices {
		points := plot.Series{Name: choice.Noise, Mark: plot.Points, Color: i + 1}
		for _, c := range r.Learnt {
			if c.Noise != choice.Noise && c.Noise != robust.Clean {
				continue
			}
			points.X, points.Y = append(points.X, c.Residual), append(points.Y, r.Lambdas[c.Best()])
			if c.Noise == choice.Noise || i == 0 {
				g.Rows = append(g.Rows, plot.Row(c.Noise, c.Severity, c.Residual, r.Lambdas[c.Best()]))
			}
		}
		residuals = append(residuals, points.X...)
		of, line := points.X, plot.Series{Color: i + 1}
		if choice.Noise == robust.Any {
			of = residuals
			line.Name, line.Mark = "line of all noises", plot.Dashes
		} else {
			chart.Series = append(chart.Series, points)
		}
		const segments = 100 // the line has corners where lambda is clamped to the list
		for k := range segments + 1 {
			x := slices.Min(of) + float64(k)/segments*(slices.Max(of)-slices.Min(of))
			line.X, line.Y = append(line.X, x),
				append(line.Y, choice.Line.At(x, r.Lambdas[0], r.Lambdas[len(r.Lambdas)-1]))
		}
		chart.Series = append(chart.Series, line)
	}
	var err error
	g.Picture, err = chart.Render()
	return g, err
}
