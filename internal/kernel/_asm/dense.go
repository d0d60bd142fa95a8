package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// denseLinks is the number of links of a round of a dense tile's loop.
const denseLinks = 4

// denseTiles emits the tallest tiles once more, for operands that lie densely.
func denseTiles(t target) {
	for _, vectors := range []int{2, 1} {
		s := tileShape{2, 3, vectors}
		dense(t, s, "Rows", "i*step+p", rowsInMemory)
		dense(t, s, "Columns", "i+p*step", columnsInMemory)
	}
}

// dense emits a tile without tables: link p of a panel of b lies two vectors behind link p-1, and the elements of a
// lie as the layout says. Without the loads of tables and their sums, a link takes 21 instructions rather than 25,
// which shows where another program has the other half of the core.
func dense(t target, s tileShape, name, element string, layout func(t target, s tileShape) denseLayout) {
	t.function(fmt.Sprintf("dense%s%dx%d", name, s.height(), s.vectors),
		"func(k int, a *T, step int, b *T, cols *int, c *T, out *int, vectors, ldc int, load bool)",
		t.chains(s, "a["+element+"]", fmt.Sprintf("b[cols[v]+%d*p+j]", 2*t.lanes()))...)
	first := GP64() // of the tile's vectors
	XORQ(first, first)
	Label("tile")
	t.tileBegin(s, first)
	k := argument("k")
	a, cols := layout(t, s), t.places("b", "cols", first, s.vectors, 0)
	SUBQ(imm(denseLinks), k)
	JLT(LabelRef("rest"))
	Label("round")
	for p := range denseLinks {
		t.denseLink(s, a, cols, p)
	}
	t.denseAdvance(a, cols, denseLinks)
	SUBQ(imm(denseLinks), k)
	JGE(LabelRef("round"))
	Label("rest")
	ADDQ(imm(denseLinks), k)
	JZ(LabelRef("done"))
	Label("link")
	t.denseLink(s, a, cols, 0)
	t.denseAdvance(a, cols, 1)
	DECQ(k)
	JNZ(LabelRef("link"))
	Label("done")
	t.eachSum(s, first, 0, func(m Mem, sum int) { t.store(t.vec(sum), m) })
	ADDQ(imm(s.vectors), first)
	CMPQ(first, address(Param("vectors")))
	JLT(LabelRef("tile"))
	end()
}

// denseLayout is how a dense tile reads its rows: where element (i, p) lies, for p below denseLinks, and how to go
// on by so many links.
type denseLayout struct {
	at      func(i, p int) Mem
	advance func(links int)
}

// rowsInMemory is a[i*step+p]: the links of a row follow each other.
func rowsInMemory(t target, s tileShape) denseLayout {
	step, groups := argument("step"), make([]reg.Register, s.groups)
	t.bytes(step)
	step3 := GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	for g := range groups {
		if g == 0 {
			groups[g] = argument("a")
			continue
		}
		groups[g] = GP64()
		LEAQ(Mem{Base: groups[g-1].(reg.GPVirtual), Index: step3, Scale: 1}, groups[g])
	}
	return denseLayout{
		at: func(i, p int) Mem {
			m := Mem{Base: groups[i/s.rows], Disp: p * t.size}
			if r := i % s.rows; r > 0 {
				m.Index, m.Scale = step, uint8(r)
			}
			return m
		},
		advance: func(links int) {
			for _, g := range groups {
				ADDQ(imm(links*t.size), g)
			}
		},
	}
}

// columnsInMemory is a[i+p*step]: the rows of a link follow each other.
func columnsInMemory(t target, s tileShape) denseLayout {
	step, a := argument("step"), argument("a")
	t.bytes(step)
	step3 := GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, step3)
	return denseLayout{
		at: func(i, p int) Mem {
			m := Mem{Base: a, Disp: i * t.size}
			switch p {
			case 1, 2:
				m.Index, m.Scale = step, uint8(p)
			case 3:
				m.Index, m.Scale = step3, 1
			}
			return m
		},
		advance: func(links int) { LEAQ(Mem{Base: a, Index: step, Scale: uint8(links)}, a) },
	}
}

// denseLink emits one link of the chains, the p-th of a round.
func (t target) denseLink(s tileShape, a denseLayout, cols []reg.Register, p int) {
	sums := s.height() * s.vectors
	free := 16 - sums - s.vectors
	for v, col := range cols {
		t.load(Mem{Base: col, Disp: p * 2 * t.width}, sums+v)
	}
	for i := range s.height() {
		element := t.vec(sums + s.vectors + i%free)
		t.broadcast(a.at(i, p), element)
		for v := range s.vectors {
			t.fma(element, t.vec(sums+v), t.vec(i*s.vectors+v))
		}
	}
}

func (t target) denseAdvance(a denseLayout, cols []reg.Register, links int) {
	a.advance(links)
	for _, col := range cols {
		ADDQ(imm(links*2*t.width), col)
	}
}
