package figures

import (
	"fmt"
	"strings"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
	"sdref/sdnet/figures"
	"sdref/tensor"
)

// patches is Figure C.1.
func (d *drawing[T]) patches() ([]plot.Figure, error) {
	stem, err := d.stem()
	if err != nil {
		return nil, err
	}
	list := figures.Patches(stem.Weight)
	columns := 1
	for columns*columns < len(list) {
		columns++
	}
	g := plot.Figure{
		Name: "figure-C1", Title: "Figure C.1: the dictionary of the stem",
		Short: fmt.Sprintf("%d atoms of %d x %d", len(list), stem.Weight.Shape[2], stem.Weight.Shape[3]),
		Caption: fmt.Sprintf(patchesCaption,
			len(list), stem.Name),
		Header: []string{"atom", "channel", "row", "column", "value"},
	}
	grid := plot.Grid{Columns: columns, Scale: max(1, 96/stem.Weight.Shape[3]), Gap: 8}
	order, twins, note, err := d.rankAtoms(stem)
	if err != nil {
		return nil, err
	}
	g.Caption += note
	for _, m := range order {
		name := fmt.Sprint(m)
		if twins[m] >= 0 {
			name += fmt.Sprintf(" ~ %d", twins[m])
		}
		grid.Cells = append(grid.Cells, plot.Cell{Image: list[m], Caption: name})
	}
	_, channels, k := stem.Weight.Shape[0], stem.Weight.Shape[1], stem.Weight.Shape[2]
	for i, v := range stem.Weight.Data {
		g.Rows = append(g.Rows, plot.Row(i/(channels*k*k), i/(k*k)%channels, i/k%k, i%k, v))
	}
	g.Picture, err = grid.Render()
	return []plot.Figure{g}, err
}

const (
	codesBatch = 100 // images that are predicted at once
	maxBars    = 60  // bars of a histogram, about
)

// codes is Figure D.1.
func (d *drawing[T]) codes() ([]plot.Figure, error) {
	if _, err := d.stem(); err != nil {
		return nil, err
	}
	total := d.data.Test.Len()
	if d.flags.count > 0 {
		total = min(total, d.flags.count)
	}
	var failed error
	at := 0
	next := func() *tensor.Tensor[T] {
		d.p.Show(d.share(float64(at)/float64(max(1, total))),
			fmt.Sprintf("%s: codes of %d of %d images", d.config.Network, at, total))
		if d.c.Context.Err() != nil || (at >= total && d.unfit == "") {
			return nil
		}
		var x *tensor.Tensor[T]
		x, failed = d.images(at, min(codesBatch, total-at))
		at += codesBatch
		return x
	}
	list := figures.CountCodes(d.net, next)
	if failed != nil {
		return nil, failed
	}
	g, err := d.histogram(list[0], total)
	if err != nil || len(list) == 1 {
		return []plot.Figure{g}, err
	}
	shares, err := d.zeroShares(list, total)
	return []plot.Figure{g, shares}, err
}

// histogram draws the distribution of the codes of a layer.
func (d *drawing[T]) histogram(c figures.Codes, images int) (plot.Figure, error) {
	g := plot.Figure{
		Name: "figure-D1", Title: "Figure D.1: the codes of the stem",
		Short: fmt.Sprintf("%.1f %% of %s codes are zero (%s, %d images)", 100*c.ZeroShare(),
			cli.Thousands(c.Total), c.Layer, images),
		Caption: fmt.Sprintf(histogramCaption,
			c.Layer, images, d.data.Test, 100*c.ZeroShare()),
		Header: []string{"from", "to", "codes"},
		Rows:   [][]string{plot.Row(0, 0, c.Zeros)},
	}
	from, to := c.Range(0.001)
	group := (to-from)/maxBars + 1
	width := c.Width * float64(group)
	bars := plot.Series{Name: "not zero", Mark: plot.Bars, Width: width}
	for i := from; i < to; i += group {
		count := 0
		for j := i; j < i+group; j++ {
			count += c.Bins[j]
		}
		left := float64(i) * c.Width
		bars.X, bars.Y = append(bars.X, left+width/2), append(bars.Y, 100*float64(count)/float64(c.Total))
		g.Rows = append(g.Rows, plot.Row(left, left+width, count))
	}
	zero := plot.Series{Name: fmt.Sprintf("exactly zero: %.1f %%", 100*c.ZeroShare()), Mark: plot.Bars,
		Width: width,
		X:     []float64{float64(from)*c.Width - 1.5*width}, Y: []float64{100 * c.ZeroShare()}}
	var err error
	g.Picture, err = plot.Chart{X: plot.Axis{Label: "code"},
		Y: plot.Axis{Label: "share of all codes in %", Log: true}, Series: []plot.Series{bars, zero}}.Render()
	return g, err
}

// zeroShares draws the share of zeros of each CSC layer.
func (d *drawing[T]) zeroShares(list []figures.Codes, images int) (plot.Figure, error) {
	g := plot.Figure{
		Name: "figure-D1-layers", Title: "The share of zeros in the codes of each CSC layer",
		Caption: fmt.Sprintf(zerosCaption, images),
		Header:  []string{"layer", "zeros", "codes", "share"},
	}
	bars := plot.Series{Mark: plot.Bars, Width: 0.7}
	axis := plot.Axis{Label: "CSC layer"}
	low, high := 1.0, 0.0
	for i, c := range list {
		bars.X, bars.Y = append(bars.X, float64(i)), append(bars.Y, 100*c.ZeroShare())
		axis.Names = append(axis.Names, layerTitle(c.Layer))
		g.Rows = append(g.Rows, plot.Row(c.Layer, c.Zeros, c.Total, c.ZeroShare()))
		low, high = min(low, c.ZeroShare()), max(high, c.ZeroShare())
	}
	g.Short = fmt.Sprintf("%d layers, %.1f to %.1f %% zeros", len(list), 100*low, 100*high)
	var err error
	g.Picture, err = plot.Chart{X: axis, Y: plot.Axis{Label: "zeros in %", From: 0, To: 100},
		Series: []plot.Series{bars},
		Width:  max(480, 60*float64(len(list)))}.Render()
	return g, err
}

// layerTitle is a layer's name as an axis has room for it: "layer1.layers.0.conv2.dn" is "1.1 conv2".
func layerTitle(name string) string {
	var stage, block int
	var unit string
	if n, _ := fmt.Sscanf(strings.TrimSuffix(name, ".dn"), "layer%d.layers.%d.%s", &stage, &block, &unit); n == 3 {
		return fmt.Sprintf("%d.%d %s", stage, block+1, unit)
	}
	if name == "layer0.0.dn" {
		return "stem"
	}
	return name
}
