package plot

import (
	"image/color"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// bars are rectangles from the axis to each point; on a logarithmic axis from its lower end.
type bars struct {
	plotter.XYs
	width float64
	log   bool // whether the vertical axis is logarithmic
	ink   color.NRGBA
}

// DataRange includes the bars' width and, on a linear axis, their lower end.
func (b bars) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = plotter.XYRange(b.XYs)
	if !b.log {
		ymin, ymax = min(ymin, 0), max(ymax, 0)
	}
	return xmin - b.width/2, xmax + b.width/2, ymin, ymax
}

func (b bars) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	foot := y(p.Y.Min)
	if !b.log {
		foot = y(max(p.Y.Min, min(p.Y.Max, 0)))
	}
	for _, v := range b.XYs {
		left, right, top := x(v.X-b.width/2), x(v.X+b.width/2), y(v.Y)
		c.FillPolygon(b.ink, c.ClipPolygonXY([]vg.Point{{X: left, Y: foot}, {X: left, Y: top},
			{X: right, Y: top}, {X: right, Y: foot}}))
	}
}

// Thumbnail draws the legend's sample.
func (b bars) Thumbnail(c *draw.Canvas) {
	c.FillPolygon(b.ink, []vg.Point{{X: c.Min.X, Y: c.Min.Y}, {X: c.Min.X, Y: c.Max.Y},
		{X: c.Max.X, Y: c.Max.Y}, {X: c.Max.X, Y: c.Min.Y}})
}

// whiskers are error bars.
type whiskers struct {
	x, low, high []float64
	ink          color.NRGBA
	width        vg.Length
}

// DataRange includes the error bars.
func (w whiskers) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = plotter.Range(plotter.Values(w.x))
	ymin, _ = plotter.Range(plotter.Values(w.low))
	_, ymax = plotter.Range(plotter.Values(w.high))
	return xmin, xmax, ymin, ymax
}

func (w whiskers) Plot(c draw.Canvas, p *gonum.Plot) {
	x, y := p.Transforms(&c)
	const half = vg.Length(2.5) // of the line across each end
	look := draw.LineStyle{Color: w.ink, Width: w.width}
	for i := range w.x {
		at, low, high := x(w.x[i]), y(w.low[i]), y(w.high[i])
		for _, l := range [][]vg.Point{{{X: at, Y: low}, {X: at, Y: high}},
			{{X: at - half, Y: low}, {X: at + half, Y: low}},
			{{X: at - half, Y: high}, {X: at + half, Y: high}}} {
			c.StrokeLines(look, c.ClipLinesXY(l)...)
		}
	}
}
