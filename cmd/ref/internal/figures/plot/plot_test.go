package plot

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"

	gonum "gonum.org/v1/plot"
)

// decode reads both files of a picture and fails unless they are of the same size.
func decode(t *testing.T, p Picture) image.Image {
	t.Helper()
	m, err := png.Decode(bytes.NewReader(p.PNG))
	if err != nil {
		t.Fatal(err)
	}
	var root struct {
		ViewBox string `xml:"viewBox,attr"`
	}
	if err := xml.Unmarshal(p.SVG, &root); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(bytes.NewReader(p.SVG))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.HasPrefix(root.ViewBox, "0 0 ") {
		t.Errorf("viewBox %q", root.ViewBox)
	}
	return m
}

func render2(t *testing.T, draw func() (Picture, error)) Picture {
	t.Helper()
	a, err := draw()
	if err != nil {
		t.Fatal(err)
	}
	b, err := draw()
	if err != nil || !bytes.Equal(a.PNG, b.PNG) || !bytes.Equal(a.SVG, b.SVG) {
		t.Errorf("drawn twice, the files differ (%v)", err)
	}
	return a
}

// near tells whether a pixel has a colour, up to rounding.
func near(c color.Color, want color.NRGBA) bool {
	got := color.NRGBAModel.Convert(c).(color.NRGBA)
	far := func(a, b uint8) bool { return a > b+2 || b > a+2 }
	return !far(got.R, want.R) && !far(got.G, want.G) && !far(got.B, want.B)
}

// column returns how many pixels of a column have a colour, and the topmost.
func column(m image.Image, x int, want color.NRGBA) (count, top int) {
	for y := m.Bounds().Max.Y - 1; y >= 0; y-- {
		if near(m.At(x, y), want) {
			count, top = count+1, y
		}
	}
	return count, top
}

// Bars stand at their places, as high as their values say, from zero.
func TestBars(t *testing.T) {
	for _, c := range []struct {
		y     Axis
		value []float64
		share []float64 // of the highest
	}{
		{Axis{}, []float64{4, 1, 3, 2}, []float64{1, 0.25, 0.75, 0.5}},
		{Axis{Log: true, From: 1, To: 1000}, []float64{1000, 10, 100, 10},
			[]float64{1, 1. / 3, 2. / 3, 1. / 3}},
	} {
		p := render2(t, func() (Picture, error) {
			return Chart{Y: c.y, Series: []Series{{X: []float64{0, 1, 2, 3}, Y: c.value, Mark: Bars,
				Width: 1}}}.Render()
		})
		m := decode(t, p)
		if m.Bounds().Dx() != 960 || m.Bounds().Dy() != 600 {
			t.Errorf("size %v", m.Bounds())
		}
		left, right := 960, 0
		for x := range 960 {
			if n, _ := column(m, x, colors[0]); n > 10 {
				left, right = min(left, x), max(right, x)
			}
		}
		highest, _ := column(m, left+10, colors[0])
		for i, share := range c.share {
			n, _ := column(m, left+int((float64(i)+0.5)/4*float64(right-left)), colors[0])
			if want := share * float64(highest); math.Abs(float64(n)-want) > 3 {
				t.Errorf("log %t: bar %d is %d pixels high, want %.0f", c.y.Log, i, n, want)
			}
		}
	}
}

// A line passes through its points: at the middle of a line from (0, 0) to (2, 2) stands ink, above and below
// it none.
func TestLine(t *testing.T) {
	p := render2(t, func() (Picture, error) {
		return Chart{Title: "a < b & c", X: Axis{Label: "across"}, Y: Axis{Label: "up"},
			Series: []Series{{Name: "first", X: []float64{0, 2}, Y: []float64{0, 2}},
				{Name: "second", X: []float64{0, 2}, Y: []float64{0, 0}, Mark: Points}}}.Render()
	})
	m := decode(t, p)
	left, right := 960, 0
	for x := range 960 {
		for y := range 400 { // above the legend
			if near(m.At(x, y), colors[0]) {
				left, right = min(left, x), max(right, x)
			}
		}
	}
	n, top := column(m, (left+right)/2, colors[0])
	if n < 2 || n > 8 {
		t.Errorf("%d pixels of ink in the middle", n)
	}
	_, first := column(m, left+2, colors[0])
	_, last := column(m, right-2, colors[0])
	if math.Abs(float64(first+last)/2-float64(top)) > 4 {
		t.Errorf("the line is at %d in the middle of %d and %d", top, first, last)
	}
	for _, text := range []string{">a &lt; b &amp; c<", ">across<", ">up<", ">first<", ">second<", "Arial"} {
		if !bytes.Contains(p.SVG, []byte(text)) {
			t.Errorf("no %q in the SVG file", text)
		}
	}
}

// The pixels of a grid's images are squares of exactly their colours, in both files.
func TestGrid(t *testing.T) {
	const scale = 7
	var cells []Cell
	for i := range 5 {
		m := image.NewNRGBA(image.Rect(0, 0, 3, 2))
		for j := range 6 {
			m.Set(j%3, j/3, color.NRGBA{uint8(50 * i), uint8(40 * j), 0xEE, 0xFF})
		}
		cells = append(cells, Cell{Image: m})
	}
	cells[3] = Cell{} // an empty place
	p := render2(t, func() (Picture, error) {
		return Grid{Columns: 2, Cells: cells, Scale: scale, Gap: 4}.Render()
	})
	m := decode(t, p)
	const margin = 16 // 8 points
	if want := image.Rect(0, 0, 2*margin+2*3*scale+4, 2*margin+3*2*scale+2*4); m.Bounds() != want {
		t.Fatalf("size %v, want %v", m.Bounds(), want)
	}
	var embedded []image.Image
	for _, found := range regexp.MustCompile(`href="data:image/png;base64,([^"]+)"`).FindAllSubmatch(p.SVG,
		-1) {
		file, err := base64.StdEncoding.DecodeString(string(found[1]))
		if err != nil {
			t.Fatal(err)
		}
		e, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		embedded = append(embedded, e)
	}
	if len(embedded) != 4 {
		t.Fatalf("%d images in the SVG file", len(embedded))
	}
	seen := 0
	for i, cell := range cells {
		if cell.Image == nil {
			continue
		}
		x0, y0 := margin+i%2*(3*scale+4), margin+i/2*(2*scale+4)
		for y := range 2 * scale {
			for x := range 3 * scale {
				want := cell.Image.(*image.NRGBA).NRGBAAt(x/scale, y/scale)
				if got := color.NRGBAModel.Convert(m.At(x0+x, y0+y)); got != want {
					t.Fatalf("cell %d, pixel %d %d: %v, want %v", i, x, y, got, want)
				}
				if got := color.NRGBAModel.Convert(embedded[seen].At(x, y)); got != want {
					t.Fatalf("SVG, cell %d, pixel %d %d: %v, want %v", i, x, y, got, want)
				}
			}
		}
		seen++
	}
}

// What cannot be drawn is left out, and nothing at all is an error rather than a panic.
func TestNothingToDraw(t *testing.T) {
	nan := math.NaN()
	for _, s := range []Series{{}, {X: []float64{1, nan}, Y: []float64{math.Inf(1), 1}},
		{X: []float64{1}, Y: []float64{-1}}} {
		if _, err := (Chart{Title: "empty", Y: Axis{Log: true}, Series: []Series{s}}).Render(); err == nil ||
			!strings.Contains(err.Error(), `"empty"`) {
			t.Errorf("%v: error %v", s, err)
		}
	}
	some := Series{X: []float64{1, 2, 3}, Y: []float64{0, 1, nan}, Error: []float64{1, 2, 3}}
	if _, err := (Chart{Y: Axis{Log: true}, Series: []Series{some}}).Render(); err != nil {
		t.Error(err)
	}
}

// TestTinyRange: values that differ by rounding only are drawn as one value.
func TestTinyRange(t *testing.T) {
	for _, y := range []float64{1, -3e9, 1e-300, 0} {
		c := Chart{Series: []Series{{X: []float64{1, 2}, Y: []float64{y, math.Nextafter(y, 10)}}}}
		if _, err := c.Render(); err != nil {
			t.Errorf("%g: %v", y, err)
		}
	}
}

func TestCallersBugs(t *testing.T) {
	one := []float64{1}
	for part, f := range map[string]func(){
		"1 x, 0 y": func() { Chart{Series: []Series{{Name: "s", X: one}}}.Render() },
		"1 x, 1 y, 2 errors": func() {
			Chart{Series: []Series{{X: one, Y: one, Error: []float64{1, 2}}}}.Render()
		},
		"Mark(9)": func() { Chart{Series: []Series{{X: one, Y: one, Mark: 9}}}.Render() },
		"range -1 to 5": func() {
			Chart{Y: Axis{Log: true, From: -1, To: 5}, Series: []Series{{X: one, Y: one}}}.Render()
		},
		"0 cells": func() { Grid{Columns: 1, Scale: 1}.Render() },
		"1 column names and 0": func() {
			Grid{Columns: 2, Scale: 1, Cells: make([]Cell, 2), ColumnNames: []string{"a"}}.Render()
		},
	} {
		func() {
			defer func() {
				if text, ok := recover().(string); !ok || !strings.Contains(text, part) {
					t.Errorf("panic %q, want one that says %q", text, part)
				}
			}()
			f()
		}()
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to float64
		ticker   func(from, to float64) []gonum.Tick
		want     string
	}{
		{"steps", 0, 1, steps, "0 0.2 0.4 0.6 0.8 1"},
		{"steps", -0.3, 0.3, steps, "-0.3 -0.2 -0.1 0 0.1 0.2 0.3"},
		{"steps", 13, 1260, steps, "200 400 600 800 1000 1200"},
		{"steps", 1e-5, 6e-5, steps, "1e-05 2e-05 3e-05 4e-05 5e-05 6e-05"},
		{"decades", 0.9, 37, decades, "1 2 5 10 20"},
		{"decades", 3, 8, decades, "5"},
		{"decades", 1e-3, 1e3, decades, "0.001 0.01 0.1 1 10 100 1e+03"},
		{"decades", 1e-12, 1, decades, "1e-12 1e-10 1e-08 1e-06 0.0001 0.01 1"},
	} {
		var labels []string
		for _, tick := range c.ticker(c.from, c.to) {
			if tick.Label != "" {
				labels = append(labels, tick.Label)
			}
		}
		if got := strings.Join(labels, " "); got != c.want {
			t.Errorf("%s from %g to %g: %s, want %s", c.name, c.from, c.to, got, c.want)
		}
	}
}
