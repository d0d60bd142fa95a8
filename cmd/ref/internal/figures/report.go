package figures

import (
	"cmp"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/internal/atomicfile"
	"sdref/sdnet"
)

// report is a page with the figures of some networks; it needs no other file.
type report struct{ Networks []section }

// Ranked says whether the networks were put in an order.
func (r *report) Ranked() bool { return len(r.Networks) > 1 }

// section is one network's part of a report.
type section struct {
	Name, Checkpoint, Digest, Data string
	// Note is empty unless the images are of another data set than the one that the network was trained on.
	Note                     string
	Settings                 []setting
	Layers                   []sdnet.LayerInfo
	Parameters, MultiplyAdds int
	Figures                  []plot.Figure
	Missing                  []absent
	accuracy                 float64  // of the training images in the last epoch, 0 if the checkpoint does not tell
	Done                     []string // the names of the figures drawn or missing
}

// setting is a line of a network's configuration.
type setting struct{ Name, Value string }

// absent is a figure that could not be drawn, and why.
type absent struct{ Name, Reason string }

// section describes the network, before any figure is drawn.
func (d *drawing[T]) section() section {
	s := section{
		Name: d.config.Network, Checkpoint: d.path, Digest: d.digest, Data: d.data.Test.String(),
		Layers: d.net.Describe(), Parameters: d.net.CountParameters(),
	}
	for _, l := range s.Layers {
		s.MultiplyAdds += l.MultiplyAdds
	}
	if n := len(d.history); n > 0 {
		s.accuracy = d.history[n-1].Accuracy
	}
	if d.data.Name != d.config.Data {
		s.Note = fmt.Sprintf("The network was trained on %s; the images here are %s, of other classes, "+
			"normalised as its own were. What follows needs no labels.",
			d.config.Data, d.data.Test)
	}
	k := d.config
	for _, line := range []struct {
		name  string
		value any
	}{
		{"trained on", fmt.Sprintf("%d images of %s, in %s", k.Images, k.Data, k.Type)}, {"seed", k.Seed},
		{"epochs", fmt.Sprintf("%d of %d done", len(d.history), k.Epochs)}, {"batch", k.Batch},
		{"crops and flips", k.Augment},
		{"learning rate", fmt.Sprintf("%s, at most %g, %g epochs of rise", k.Schedule, k.Rate, k.Warmup)},
		{"momentum", k.Momentum}, {"weight decay", k.Decay}, {"lambda", k.Lambda}, {"mu", k.Mu},
		{"FISTA iterations", fmt.Sprintf("%d, %s", k.Iterations, k.Variant)}, {"convolutions", k.Algorithm},
	} {
		s.Settings = append(s.Settings, setting{line.name, fmt.Sprint(line.value)})
	}
	return s
}

//go:embed report.html
var reportText string

var reportPage = template.Must(template.New("report").Funcs(template.FuncMap{
	"picture": func(svg []byte) template.URL {
		return template.URL("data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(svg))
	},
	"thousands": cli.Thousands,
	// A grid of images stays legible on a phone by scrolling, a chart by shrinking.
	"grid": func(name string) bool { return strings.HasPrefix(name, "figure-B1") || name == "figure-C1" },
}).Parse(reportText))

// write writes the page.
func (r *report) write(path string) error {
	slices.SortStableFunc(r.Networks, func(a, b section) int { return cmp.Compare(b.accuracy, a.accuracy) })
	for _, s := range r.Networks {
		slices.SortStableFunc(s.Figures, func(a, b plot.Figure) int { return cmp.Compare(place(a.Name), place(b.Name)) })
	}
	return atomicfile.Write(path, func(w io.Writer) error { return reportPage.Execute(w, r) })
}

// place is where a figure stands in its network's part: pictures first, the one whose contrast is restored before all.
func place(name string) int {
	order := []string{"figure-B1-contrast", "figure-C1", "figure-B1", "figure-B1-stretched"}
	if i := slices.Index(order, name); i >= 0 {
		return i
	}
	return len(order)
}
