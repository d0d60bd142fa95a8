package study

import (
	"fmt"
	"image"
	"math"

	"sdref/cmd/ref/internal/figures/plot"
	"sdref/sdnet/figures"
	"sdref/tensor"
)

// iterationAxis is the axis of iterations.
func (t *trace) iterationAxis() plot.Axis {
	longest := 0
	for _, w := range t.runs {
		longest = max(longest, len(w.records))
	}
	return plot.Axis{Label: "iteration k", Log: longest > 100}
}

// gapChart shows two bounds of F(z_k) - min F for each solver: the gap and, dashed, F less the highest lower
// bound that any solver proved.
func (t *trace) gapChart() plot.Chart {
	lowest, _ := t.bracket()
	chart := plot.Chart{Title: "F(z_k) above its least value", X: t.iterationAxis(),
		Y: plot.Axis{Label: "duality gap; F - best lower bound", Log: true}}
	for i, w := range t.runs {
		gap := plot.Series{Name: w.name + ": gap", Color: i + 1}
		above := plot.Series{Name: w.name + ": F - best lower bound", Color: i + 1, Mark: plot.Dashes}
		for _, r := range w.records {
			gap.X, gap.Y = append(gap.X, float64(r.Iteration)), append(gap.Y, r.Gap)
			above.X, above.Y = append(above.X, float64(r.Iteration)), append(above.Y, r.Objective-lowest)
		}
		chart.Series = append(chart.Series, gap, above)
	}
	return chart
}

// nonzerosChart shows the support's size.
func (t *trace) nonzerosChart() plot.Chart {
	chart := plot.Chart{Title: "Elements of z_k that are not 0", X: t.iterationAxis(),
		Y: plot.Axis{Label: "nonzeros"}}
	for i, w := range t.runs {
		s := plot.Series{Name: w.name, Color: i + 1}
		for _, r := range w.records {
			s.X, s.Y = append(s.X, float64(r.Iteration)), append(s.Y, float64(r.Nonzeros))
		}
		chart.Series = append(chart.Series, s)
	}
	return chart
}

// The layout of the grid of codes.
const (
	drawnAtoms = 6
	drawnSide  = 96 // the least side of an image in the PNG, in pixels
)

// codesGrid shows, for some k of the first solver, A z_k and the code maps of the atoms that the last code
// uses most; above them x and these atoms.
func (t *trace) codesGrid() plot.Grid {
	shown := t.runs[0].shown
	last := shown[len(shown)-1].z
	signal, plane := t.problem.X.Shape, last.Shape[2]*last.Shape[3]
	atoms := figures.MostUsed(last, drawnAtoms)
	g := plot.Grid{
		Title: "Signal and code, " + t.runs[0].name, Columns: 1 + len(atoms), ColumnNames: []string{"A z_k"},
		RowNames: []string{"x, atoms"},
		Cells:    []plot.Cell{{Image: t.picture(t.problem.X)}},
	}
	g.Scale = max(1, drawnSide/signal[3])
	top := make([]float64, len(atoms)) // the largest magnitude that is drawn of an atom's codes
	for i, m := range atoms {
		g.ColumnNames = append(g.ColumnNames, fmt.Sprintf("atom %d", m))
		g.Cells = append(g.Cells, plot.Cell{Image: t.atomPicture(m)})
		for _, s := range shown {
			for _, v := range s.z.Data[m*plane : (m+1)*plane] {
				top[i] = max(top[i], math.Abs(v))
			}
		}
	}
	for _, s := range shown {
		g.RowNames = append(g.RowNames, fmt.Sprintf("k = %d", s.k))
		x := tensor.New[float64](signal...)
		t.problem.A.Synthesize(x, s.z)
		g.Cells = append(g.Cells, plot.Cell{Image: t.picture(x)})
		for i, m := range atoms {
			g.Cells = append(g.Cells, plot.Cell{Image: codePicture(s.z.Data[m*plane:(m+1)*plane],
				last.Shape[3], signal[3]/last.Shape[3], top[i])})
		}
	}
	return g
}

// picture is a signal (1, C, H, W): the image itself in the stem, elsewhere the mean of the channels.
func (t *trace) picture(x *tensor.Tensor[float64]) image.Image {
	if t.stem {
		return figures.Picture(figures.Values(figures.Pixels{Mean: t.mean, Std: t.std}, x, 0), x.Shape[2], x.Shape[3])
	}
	low, high := figures.Extremes(channelMean(t.problem.X))
	grey := channelMean(x)
	for i, v := range grey {
		grey[i] = (v - low) / max(high-low, math.SmallestNonzeroFloat64)
	}
	return figures.Picture(grey, x.Shape[2], x.Shape[3])
}

// channelMean is the mean of the channels of a signal (1, C, H, W) at each pixel.
func channelMean(x *tensor.Tensor[float64]) []float64 {
	plane := x.Shape[2] * x.Shape[3]
	mean := make([]float64, plane)
	for i, v := range x.Data {
		mean[i%plane] += v / float64(x.Shape[1])
	}
	return mean
}

// atomPicture is atom m, as large as a signal: in colours where it has three channels, else the mean of the
// channels.
func (t *trace) atomPicture(m int) image.Image {
	atom := t.problem.A.Atoms.Row(m)
	height, width := atom.Shape[1], atom.Shape[2]
	values := atom.Data
	if atom.Shape[0] != 3 {
		values = channelMean(atom.Reshape(1, atom.Shape[0], height, width))
	}
	return enlarged(figures.Picture(figures.Stretch(values, 1), height, width), t.problem.X.Shape[3]/width)
}

// codePicture is a code map, side x side pixels for each element: white where it is 0, towards blue where
// positive, towards red where negative, with full colour at top.
func codePicture(values []float64, width, side int, top float64) image.Image {
	rgb := make([]float64, 0, 3*len(values))
	pale := func(v float64) float64 { return 1 - min(1, max(v, 0)/max(top, math.SmallestNonzeroFloat64)) }
	for _, of := range []func(v float64) float64{
		pale,
		func(v float64) float64 { return (1 + 2*pale(math.Abs(v))) / 3 },
		func(v float64) float64 { return pale(-v) },
	} {
		for _, v := range values {
			rgb = append(rgb, of(v))
		}
	}
	return enlarged(figures.Picture(rgb, len(values)/width, width), side)
}

// enlarged is a picture of side x side pixels for each of another one's.
func enlarged(small *image.NRGBA, side int) image.Image {
	side = max(1, side)
	size := small.Bounds().Size().Mul(side)
	m := image.NewNRGBA(image.Rectangle{Max: size})
	for y := range size.Y {
		for x := range size.X {
			m.SetNRGBA(x, y, small.NRGBAAt(x/side, y/side))
		}
	}
	return m
}
