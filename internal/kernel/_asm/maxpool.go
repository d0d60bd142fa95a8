package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// pooling is the code of 2x2 max-pooling in blocks of so many bytes of result, 32, 16 or 8. The last block of
// a row overlaps the one before.
type pooling struct {
	target
	bytes int
}

// maxPools emits max-pooling and its gradient.
func maxPools(t target) {
	for _, bytes := range t.pooled() {
		p := pooling{t, bytes}
		p.value()
		p.gradient()
	}
}

// pooled lists the blocks that there is max-pooling for, in bytes: of two windows at the least.
func (t target) pooled() []int {
	if t.size == 4 {
		return []int{32, 16, 8}
	}
	return []int{32, 16}
}

// block is the number of windows of a block; reads is the bytes of a vector.
func (p pooling) block() int              { return p.bytes / p.size }
func (p pooling) reads() int              { return max(p.bytes, 16) }
func (p pooling) v(i int) reg.VecPhysical { return sized(i, p.reads()) }
func (p pooling) compare(r int, x, y, to int) {
	p.pick(VCMPPS, VCMPPD)(Imm(uint64(r)), p.v(y), p.v(x), p.v(to))
}

// place is element 2j of a row, which begins at the sum of the registers.
func (p pooling) place(j reg.Register, row ...reg.Register) Mem {
	at := GP64()
	LEAQ(Mem{Base: row[0], Index: j, Scale: uint8(p.size)}, at) // j is added once more below
	for _, r := range row[1:] {
		ADDQ(r, at)
	}
	return Mem{Base: at, Index: j, Scale: uint8(p.size)}
}

// windows loads the elements of a block of windows: top left to register 4, top right to 5, then the bottom.
// In the 32 bytes of a YMM register the quarters are those of 0, 2, 1, 3.
func (p pooling) windows(top, bottom Mem) {
	for row, at := range []Mem{top, bottom} {
		first, second := p.v(2*row), p.v(2*row+1)
		VMOVUPS(at, first)
		if p.bytes < 16 {
			second = first
		} else {
			VMOVUPS(at.Offset(p.reads()), second)
		}
		even, odd := p.v(4+2*row), p.v(5+2*row)
		if p.size == 4 {
			VSHUFPS(U8(0x88), second, first, even)
			VSHUFPS(U8(0xdd), second, first, odd)
		} else {
			VSHUFPD(U8(0), second, first, even)
			VSHUFPD(U8(0xf), second, first, odd)
		}
	}
}

// sort puts the quarters of a YMM register in order, or out of it again.
func (p pooling) sort(i int) {
	if p.bytes == 32 {
		VPERMPD(U8(0xd8), ymm[i], ymm[i]) // 0, 2, 1, 3
	}
}

// unordered is the predicate of VCMPPS that is true on NaN.
const unordered = 0x03

func (p pooling) value() {
	p.function(fmt.Sprintf("maxPool%d", p.bytes), "func(dst, x *T, rows, n, width int)",
		"\tfor i := range rows {",
		"\t\tfor j := range n {",
		"\t\t\tdst[i*n+j] = largest of x[2*i*width+2*j], its neighbour, and the two below",
		"\t\t}",
		"\t}",
		"", fmt.Sprintf("with rows > 0, n >= %d.", p.block()))
	dst, x, rows, last, width := argument("dst"), argument("x"), argument("rows"), argument("n"), argument("width")
	p.target.bytes(width)
	SUBQ(imm(p.block()), last)
	or := p.pick(VORPS, VORPD)
	Label("row")
	j := GP64()
	eachBlock("block", j, last, p.block(), func() {
		p.windows(p.place(j, x), p.place(j, x, width))
		p.compare(unordered, 4, 5, 0)
		p.compare(unordered, 6, 7, 1)
		p.max(p.v(4), p.v(5), p.v(4)) // the left one of equals
		p.max(p.v(6), p.v(7), p.v(6))
		p.max(p.v(4), p.v(6), p.v(4)) // the upper one
		or(p.v(0), p.v(1), p.v(0))
		or(p.v(0), p.v(4), p.v(4)) // all ones are a NaN
		p.sort(4)
		store(4, Mem{Base: dst, Index: j, Scale: uint8(p.size)}, p.bytes)
	})
	LEAQ(Mem{Base: dst, Index: last, Scale: uint8(p.size), Disp: p.bytes}, dst)
	LEAQ(Mem{Base: x, Index: width, Scale: 2}, x)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

func (p pooling) gradient() {
	p.function(fmt.Sprintf("maxPoolGrad%d", p.bytes), "func(dx, x, dy *T, rows, n, width int)",
		"\tfor i := range rows {",
		"\t\tfor j := range n {",
		"\t\t\tdx at x[2*i*width+2*j], its neighbour, and the two below = dy[i*n+j] + 0 where the largest is, else +0",
		"\t\t}",
		"\t}",
		"", fmt.Sprintf("with rows > 0, n >= %d.", p.block()))
	dx, x, dy := argument("dx"), argument("x"), argument("dy")
	rows, last, width := argument("rows"), argument("n"), argument("width")
	p.target.bytes(width)
	SUBQ(imm(p.block()), last)
	zero := p.v(zeros)
	VXORPS(zero, zero, zero)
	and, andNot, blend := p.pick(VANDPS, VANDPD), p.pick(VANDNPS, VANDNPD), VBLENDVPS
	if p.size == 8 {
		blend = VBLENDVPD
	}
	// wins sets register to where y, which comes later, wins over x; register 8 changes.
	wins := func(x, y, to int) {
		p.compare(unordered, y, y, 8)
		p.compare(greater, y, x, to)
		p.pick(VORPS, VORPD)(p.v(8), p.v(to), p.v(to))
	}
	Label("row")
	j := GP64()
	eachBlock("block", j, last, p.block(), func() {
		p.windows(p.place(j, x), p.place(j, x, width))
		wins(4, 5, 0)
		wins(6, 7, 1)
		blend(p.v(0), p.v(5), p.v(4), p.v(4))
		blend(p.v(1), p.v(7), p.v(6), p.v(6))
		wins(4, 6, 2)
		load(Mem{Base: dy, Index: j, Scale: uint8(p.size)}, 3, p.bytes)
		p.add(zero, p.v(3), p.v(3)) // no -0
		p.sort(3)
		and(p.v(2), p.v(3), p.v(4))    // for the bottom
		andNot(p.v(3), p.v(2), p.v(3)) // for the top
		for row, at := range []Mem{p.place(j, dx), p.place(j, dx, width)} {
			side, share := p.v(row), p.v(3+row)
			and(side, share, p.v(5))
			andNot(share, side, p.v(6))
			p.pick(VUNPCKLPS, VUNPCKLPD)(p.v(5), p.v(6), p.v(7))
			VMOVUPS(p.v(7), at)
			if p.bytes >= 16 {
				p.pick(VUNPCKHPS, VUNPCKHPD)(p.v(5), p.v(6), p.v(8))
				VMOVUPS(p.v(8), at.Offset(p.reads()))
			}
		}
	})
	LEAQ(Mem{Base: dy, Index: last, Scale: uint8(p.size), Disp: p.bytes}, dy)
	LEAQ(Mem{Base: x, Index: width, Scale: 2}, x)
	LEAQ(Mem{Base: dx, Index: width, Scale: 2}, dx)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}
