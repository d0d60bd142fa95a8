package study

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/sdnet/attack"
)

// attackReport is the results of ref attack, and its JSON file. Counts are of images that are still
// recognised.
type attackReport struct {
	Data string `json:"data"`
	// Known tells whether the labels are those of the networks; if not, an answer is right if it is the first
	// network's on the clean image.
	Known    bool          `json:"labels"`
	Images   int           `json:"images"`
	Norm     string        `json:"norm"`
	Steps    int           `json:"steps"`
	Restarts int           `json:"restarts"`
	Seed     uint64        `json:"seed"`
	Epsilons []float64     `json:"epsilons"` // the first is 0
	Networks []attackCurve `json:"networks"`
	Transfer []attackCurve `json:"transfer"`
	Checks   []attackCheck `json:"checks"`
	Complete bool          `json:"complete"` // false if the command was stopped: curves are shorter, or missing
}

// attackCurve is the number of images that a network recognises at each epsilon.
type attackCurve struct {
	Name string `json:"name"`
	// From is the network that the examples were made for, if it is another.
	From    string `json:"made_for,omitempty"`
	Correct []int  `json:"correct"`
}

// attackCheck is the result of a check of the attack.
type attackCheck struct {
	What   string `json:"what"`
	Result string `json:"result"`
	Good   bool   `json:"good"`
}

// checkTransfer compares each network's own attack with examples made for another network.
func (r *attackReport) checkTransfer(report func(what, result string, good bool)) {
	for _, c := range r.Transfer {
		for _, own := range r.Networks {
			if own.Name != c.Name {
				continue
			}
			// Find the epsilon at which the own attack is weakest in comparison, in standard deviations.
			worst, gap := 0, math.Inf(-1)
			for i := 1; i < len(c.Correct); i++ {
				if g := float64(own.Correct[i]-
					c.Correct[i]) / math.Sqrt(float64(max(1, c.Correct[i]))); g > gap {
					worst, gap = i, g
				}
			}
			report("its own attack is the stronger",
				fmt.Sprintf("epsilon %.4f: %d images withstand that on %s, %d those made for %s",
					r.Epsilons[worst], own.Correct[worst], c.Name, c.Correct[worst], c.From), gap <= 2)
		}
	}
}

// print writes the tables.
func (r *attackReport) print(out io.Writer) error {
	what := "accuracy"
	if !r.Known {
		what = "right answers"
	}
	fmt.Fprintf(out, "\n%s in %%, images being changed by at most epsilon; standard errors:\n\n", what)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	table := func(curves []attackCurve) {
		fmt.Fprint(w, "epsilon\t")
		for _, c := range curves {
			fmt.Fprintf(w, "%s\t", c.Name)
		}
		fmt.Fprintln(w)
		for i, epsilon := range r.Epsilons {
			if r.Norm == attack.Linf.String() {
				fmt.Fprintf(w, "%g/255\t", math.Round(epsilon*255*1000)/1000)
			} else {
				fmt.Fprintf(w, "%g\t", epsilon)
			}
			for _, c := range curves {
				if i >= len(c.Correct) {
					fmt.Fprint(w, "-\t")
					continue
				}
				share := float64(c.Correct[i]) / float64(r.Images)
				fmt.Fprintf(w, "%.1f +- %.1f\t", 100*share, 100*math.Sqrt(share*(1-share)/float64(r.Images)))
			}
			fmt.Fprintln(w)
		}
		w.Flush()
	}
	table(r.Networks)
	for i := 0; i < len(r.Transfer); {
		n := i
		for n < len(r.Transfer) && r.Transfer[n].From == r.Transfer[i].From {
			n++
		}
		fmt.Fprintf(out, "\nthe same with images made for %s:\n\n", r.Transfer[i].From)
		table(r.Transfer[i:n])
		i = n
	}
	if len(r.Checks) > 0 {
		fmt.Fprintf(out, "\nis the attack on %s one?\n\n", r.Networks[0].Name)
	}
	for _, f := range r.Checks {
		fmt.Fprintf(out, "%s  %s: %s\n", map[bool]string{true: "yes", false: "NO "}[f.Good], f.What, f.Result)
	}
	return nil
}

// write writes the JSON file and the picture.
func (r *attackReport) write(p *cli.Progress, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	g := plot.Figure{Name: "attack-" + r.Norm, Title: "accuracy under attack",
		Short:  "images recognised against epsilon",
		Header: []string{"network", "made for", "epsilon", "images", "correct"}}
	chart := plot.Chart{Title: fmt.Sprintf("%d images of %s, attack of %d steps", r.Images, r.Data, r.Steps),
		X: plot.Axis{Label: "epsilon (" + r.Norm + ")"},
		Y: plot.Axis{Label: "recognised (%)", From: 0, To: 100}}
	x := slices.Clone(r.Epsilons)
	if r.Norm == attack.Linf.String() {
		chart.X.Label = "epsilon in 1/255 (" + r.Norm + ")"
		for i := range x {
			x[i] *= 255
		}
	}
	for _, c := range append(slices.Clone(r.Networks), r.Transfer...) {
		s := plot.Series{Name: c.Name, X: x[:len(c.Correct)], Mark: plot.LinePoints}
		if c.From != "" {
			s.Name, s.Mark = c.Name+" (made for "+c.From+")", plot.Dashes
		}
		for i, n := range c.Correct {
			share := float64(n) / float64(r.Images)
			s.Y, s.Error = append(s.Y, 100*share),
				append(s.Error, 100*math.Sqrt(share*(1-share)/float64(r.Images)))
			g.Rows = append(g.Rows, plot.Row(c.Name, c.From, r.Epsilons[i], r.Images, n))
		}
		chart.Series = append(chart.Series, s)
	}
	var err error
	if g.Picture, err = chart.Render(); err != nil {
		return err
	}
	if err := g.Write(folder); err != nil {
		return err
	}
	p.Say("%s: %s", filepath.Join(folder, g.Name+".png"), g.Short)
	path := filepath.Join(folder, "attack.json")
	p.Say("%s: all numbers", path)
	return cli.WriteJSON(path, r)
}
