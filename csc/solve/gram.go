package solve

import (
	"sdref/conv"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// gram is the inner products of a dictionary's atoms, by the distance of their positions. An atom that the
// border cuts off has other products than a whole one, so there is a table for every combination of taps that
// are left.
type gram[T tensor.Float] struct {
	a            Dictionary[T]
	signal, code []int
	reach        [2]int // the greatest distance in positions, along rows and columns, of atoms that overlap
	block        int    // the side of a block of Coordinate
	rows, cols   []taps // of an atom at each row and column of the code
	tables       map[[2]taps]*gramTable[T]
	byPosition   []*gramTable[T] // the table of an atom at (i, j)
}

// taps is the range of an atom's taps that lie inside the signal, along one axis.
type taps struct{ lo, hi int }

// gramTable is the products of atoms that have been cut to the same range of taps.
type gramTable[T tensor.Float] struct {
	// products (M, M, 2 rows+1, 2 columns+1) is the inner products of atom m, cut, with every whole atom at
	// every distance; rows and columns are the reach.
	products *tensor.Tensor[T]
	squares  []float64 // |a|^2 of the cut atoms, by m
}

func newGram[T tensor.Float](a Dictionary[T], signal []int) *gram[T] {
	g := &gram[T]{a: a, signal: signal, code: a.CodeShape(signal), tables: map[[2]taps]*gramTable[T]{}}
	stride, dilation := max(1, a.Geometry.Stride), max(1, a.Geometry.Dilation)
	for axis := range 2 {
		count := a.Atoms.Shape[2+axis]
		g.reach[axis] = dilation * (count - 1) / stride
		var cuts []taps
		for i := range g.code[2+axis] {
			cuts = append(cuts, g.tapRange(i*stride-a.Geometry.Padding, signal[2+axis], count, dilation))
		}
		if axis == 0 {
			g.rows = cuts
		} else {
			g.cols = cuts
		}
	}
	g.block = max(g.reach[0], g.reach[1]) + 1
	g.byPosition = make([]*gramTable[T], len(g.rows)*len(g.cols))
	for i, r := range g.rows {
		for j, c := range g.cols {
			g.byPosition[i*len(g.cols)+j] = g.table(r, c)
		}
	}
	return g
}

// tapRange is the taps, of so many, that lie inside the signal for an atom that begins at pixel first of an
// axis.
func (g *gram[T]) tapRange(first, size, count, dilation int) taps {
	c := taps{0, count}
	if g.a.Boundary == CircularBoundary {
		return c
	}
	for c.lo < count && first+c.lo*dilation < 0 {
		c.lo++
	}
	for c.hi > c.lo && first+(c.hi-1)*dilation >= size {
		c.hi--
	}
	return c
}

// table returns the table for atoms cut to the given taps, which it makes unless there is one. Each atom,
// cut, is written to a signal of its own that is large enough for all atoms that overlap it, and A* of the
// signal is its products.
func (g *gram[T]) table(rows, cols taps) *gramTable[T] {
	if t := g.tables[[2]taps{rows, cols}]; t != nil {
		return t
	}
	w := g.a.Atoms
	atoms, channels, kh, kw := w.Shape[0], w.Shape[1], w.Shape[2], w.Shape[3]
	stride, dilation := max(1, g.a.Geometry.Stride), max(1, g.a.Geometry.Dilation)
	plain := conv.Geometry{Stride: stride, Dilation: dilation}
	x := tensor.New[T](atoms, channels, plain.SignalSize(2*g.reach[0]+1, kh),
		plain.SignalSize(2*g.reach[1]+1, kw))
	t := &gramTable[T]{products: tensor.New[T](atoms, atoms, 2*g.reach[0]+1, 2*g.reach[1]+1)}
	for m := range atoms {
		for c := range channels {
			for u := rows.lo; u < rows.hi; u++ {
				for v := cols.lo; v < cols.hi; v++ {
					x.Set(w.At(m, c, u, v), m, c, g.reach[0]*stride+u*dilation, g.reach[1]*stride+v*dilation)
				}
			}
		}
		t.squares = append(t.squares, tensor.SumSquares(x.Row(m)))
	}
	conv.Forward(t.products, x, w, plain)
	g.tables[[2]taps{rows, cols}] = t
	return t
}

// square is |a|^2 of atom m at position (i, j).
func (g *gram[T]) square(m, i, j int) float64 { return g.byPosition[i*g.code[3]+j].squares[m] }

// update changes c (M, Ho, Wo) as adding d to the element of atom m at (i, j) does: it subtracts d times the
// products.
func (g *gram[T]) update(c []T, m, i, j int, d T) {
	set, height, width := kernel.Active[T](), g.code[2], g.code[3]
	rows, cols := 2*g.reach[0]+1, 2*g.reach[1]+1
	products := g.byPosition[i*width+j].products.Row(m).Data
	wraps := g.a.Boundary == CircularBoundary
	left, right := max(0, g.reach[1]-j), min(cols, width+g.reach[1]-j)
	for k := range g.code[1] {
		for u := range rows {
			row := i + u - g.reach[0]
			if !wraps && (row < 0 || row >= height) {
				continue
			}
			from, to := products[(k*rows+u)*cols:(k*rows+u+1)*cols],
				c[(k*height+modulo(row, height))*width:][:width]
			if wraps && (left > 0 || right < cols) {
				for v, b := range from {
					to[modulo(j+v-g.reach[1], width)] -= T(d * b)
				}
				continue
			}
			into := to[j+left-g.reach[1] : j+right-g.reach[1]]
			set.AddScaled(into, into, from[left:right], -d)
		}
	}
}

// modulo is i mod n, not negative.
func modulo(i, n int) int { return ((i % n) + n) % n }
