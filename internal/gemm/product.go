package gemm

import (
	"fmt"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Product sets c = a*b, spread over goroutines.
func Product[T kernel.Float](c, a, b Matrix[T]) {
	spaces := Take[T](parallel.Workers(len(c.Rows) * len(c.Cols)))
	defer Give(spaces)
	MultiplyParts(c, a, b, spaces)
}

// MultiplyParts is Multiply from +0, spread over as many goroutines as there are workspaces: by columns and,
// where there are few panels, by rows as well.
func MultiplyParts[T kernel.Float](c, a, b Matrix[T], spaces []*Workspace[T]) {
	if len(spaces) == 1 {
		Multiply(c, a, b, false, spaces[0])
		return
	}
	if len(a.Cols) != len(b.Rows) || len(c.Rows) != len(a.Rows) || len(c.Cols) != len(b.Cols) {
		panicOnSizes(c, a, b)
	}
	parts := Share[T](len(c.Rows), len(c.Cols), len(spaces))
	parallel.Spread(len(spaces), len(parts), func(worker, i int) {
		q, k := parts[i], len(a.Cols)
		Multiply(c.Block(q.Row0, q.Row1, q.Col0, q.Col1), a.Block(q.Row0, q.Row1, 0, k),
			b.Block(0, k, q.Col0, q.Col1), false, spaces[worker])
	})
}

// Part is rows Row0..Row1-1 and columns Col0..Col1-1 of a product.
type Part struct{ Row0, Row1, Col0, Col1 int }

// Share cuts a product into about count parts of equal work, along whole tiles.
func Share[T kernel.Float](rows, cols, count int) []Part {
	set := kernel.Active[T]()
	height, width := set.Tiles[0].Height(), kernel.Vectors*set.Lanes
	strips, panels := (rows+height-1)/height, (cols+width-1)/width
	colParts := max(1, min(panels, count))
	if panels < 2*count && strips > panels { // a last panel more or less would make the parts unequal
		colParts = 1
	}
	rowParts := max(1, min(strips, (count+colParts-1)/colParts))
	var list []Part
	for i := range colParts * rowParts {
		c, r := i/rowParts, i%rowParts
		list = append(list, Part{r * strips / rowParts * height, min((r+1)*strips/rowParts*height, rows),
			c * panels / colParts * width, min((c+1)*panels/colParts*width, cols)})
	}
	return list
}

func panicOnSizes[T kernel.Float](c, a, b Matrix[T]) {
	panic(fmt.Sprintf("gemm: product of %dx%d and %dx%d into %dx%d", len(a.Rows), len(a.Cols), len(b.Rows),
		len(b.Cols), len(c.Rows), len(c.Cols)))
}
