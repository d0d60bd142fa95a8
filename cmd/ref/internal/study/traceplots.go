package study

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	"sdref/cmd/ref/internal/figures/plot"
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
	atoms := mostUsed(last, min(drawnAtoms, last.Shape[1]))
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
				last.Shape[3], max(1, signal[3]/last.Shape[3]), top[i])})
		}
	}
	return g
}

// mostUsed lists the n atoms with the largest |z_m|_1, of equal ones the first.
func mostUsed(z *tensor.Tensor[float64], n int) []int {
	var order []int
	use := make([]float64, z.Shape[1])
	for m := range use {
		order = append(order, m)
		use[m] = tensor.SumAbs(z.Row(0).Row(m))
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case use[a] > use[b]:
			return -1
		case use[a] < use[b]:
			return 1
		}
		return 0
	})
	return order[:n]
}

// picture is a signal (1, C, H, W): the image itself in the stem, elsewhere the mean of the channels.
func (t *trace) picture(x *tensor.Tensor[float64]) image.Image {
	height, width := x.Shape[2], x.Shape[3]
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	low, high := span(channelMean(t.problem.X))
	gray := channelMean(x)
	for i := range height * width {
		pixel := [3]float64{}
		for c := range pixel {
			if t.stem {
				pixel[c] = float64(x.Data[c*height*width+i]*t.std[c]) + t.mean[c]
			} else {
				pixel[c] = (gray[i] - low) / (high - low)
			}
		}
		m.SetNRGBA(i%width, i/width, shade(pixel))
	}
	return m
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

// span is the range of values, never empty.
func span(values []float64) (low, high float64) {
	low, high = slices.Min(values), slices.Max(values)
	if !(low < high) {
		high = low + 1
	}
	return low, high
}

// atomPicture is atom m, as large as a signal: in colours where it has three channels, else the mean of the
// channels.
func (t *trace) atomPicture(m int) image.Image {
	w := t.problem.A.Atoms
	atom := w.Row(m)
	channels, height, width := atom.Shape[0], atom.Shape[1], atom.Shape[2]
	values := atom.Data
	if channels != 3 {
		channels, values = 1, channelMean(atom.Reshape(1, channels, height, width))
	}
	low, high := span(values)
	side := max(1, t.problem.X.Shape[3]/width)
	picture := image.NewNRGBA(image.Rect(0, 0, width*side, height*side))
	for y := range height * side {
		for x := range width * side {
			pixel := [3]float64{}
			for c := range pixel {
				pixel[c] = (values[(c%channels*height+y/side)*width+x/side] - low) / (high - low)
			}
			picture.SetNRGBA(x, y, shade(pixel))
		}
	}
	return picture
}

// codePicture is a code map, side x side pixels for each element: white where it is 0, towards blue where
// positive, towards red where negative, with full colour at top.
func codePicture(values []float64, width, side int, top float64) image.Image {
	m := image.NewNRGBA(image.Rect(0, 0, width*side, len(values)/width*side))
	for i := range len(values) * side * side {
		x, y := i%(width*side), i/(width*side)
		v := values[y/side*width+x/side]
		pale := 1 - min(1, math.Abs(v)/max(top, math.SmallestNonzeroFloat64))
		pixel := [3]float64{pale, (1 + 2*pale) / 3, 1}
		if v < 0 {
			pixel = [3]float64{1, (1 + 2*pale) / 3, pale}
		}
		if v == 0 {
			pixel = [3]float64{1, 1, 1}
		}
		m.SetNRGBA(x, y, shade(pixel))
	}
	return m
}

// shade is a colour from red, green and blue, clamped to 0 to 1.
func shade(rgb [3]float64) color.NRGBA {
	level := func(v float64) uint8 {
		if !(v > 0) { // NaN too
			return 0
		}
		return uint8(min(255, math.Round(float64(255*v))))
	}
	return color.NRGBA{level(rgb[0]), level(rgb[1]), level(rgb[2]), 255}
}
