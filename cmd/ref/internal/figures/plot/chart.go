package plot

import (
	"fmt"
	"math"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Chart is a diagram of one or more series over common axes.
type Chart struct {
	Title         string
	X, Y          Axis
	Series        []Series
	Width, Height float64 // in points; 0 means 480 x 300
}

// Axis is one of a chart's two axes.
type Axis struct {
	Label    string
	Log      bool     // logarithmic; points that are not positive are left out
	From, To float64  // the range; if both are 0, that of the series
	Names    []string // names in place of numbers, at 0, 1, 2, ...
}

// Series is a set of points of a chart and the way they are drawn.
type Series struct {
	Name  string // in the legend; none if empty
	X, Y  []float64
	Mark  Mark
	Width float64   // of a bar, in units of X
	Error []float64 // half the length of an error bar at each point; nil means none
	Color int       // from 1; 0 means the next one that the chart has not used
}

// Mark is the way in which a series is drawn.
type Mark int

const (
	Line       Mark = iota // a line from point to point
	Dashes                 // a dashed line from point to point
	Points                 // a dot at each point
	LinePoints             // a line, and a dot at each point
	Bars                   // a bar from the axis, centred at each point
)

// Render draws the chart. Points with a coordinate that is not finite, or cannot stand on a logarithmic axis,
// are left out; if none is left that is an error. Series whose X and Y differ in length are the caller's bug
// and panic.
func (c Chart) Render() (Picture, error) {
	p := gonum.New()
	p.Title.Text, p.Title.Padding = c.Title, 6
	restyle(&p.Title.TextStyle, titleSize)
	restyle(&p.Legend.TextStyle, smallSize)
	p.Legend.Top, p.Legend.Padding, p.Legend.XOffs, p.Legend.YOffs = true, 2, -4, -4
	c.X.prepare(&p.X)
	c.Y.prepare(&p.Y)
	p.Add(c.grid())
	next, drawn := 0, 0
	for _, s := range c.Series {
		if s.Color == 0 {
			next++
			s.Color = next
		}
		drawn += s.add(p, c.X.Log, c.Y.Log)
	}
	if drawn == 0 {
		return Picture{}, fmt.Errorf("plot: %q: no point can be drawn", c.Title)
	}
	c.X.fit(&p.X)
	c.Y.fit(&p.Y)
	width, height := vg.Length(c.Width), vg.Length(c.Height)
	if c.Width == 0 {
		width = 480
	}
	if c.Height == 0 {
		height = 300
	}
	// The names stand in a strip of their own above the axes, never over a curve.
	names := p.Legend
	p.Legend = gonum.NewLegend()
	strip := vg.Length(0)
	for _, s := range c.Series {
		if s.Name != "" {
			strip += style(smallSize).Height(s.Name) + names.Padding
		}
	}
	if strip > 0 {
		strip += 8
	}
	return render(width, height+strip, func(canvas draw.Canvas) {
		names.Draw(draw.Crop(canvas, 4, -12, height, 0))
		p.Draw(draw.Crop(canvas, 4, -12, 4, -4-strip))
	})
}

// grid is the lines behind the series; names have none.
func (c Chart) grid() *plotter.Grid {
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = grey, grey
	g.Vertical.Width, g.Horizontal.Width = 0.5, 0.5
	if c.X.Names != nil {
		g.Vertical.Width = 0
	}
	return g
}

// add adds the series to the plot and returns how many points it has there.
func (s Series) add(p *gonum.Plot, logX, logY bool) int {
	if len(s.X) != len(s.Y) || (s.Error != nil && len(s.Error) != len(s.X)) {
		panic(fmt.Sprintf("plot: series %q: %d x, %d y, %d errors", s.Name, len(s.X), len(s.Y), len(s.Error)))
	}
	can := func(v float64, log bool) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) && (!log || v > 0) }
	var points plotter.XYs
	errors := whiskers{width: 1}
	for i, x := range s.X {
		if !can(x, logX) || !can(s.Y[i], logY) {
			continue
		}
		points = append(points, plotter.XY{X: x, Y: s.Y[i]})
		if s.Error == nil {
			continue
		}
		if low, high := s.Y[i]-s.Error[i], s.Y[i]+s.Error[i]; can(low, logY) && can(high, logY) {
			errors.x, errors.low, errors.high = append(errors.x, x), append(errors.low, low),
				append(errors.high, high)
		}
	}
	if len(points) == 0 {
		return 0
	}
	ink := colors[(s.Color-1)%len(colors)]
	var parts []gonum.Plotter
	if len(errors.x) > 0 {
		errors.ink = ink
		parts = append(parts, errors)
	}
	switch s.Mark {
	case Bars:
		parts = append(parts, bars{points, s.Width, logY, ink})
	case Points, LinePoints, Line, Dashes:
		if s.Mark != Points {
			line := &plotter.Line{XYs: points, LineStyle: draw.LineStyle{Color: ink, Width: 1.5}}
			if s.Mark == Dashes {
				line.Dashes = []vg.Length{5, 3}
			}
			parts = append(parts, line)
		}
		if s.Mark == Points || s.Mark == LinePoints {
			parts = append(parts, &plotter.Scatter{XYs: points,
				GlyphStyle: draw.GlyphStyle{Color: ink, Radius: 2.5, Shape: draw.CircleGlyph{}}})
		}
	default:
		panic(fmt.Sprintf("plot: series %q: Mark(%d)", s.Name, s.Mark))
	}
	p.Add(parts...)
	if s.Name != "" {
		var thumbs []gonum.Thumbnailer
		for _, part := range parts {
			if t, ok := part.(gonum.Thumbnailer); ok {
				thumbs = append(thumbs, t)
			}
		}
		p.Legend.Add(s.Name, thumbs...)
	}
	return len(points)
}
