package winograd

import (
	"sdref/internal/gemm"
	"sdref/internal/kernel"
)

// channelBlock is a range of channels of an operand of the products, blockWidth of them or the rest.
type channelBlock[T kernel.Float] struct {
	set                    *kernel.Set[T]
	index, first, channels int
	Cols                   int   // the channels rounded up to whole vectors
	vectors                []int // where the vectors of a row of sums start
}

// blockChannels32 is the number of channels of a block, for float32; half as many float64s take the same room. It is several
// panels of columns, so that one call of a tile does much, and so few that 64 links of them stay in the first-level cache.
const blockChannels32 = 64

// blockWidth is the number of channels of a block that is not the last.
func blockWidth[T kernel.Float](set *kernel.Set[T]) int {
	width := blockChannels32
	if _, double := any(T(0)).(float64); double {
		width /= 2
	}
	return max(panelWidth(set), width)
}

// panelWidth is the number of columns of a panel of a right operand.
func panelWidth[T kernel.Float](set *kernel.Set[T]) int { return kernel.Vectors * set.Lanes }

// channelBlocks cuts channels into blocks.
func channelBlocks[T kernel.Float](set *kernel.Set[T], channels int) (blocks []channelBlock[T]) {
	width := blockWidth(set)
	for first := 0; first < channels; first += width {
		b := channelBlock[T]{set: set, index: len(blocks), first: first, channels: min(width, channels-first)}
		b.Cols = roundUp(b.channels, set.Lanes)
		b.vectors = gemm.Offsets(b.Cols/set.Lanes, set.Lanes)
		blocks = append(blocks, b)
	}
	return blocks
}

// squares is where the transformed tiles of some rows of tiles lie: an operand of the 36 products, (6, 6, piece, tile,
// channel), each piece some channels. So what a product reads of it is one stretch of memory, which the processor
// fetches ahead however far away it is, and whose lines do not compete for a few sets of a cache.
type squares struct {
	tiles    int // that there is room for
	channels int // rounded up to whole vectors
	width    int // channels of a piece
	pitch    int // elements of a piece's tile, at least width
}

// plane is the number of elements of one of the 36 operands.
func (s squares) plane() int { return (s.channels+s.width-1)/s.width*s.tiles*s.pitch + skew }

// at is where the piece that begins at a channel lies in one of the 36 operands.
func (s squares) at(plane, channel int) int { return plane*s.plane() + channel/s.width*s.tiles*s.pitch }

// transformTo sets a tile's squares to the transform of the pixels of a band that begin at src.
func (s *bandBuffer[T]) transformTo(dst []T, to squares, tile int, run kernel.Transform[T], src []T) {
	plane := to.plane()
	for c := 0; c < to.channels; c += to.width {
		run(dst[to.at(0, c)+tile*to.pitch:], 6*plane, plane, src[c:], s.line(), s.pitch, min(to.width, to.channels-c))
	}
}

// leftOperand describes a left operand of the products: element (i, p) lies at i*row + p*link, and row or link is 1.
type leftOperand struct {
	row, link int
	links     []int   // p*link
	groups    [][]int // where the groups of rows of each tile lie
}

func newLeftOperand[T kernel.Float](set *kernel.Set[T], row, link, links int) leftOperand {
	o := leftOperand{row: row, link: link, links: gemm.Offsets(links, link)}
	for _, t := range set.Tiles {
		o.groups = append(o.groups, gemm.Offsets(t.Groups, t.Rows*row))
	}
	return o
}

// rightOperand describes a right operand of the products, a block of channels: in panels, one after the other, each
// with room for as many links, of the panel's columns.
type rightOperand struct {
	cols  []int // where the block's vectors begin
	links []int
}

func newRightOperand[T kernel.Float](b *channelBlock[T], links int) rightOperand {
	width := panelWidth(b.set)
	o := rightOperand{links: gemm.Offsets(links, width)}
	for _, v := range b.vectors {
		o.cols = append(o.cols, v/width*links*width+v%width)
	}
	return o
}

// panels is the number of elements of the block's right operand, for each link.
func (b *channelBlock[T]) panels() int { return roundUp(b.Cols, panelWidth(b.set)) }

// multiply sets sums (rows, b.Cols) to the product of the operands over k links; with load it continues the chains in
// sums.
func (b *channelBlock[T]) multiply(sums []T, rows, k int, left []T, l leftOperand, right []T, r rightOperand, load bool) {
	dense, step := b.set.Tiles[0].ByRows, l.row
	if l.link > 1 {
		dense, step = b.set.Tiles[0].ByColumns, l.link
	}
	for i, t := 0, 0; i < rows; {
		for b.set.Tiles[t].Height() > rows-i || t == 0 && dense == nil && b.set.Twice(rows-i) {
			t++
		}
		if tile := &b.set.Tiles[t]; t == 0 && dense != nil {
			dense(k, left[i*l.row:], step, right, r.cols, sums[i*b.Cols:], b.vectors, b.Cols, load)
		} else {
			tile.Mul(left[i*l.row:], l.groups[t], l.row, l.links[:k], right, r.cols, r.links[:k],
				sums[i*b.Cols:], b.vectors, b.Cols, load)
		}
		i += b.set.Tiles[t].Height()
	}
}
