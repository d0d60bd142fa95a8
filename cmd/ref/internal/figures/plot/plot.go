// Package plot draws charts and grids of small images, each as PNG and as SVG, and writes them with their
// numbers.
//
// A picture is a value: Chart or Grid, made of plain numbers, texts and images, and its Render. All pictures
// share one look: dark text on white, colours that colour-blind readers can tell apart, text of a size that
// survives a printed page. The same value gives the same bytes, call after call; nothing in a file tells when
// or where it was made.
//
// It is for the commands of cmd/ref. It knows nothing of networks.
package plot

import (
	"bytes"
	"fmt"
	"image/color"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	gonum "gonum.org/v1/plot"
)

// Picture is a drawn figure as two files.
type Picture struct{ PNG, SVG []byte }

// The resolution of the PNG: two pixels per point, so that it is sharp on high-resolution screens.
const (
	dpi   = 144
	pixel = vg.Inch / dpi
)

// The sizes of text in points.
const (
	titleSize = 13
	textSize  = 11
	smallSize = 9.5
)

// colors are Okabe and Ito's ("Color universal design", 2008), the darker ones first.
var colors = []color.NRGBA{
	{0x00, 0x72, 0xB2, 0xFF}, {0xD5, 0x5E, 0x00, 0xFF}, {0x00, 0x9E, 0x73, 0xFF}, {0xCC, 0x79, 0xA7, 0xFF},
	{0x33, 0x33, 0x33, 0xFF}, {0xE6, 0x9F, 0x00, 0xFF}, {0x56, 0xB4, 0xE9, 0xFF},
}

// grey is the colour of grid lines and frames.
var grey = color.NRGBA{0xD8, 0xD8, 0xD8, 0xFF}

// style is the look of text of a given size.
func style(size float64) text.Style {
	return text.Style{
		Color:   color.NRGBA{0x22, 0x22, 0x22, 0xFF},
		Font:    font.From(font.Font{Typeface: "Liberation", Variant: "Sans"}, vg.Length(size)),
		Handler: gonum.DefaultTextHandler,
	}
}

// render draws a picture of the given size in points by both backends.
func render(width, height vg.Length, paint func(draw.Canvas)) (Picture, error) {
	raster := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi))}
	vector := vgsvg.New(width, height)
	for _, backend := range []vg.CanvasSizer{raster, vector} {
		c := draw.New(backend)
		c.SetColor(color.White)
		c.Fill(c.Rectangle.Path())
		paint(c)
	}
	var png, svg bytes.Buffer
	if _, err := raster.WriteTo(&png); err != nil {
		return Picture{}, fmt.Errorf("plot: %w", err)
	}
	if _, err := vector.WriteTo(&svg); err != nil {
		return Picture{}, fmt.Errorf("plot: %w", err)
	}
	return Picture{PNG: png.Bytes(), SVG: portable(svg.Bytes())}, nil
}

// portable makes an SVG file look the same in more viewers: it names fonts of the same widths for viewers
// without Liberation, and gives images their true type and pixels without interpolation.
func portable(svg []byte) []byte {
	for _, change := range [][2]string{
		{"font-family:Liberation Sans;", "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"},
		{`xlink:href="data:image/jpg;base64,`,
			`style="image-rendering:pixelated" xlink:href="data:image/png;base64,`},
	} {
		svg = bytes.ReplaceAll(svg, []byte(change[0]), []byte(change[1]))
	}
	return svg
}
