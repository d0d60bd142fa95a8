package plot

import (
	"fmt"
	"image"
	"image/color"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Grid is small images in rows and columns, enlarged so that each of their pixels stays a square.
type Grid struct {
	Title       string
	Columns     int
	Cells       []Cell   // row by row
	ColumnNames []string // above the columns; nil means none
	RowNames    []string // left of the rows; nil means none
	Scale       int      // pixels of the PNG for each pixel of an image, and twice the points in the SVG
	Gap         int      // pixels of the PNG between images; 0 means 8
}

// Cell is an image of a grid and a line of text below it.
type Cell struct {
	Image   image.Image // nil means an empty cell
	Caption string
}

// Render draws the grid. No cells, or numbers of names that do not fit the rows and columns, are the caller's
// bug and panic.
func (g Grid) Render() (Picture, error) {
	if g.Columns < 1 || g.Scale < 1 || len(g.Cells) == 0 {
		panic(fmt.Sprintf("plot: grid %q: %d cells in %d columns, scale %d", g.Title, len(g.Cells), g.Columns,
			g.Scale))
	}
	rows := (len(g.Cells) + g.Columns - 1) / g.Columns
	if (g.ColumnNames != nil && len(g.ColumnNames) != g.Columns) ||
		(g.RowNames != nil && len(g.RowNames) != rows) {
		panic(fmt.Sprintf("plot: grid %q: %d column names and %d row names for %d x %d", g.Title,
			len(g.ColumnNames), len(g.RowNames), rows, g.Columns))
	}
	l := g.layout(rows)
	return render(l.width, l.height, func(c draw.Canvas) { g.paint(c, l) })
}

// layout is the sizes and positions of a grid, in points from the top left corner; all images begin at a
// whole pixel of the PNG.
type layout struct {
	width, height vg.Length
	left, top     vg.Length // of the first image
	cellX, cellY  vg.Length // the largest image
	stepX, stepY  vg.Length // from image to image
}

func (g Grid) layout(rows int) layout {
	var l layout
	gap := vg.Length(g.Gap)
	if g.Gap == 0 {
		gap = 8
	}
	caption := vg.Length(0)
	for _, c := range g.Cells {
		if c.Image != nil {
			l.cellX = max(l.cellX, vg.Length(c.Image.Bounds().Dx()*g.Scale)*pixel)
			l.cellY = max(l.cellY, vg.Length(c.Image.Bounds().Dy()*g.Scale)*pixel)
		}
		if c.Caption != "" {
			caption = 12
		}
	}
	l.stepX, l.stepY = l.cellX+gap*pixel, l.cellY+caption+gap*pixel
	const margin = 8
	l.left, l.top = margin, margin
	for _, name := range g.RowNames {
		width := style(textSize).Width(name)
		l.left = max(l.left, 2*margin+vg.Length(int(width)+1))
	}
	if g.Title != "" {
		l.top += 20
	}
	if g.ColumnNames != nil {
		l.top += 16
	}
	l.width = l.left + vg.Length(g.Columns)*l.stepX - gap*pixel + margin
	l.height = l.top + vg.Length(rows)*l.stepY - gap*pixel + margin
	return l
}

func (g Grid) paint(c draw.Canvas, l layout) {
	write := func(size float64, x text.XAlignment, y text.YAlignment, atX, atY vg.Length, s string) {
		look := style(size)
		look.XAlign, look.YAlign = x, y
		c.FillText(look, vg.Point{X: atX, Y: l.height - atY}, s)
	}
	if g.Title != "" {
		write(titleSize, text.XCenter, text.YTop, l.width/2, 7, g.Title)
	}
	for i, name := range g.ColumnNames {
		write(textSize, text.XCenter, text.YBottom, l.left+vg.Length(i)*l.stepX+l.cellX/2, l.top-3, name)
	}
	for i, name := range g.RowNames {
		write(textSize, text.XRight, text.YCenter, l.left-8, l.top+vg.Length(i)*l.stepY+l.cellY/2, name)
	}
	for i, cell := range g.Cells {
		x, y := l.left+vg.Length(i%g.Columns)*l.stepX, l.top+vg.Length(i/g.Columns)*l.stepY
		if cell.Image != nil {
			big := enlarge(cell.Image, g.Scale)
			width, height := vg.Length(big.Rect.Dx())*pixel, vg.Length(big.Rect.Dy())*pixel
			c.DrawImage(vg.Rectangle{Min: vg.Point{X: x, Y: l.height - y - height},
				Max: vg.Point{X: x + width, Y: l.height - y}}, big)
		}
		write(smallSize, text.XCenter, text.YTop, x+l.cellX/2, y+l.cellY+1, cell.Caption)
	}
}

// enlarge repeats each pixel scale times in both directions: nothing is interpolated.
func enlarge(from image.Image, scale int) *image.NRGBA {
	b := from.Bounds()
	to := image.NewNRGBA(image.Rect(0, 0, b.Dx()*scale, b.Dy()*scale))
	for y := range to.Rect.Dy() {
		for x := range to.Rect.Dx() {
			to.Set(x, y, color.NRGBAModel.Convert(from.At(b.Min.X+x/scale, b.Min.Y+y/scale)))
		}
	}
	return to
}
