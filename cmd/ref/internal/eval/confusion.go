package eval

import (
	"fmt"
	"image"
	"image/color"
	"os"

	"sdref/cmd/ref/internal/cli"
	"sdref/cmd/ref/internal/figures/plot"
)

// cellSide is the side of a class's square in the picture, in pixels.
const cellSide = 14

// draw draws the confusion matrix, and writes its numbers beside it.
func (a *answers) draw(c *cli.Call, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	m, results := a.matrix(), a.byClass()
	f := plot.Figure{Name: "confusion", Header: []string{"class"}}
	var cells []plot.Cell
	var names []string
	for label, row := range m {
		names = append(names, results[label].Class)
		f.Header = append(f.Header, results[label].Class)
		numbers := plot.Row(results[label].Class)
		for _, n := range row {
			cells = append(cells, plot.Cell{Image: square(float64(n) / float64(max(1, results[label].Images)))})
			numbers = append(numbers, fmt.Sprint(n))
		}
		f.Rows = append(f.Rows, numbers)
	}
	grid := plot.Grid{Title: "images of each class (rows), by answer (columns)", Columns: len(m), Cells: cells, Scale: 1, Gap: 1, RowNames: names}
	var err error
	if f.Picture, err = grid.Render(); err != nil {
		return err
	}
	if err := f.Write(folder); err != nil {
		return err
	}
	fmt.Fprintf(c.Stdout, "confusion matrix: confusion.png, .svg and .csv in %s\n", folder)
	return nil
}

// square is a cell of the picture: white for none of a class's images, dark blue for all.
func square(share float64) image.Image {
	light := func(full float64) uint8 { return uint8(255 - share*(255-full) + 0.5) }
	s := image.NewNRGBA(image.Rect(0, 0, cellSide, cellSide))
	for y := range cellSide {
		for x := range cellSide {
			s.SetNRGBA(x, y, color.NRGBA{light(8), light(48), light(107), 255})
		}
	}
	return s
}
