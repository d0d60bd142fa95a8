package gemm

import (
	"fmt"

	"sdref/internal/kernel"
	"sdref/internal/parallel"
)

// Matrix is a matrix in memory: element (i, j) at Data[i*RowStride + j*ColStride].
type Matrix[T kernel.Float] struct {
	Data                 []T
	Rows, Cols           int
	RowStride, ColStride int
}

// Transposed is the same memory read as the transposed matrix.
func (m Matrix[T]) Transposed() Matrix[T] {
	return Matrix[T]{m.Data, m.Cols, m.Rows, m.ColStride, m.RowStride}
}

// Product computes c = a*b (m x k times k x n), spread over goroutines by columns or, where those are few, by rows as well.
// The columns of c must be contiguous.
func Product[T kernel.Float](c, a, b Matrix[T]) {
	if a.Cols != b.Rows || c.Rows != a.Rows || c.Cols != b.Cols || c.ColStride != 1 {
		panic(fmt.Sprintf("gemm: product of %dx%d and %dx%d into %dx%d (column stride %d)", a.Rows, a.Cols, b.Rows, b.Cols, c.Rows, c.Cols, c.ColStride))
	}
	set := kernel.Active[T]()
	shared := Take[T](1)
	defer Give(shared)
	left := &shared[0].Left
	left.Layout(set, a.Rows, a.Cols)
	source := newOperand(set, a.Transposed(), set.Tiles[0].Rows, depth)
	left.Pack(depth, source.Panel)
	right := newOperand(set, b, set.Cols, depth)
	panels := (c.Cols + set.Cols - 1) / set.Cols
	colParts, rowParts := Split(panels, left.Strips())
	out := Target[T]{Data: c.Data, RowStride: c.RowStride}
	spaces := Take[T](parallel.Workers(colParts * rowParts))
	defer Give(spaces)
	parallel.For(colParts*rowParts, func(worker, i int) {
		col, row := i/rowParts, i%rowParts
		c0, c1 := col*panels/colParts*set.Cols, min((col+1)*panels/colParts*set.Cols, c.Cols)
		s0, s1 := row*left.Strips()/rowParts, (row+1)*left.Strips()/rowParts
		left.Multiply(s0, s1, right, c0, c1, out, false, spaces[worker])
	})
}

// Split shares panels x strips out over the goroutines there are, by panels first.
func Split(panels, strips int) (colParts, rowParts int) {
	workers := parallel.Workers(panels * strips)
	colParts = max(1, min(panels, workers))
	rowParts = max(1, min(strips, (workers+colParts-1)/colParts))
	return colParts, rowParts
}

// operand is a matrix in memory as a right operand (and, transposed, as the source of a left one). The offset tables let
// either orientation be packed with the kernels, where one of the strides is 1.
type operand[T kernel.Float] struct {
	Matrix[T]
	set        *kernel.Set[T]
	rows, cols []int // i*RowStride, j*ColStride
}

func newOperand[T kernel.Float](set *kernel.Set[T], m Matrix[T], cols, rows int) *operand[T] {
	return &operand[T]{m, set, Offsets(rows, m.RowStride), Offsets(cols, m.ColStride)}
}

func (o *operand[T]) Panel(dst []T, stride, col, cols, p0, p1 int) {
	if cols == 0 || p0 == p1 {
		return
	}
	src := o.Data[col*o.ColStride+p0*o.RowStride:]
	switch {
	case o.RowStride == 1:
		o.set.Interleave(dst, stride, src, o.cols[:cols], p1-p0)
	case o.ColStride == 1:
		o.set.Gather(dst, stride, src, o.rows[:p1-p0], cols)
	default:
		for p := range p1 - p0 {
			for j := range cols {
				dst[p*stride+j] = src[p*o.RowStride+j*o.ColStride]
			}
		}
	}
}

// Offsets returns 0, stride, 2*stride, ... : the rows of a matrix, for the packing kernels.
func Offsets(n, stride int) []int {
	off := make([]int, n)
	for i := range off {
		off[i] = i * stride
	}
	return off
}
