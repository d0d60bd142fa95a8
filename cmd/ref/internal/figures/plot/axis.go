package plot

import (
	"fmt"
	"math"
	"strconv"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
)

// prepare gives an axis its look and its scale.
func (a Axis) prepare(g *gonum.Axis) {
	g.Label.Text = a.Label
	restyle(&g.Label.TextStyle, textSize)
	restyle(&g.Tick.Label, smallSize)
	g.Label.Padding, g.Padding = 4, 4
	g.LineStyle.Width, g.Tick.LineStyle.Width = 0.75, 0.75
	switch {
	case a.Names != nil:
		g.Tick.Marker = names(a.Names)
		g.Tick.LineStyle.Width = 0
	case a.Log:
		g.Scale, g.Tick.Marker = gonum.LogScale{}, gonum.TickerFunc(decades)
	default:
		g.Tick.Marker = gonum.TickerFunc(steps)
	}
}

// restyle changes the font of a text, but not its position and direction.
func restyle(s *text.Style, size float64) {
	look := style(size)
	s.Font, s.Color, s.Handler = look.Font, look.Color, look.Handler
}

// fit sets the range of an axis once the series are known.
func (a Axis) fit(g *gonum.Axis) {
	switch {
	case a.From != 0 || a.To != 0:
		if !(a.From < a.To) || (a.Log && a.From <= 0) {
			panic(fmt.Sprintf("plot: axis %q: range %g to %g, logarithmic: %t", a.Label, a.From, a.To, a.Log))
		}
		g.Min, g.Max = a.From, a.To
	case a.Names != nil:
		g.Min, g.Max = min(g.Min, -0.5), max(g.Max, float64(len(a.Names))-0.5)
	// This is the usual case; a span of a few rounding errors would have no ticks.
	case g.Max-g.Min > 1e-12*max(math.Abs(g.Min), math.Abs(g.Max)):
	case a.Log: // one value: a range around it
		g.Min, g.Max = g.Min/2, g.Max*2
	default:
		around := max(1, 1e-3*math.Abs(g.Min))
		g.Min, g.Max = g.Min-around, g.Max+around
	}
}

// names are ticks with names at 0, 1, 2, ...
func names(list []string) gonum.ConstantTicks {
	var ticks gonum.ConstantTicks
	for i, name := range list {
		ticks = append(ticks, gonum.Tick{Value: float64(i), Label: name})
	}
	return ticks
}

// steps are the ticks of a linear axis: the multiples of the smallest 1, 2 or 5 times a power of ten that
// gives at most seven.
func steps(from, to float64) []gonum.Tick {
	const maxTicks = 7
	e := 0
	for power(e)*maxTicks > to-from {
		e--
	}
	for power(e+1)*maxTicks <= to-from {
		e++
	}
	width := power(e)
	for _, factor := range []float64{1, 2, 5, 10} {
		if width = factor * power(e); width*maxTicks > to-from {
			break
		}
	}
	const slack = 1e-9 // of a step, for rounding errors at the ends
	var ticks []gonum.Tick
	for i := math.Ceil(from/width - slack); i <= to/width+slack; i++ {
		v := float64(i*width) + 0 // not -0
		ticks = append(ticks, gonum.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 6, 64)})
	}
	return ticks
}

// decades are the ticks of a logarithmic axis: the powers of ten are named, 2 and 5 times them too if there
// are few, and only each second, third, ... of many.
func decades(from, to float64) []gonum.Tick {
	first, last := 0, 0
	for power(first) > from {
		first--
	}
	for power(first+1) <= from {
		first++
	}
	for last = first; power(last) < to; {
		last++
	}
	const maxNames = 8 // powers with names
	each, few := (last-first)/maxNames+1, power(first+3) > to
	var ticks []gonum.Tick
	for e := first; e <= last; e++ {
		for i := 1; i < 10; i++ {
			t := gonum.Tick{Value: float64(i) * power(e)}
			if t.Value < from || t.Value > to {
				continue
			}
			if (i == 1 && e%each == 0) || (few && (i == 1 || i == 2 || i == 5)) {
				t.Label = strconv.FormatFloat(t.Value, 'g', 3, 64)
			}
			ticks = append(ticks, t)
		}
	}
	return ticks
}

// power is 10^e, correctly rounded; 0 and infinity beyond float64's range.
func power(e int) float64 {
	v, _ := strconv.ParseFloat("1e"+strconv.Itoa(e), 64)
	return v
}
