package figures

import (
	"fmt"
	"math"
	"strings"

	"sdref/cmd/ref/internal/figures/plot"
	"sdref/sdnet/figures"
	"sdref/tensor"
)

// contrastImages is the least number of images over which the mean image is taken.
const contrastImages = 64

// reconstructions is Figure B.1, then with channels stretched as the authors do, then without the mean image.
func (d *drawing[T]) reconstructions() ([]plot.Figure, error) {
	blocks := d.flags.blocks
	if blocks == nil {
		blocks = d.lastBlocks()
	}
	if len(blocks) == 0 {
		return nil, missing("the stem of " + d.config.Network + " cannot be inverted")
	}
	x, err := d.images(0, max(d.flags.show, contrastImages))
	if err != nil {
		return nil, err
	}
	list, err := figures.Reconstruct(d.net, x, blocks...)
	if err != nil {
		return nil, err
	}
	var drawn []plot.Figure
	for _, draw := range []func(*tensor.Tensor[T], []figures.Reconstruction[T]) (plot.Figure,
		error){d.inverse, d.stretched, d.contrast} {
		g, err := draw(x, list)
		if err != nil {
			return nil, err
		}
		drawn = append(drawn, g)
	}
	return drawn, nil
}

// lastBlocks lists the stem and the last block of each stage, if they can be inverted.
func (d *drawing[T]) lastBlocks() []string {
	var list []string
	for _, name := range figures.Invertible(d.net) {
		for stage, count := range append([]int{0}, d.net.Blocks...) {
			if name == fmt.Sprintf("block%d.%d", stage, count) {
				list = append(list, name)
			}
		}
	}
	return list
}

// blockTitle is the name of a block in a figure.
func blockTitle(name string) string {
	if name == "block0.0" {
		return "stem"
	}
	return "block " + name[len("block"):]
}

// grid is a grid whose first row is the images shown.
func (d *drawing[T]) grid(x *tensor.Tensor[T]) plot.Grid {
	g := plot.Grid{Columns: min(d.flags.show, x.Shape[0]), Scale: max(1, 128/x.Shape[3]),
		RowNames: []string{"input"}}
	for i := range g.Columns {
		g.Cells = append(g.Cells, d.cell(x, figures.Values(d.pixels(), x, i), ""))
	}
	return g
}

// cell is a cell with an image of x's size.
func (d *drawing[T]) cell(x *tensor.Tensor[T], values []float64, caption string) plot.Cell {
	return plot.Cell{Image: figures.Picture(values, x.Shape[2], x.Shape[3]), Caption: caption}
}

// inverse is Figure B.1 itself.
func (d *drawing[T]) inverse(x *tensor.Tensor[T], list []figures.Reconstruction[T]) (g plot.Figure,
	err error) {
	g = plot.Figure{
		Name: "figure-B1", Title: "Figure B.1 before contrast is restored",
		Caption: inverseCaption,
		Header:  []string{"block", "inverse", "image", "psnr"},
	}
	grid := d.grid(x)
	mean := 0.0
	var empty []string
	for _, r := range list {
		same := d.widest(r.Published, r.Exact, grid.Columns) <= visible
		// Of a single image nobody can tell whether the row shows it or something that all images would give.
		blank := grid.Columns > 1 && d.widest(r.Exact, repeatFirst(r.Exact), grid.Columns) <= visible &&
			d.widest(r.Published, repeatFirst(r.Published), grid.Columns) <= visible
		if blank {
			empty = append(empty, blockTitle(r.Block))
		}
		for j, inverse := range []*tensor.Tensor[T]{r.Published, r.Exact} {
			name := []string{"published", "exact"}[j]
			drawn := !blank && (j == 1 || !same)
			switch {
			case drawn && same:
				grid.RowNames = append(grid.RowNames, blockTitle(r.Block))
			case drawn:
				grid.RowNames = append(grid.RowNames, blockTitle(r.Block)+", "+name)
			}
			mean = 0
			for i := range grid.Columns {
				values := figures.Values(d.pixels(), inverse, i)
				psnr := figures.PSNR(values, figures.Values(d.pixels(), x, i))
				mean += psnr / float64(grid.Columns)
				if drawn {
					grid.Cells = append(grid.Cells, d.cell(x, values, fmt.Sprintf("%.1f", psnr)))
				}
				g.Rows = append(g.Rows, plot.Row(r.Block, name, i, psnr))
			}
		}
	}
	if empty != nil {
		g.Caption += " Left out: " + strings.Join(empty, ", ") + ", from where all images come back alike to " +
			"the eye (within 4/255); the CSV file has their numbers."
	}
	g.Short = fmt.Sprintf("%d images, PSNR from %s, exact: %.1f dB in the mean", grid.Columns,
		blockTitle(list[len(list)-1].Block), mean)
	g.Picture, err = grid.Render()
	return g, err
}

// visible is the largest difference of two pixels, of 1, that nobody sees.
const visible = 4.0 / 255

// widest is the largest difference of a pixel, cut to [0, 1], between the first n images of a and of b.
func (d *drawing[T]) widest(a, b *tensor.Tensor[T], n int) (difference float64) {
	for i := range n {
		other := figures.Values(d.pixels(), b, i)
		for j, v := range figures.Values(d.pixels(), a, i) {
			difference = max(difference, math.Abs(min(1, max(0, v))-min(1, max(0, other[j]))))
		}
	}
	return difference
}

// repeatFirst has the first of the images of x in the place of each.
func repeatFirst[T tensor.Float](x *tensor.Tensor[T]) *tensor.Tensor[T] {
	y := tensor.New[T](x.Shape...)
	for i := range x.Shape[0] {
		copy(y.Row(i).Data, x.Row(0).Data)
	}
	return y
}

// stretched is Figure B.1 with each channel of each image stretched.
func (d *drawing[T]) stretched(x *tensor.Tensor[T], list []figures.Reconstruction[T]) (g plot.Figure,
	err error) {
	g = plot.Figure{
		Name: "figure-B1-stretched", Title: "Figure B.1 with each channel stretched",
		Short:   "each channel from its smallest to its largest value",
		Caption: stretchedCaption,
		Header:  []string{"block", "image", "channel", "smallest", "largest"},
	}
	grid := d.grid(x)
	for _, r := range list {
		grid.RowNames = append(grid.RowNames, blockTitle(r.Block))
		for i := range grid.Columns {
			values := tensor.Convert[float64](r.Published.Row(i)).Data
			grid.Cells = append(grid.Cells, d.cell(x, figures.Stretch(values, x.Shape[1]), ""))
			plane := len(values) / x.Shape[1]
			for c := range x.Shape[1] {
				low, high := figures.Extremes(values[c*plane:][:plane])
				g.Rows = append(g.Rows, plot.Row(r.Block, i, c, low, high))
			}
		}
	}
	g.Picture, err = grid.Render()
	return g, err
}

// contrast is Figure B.1 without the mean image.
func (d *drawing[T]) contrast(x *tensor.Tensor[T], list []figures.Reconstruction[T]) (g plot.Figure,
	err error) {
	g = plot.Figure{
		Name: "figure-B1-contrast", Title: "Figure B.1: the input, from the outputs of blocks, contrast restored",
		Caption: fmt.Sprintf(contrastCaption, x.Shape[0]),
		Header:  []string{"block", "contrast_share", "image", "correlation"},
	}
	grid := d.grid(x)
	own := figures.Contrast(x)
	mean := 0.0
	for _, r := range list {
		contrast := figures.Contrast(r.Exact)
		share := math.Sqrt(tensor.SumSquares(contrast) / max(tensor.SumSquares(own), 1e-300))
		grid.RowNames = append(grid.RowNames, fmt.Sprintf("%s, %.2g %%", blockTitle(r.Block), 100*share))
		shown := tensor.Convert[float64](contrast).Data[:grid.Columns*x.Len()/x.Shape[0]]
		low, high := figures.Extremes(shown)
		largest := max(high, -low, 1e-300)
		mean = 0
		for i := range grid.Columns {
			correlation := figures.Correlation(contrast.Row(i), own.Row(i))
			mean += correlation / float64(grid.Columns)
			values := tensor.Convert[float64](contrast.Row(i)).Data
			for j, v := range values {
				values[j] = 0.5 + float64(v/largest)/2
			}
			grid.Cells = append(grid.Cells, d.cell(x, values, fmt.Sprintf("%.2f", correlation)))
			g.Rows = append(g.Rows, plot.Row(r.Block, share, i, correlation))
		}
	}
	g.Short = fmt.Sprintf("correlation with the input from %s: %.2f in the mean",
		blockTitle(list[len(list)-1].Block), mean)
	g.Picture, err = grid.Render()
	return g, err
}
