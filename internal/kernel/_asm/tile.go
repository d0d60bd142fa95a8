package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// tileShape is the size of a tile: groups of rows, and vectors of columns.
type tileShape struct{ groups, rows, vectors int }

func (s tileShape) height() int  { return s.groups * s.rows }
func (s tileShape) name() string { return fmt.Sprintf("tile%dx%dx%d", s.groups, s.rows, s.vectors) }

// heights lists the tiles of one and two vectors of columns by their groups and rows, the tallest first.
func (t target) heights() [][2]int {
	if t.isa == "AVX2" {
		return [][2]int{{2, 3}, {1, 4}, {1, 3}, {1, 2}, {1, 1}}
	}
	return [][2]int{{4, 3}, {2, 4}, {1, 4}, {1, 3}, {1, 2}, {1, 1}}
}

// narrow is the tile of a single vector, where taller ones need fewer loads for each multiply-add.
func (t target) narrow() tileShape {
	return tileShape{map[string]int{"AVX2": 2, "AVX512": 4}[t.isa], 6, 1}
}

// wide is the tile for the signal of a network's first layer, which has three channels: so few rows need more columns to keep the
// multipliers busy.
func (t target) wide() tileShape {
	return tileShape{1, 3, map[string]int{"AVX2": 3, "AVX512": 6}[t.isa]}
}

// tiles emits the microkernels. The sums of the tallest take 12*2 of 32 registers, or 6*2 of 16, and leave
// just enough for the operands.
func tiles(t target) {
	for _, h := range t.heights() {
		for _, vectors := range []int{2, 1} {
			tile(t, tileShape{h[0], h[1], vectors})
		}
	}
	tile(t, t.narrow())
	tile(t, t.wide())
}

// tile emits one microkernel, which computes one tile after the other, so that the processor begins the next
// one while the last sums of this one are still in flight. Sum (i, v) of a tile stays in register i*vectors+v
// for all links.
func tile(t target, s tileShape) {
	t.function(s.name(),
		"func(k int, a *T, rows *int, step int, left *int, b *T, cols, right *int, "+
			"c *T, out *int, vectors, ldc int, load bool)",
		t.chains(s, fmt.Sprintf("a[rows[i/%d]+i%%%d*step+left[p]]", s.rows, s.rows), "b[cols[v]+right[p]+j]")...)
	first := GP64() // of the tile's vectors
	XORQ(first, first)
	Label("tile")
	t.tileBegin(s, first)
	k, left, right, step := argument("k"), argument("left"), argument("right"), argument("step")
	t.bytes(step)
	rows, cols := t.places("a", "rows", nil, s.groups, 0), t.places("b", "cols", first, s.vectors, 0)
	steps := t.steps(step, s.rows)
	TESTQ(k, k)
	JZ(LabelRef("done"))
	// The tables are read from their ends, by a count that rises to zero.
	LEAQ(Mem{Base: left, Index: k, Scale: 8}, left)
	LEAQ(Mem{Base: right, Index: k, Scale: 8}, right)
	NEGQ(k)
	Label("step")
	t.tileStep(s, Mem{Base: left, Index: k, Scale: 8}, Mem{Base: right, Index: k, Scale: 8}, rows, cols,
		steps)
	INCQ(k)
	JNZ(LabelRef("step"))
	Label("done")
	t.eachSum(s, first, 0, func(m Mem, sum int) { t.store(t.vec(sum), m) })
	ADDQ(imm(s.vectors), first)
	CMPQ(first, address(Param("vectors")))
	JLT(LabelRef("tile"))
	end()
}

// chains is the Go loop of a tile whose operands' elements are a and b.
func (t target) chains(s tileShape, a, b string) []string {
	return []string{
		fmt.Sprintf("\tfor i := range %d {", s.height()),
		"\t\tfor v := range vectors {",
		fmt.Sprintf("\t\t\tfor j := range %d {", t.lanes()),
		"\t\t\t\tsum := &c[out[v]+i*ldc+j]",
		"\t\t\t\tif !load {",
		"\t\t\t\t\t*sum = 0",
		"\t\t\t\t}",
		"\t\t\t\tfor p := range k {",
		fmt.Sprintf("\t\t\t\t\t*sum = fma(%s, %s, *sum)", a, b),
		"\t\t\t\t}",
		"\t\t\t}",
		"\t\t}",
		"\t}",
	}
}

// steps returns the registers that rows of a group may need: step, nil, 3*step, nil, 5*step.
func (t target) steps(step reg.Register, rows int) [5]reg.Register {
	list := [5]reg.Register{step}
	if rows > 3 {
		list[2] = GP64()
		LEAQ(Mem{Base: step, Index: step, Scale: 2}, list[2])
	}
	if rows > 5 {
		list[4] = GP64()
		LEAQ(Mem{Base: step, Index: step, Scale: 4}, list[4])
	}
	return list
}

// places returns the addresses of base[table[i]] for n values of i, from ahead on, counted from first if that
// is not nil.
func (t target) places(base, table string, first reg.Register, n, ahead int) []reg.Register {
	at, offsets := argument(base), argument(table)
	entry := Mem{Base: offsets, Disp: 8 * ahead}
	if first != nil {
		entry.Index, entry.Scale = first, 8
	}
	list := make([]reg.Register, n)
	for i := range list {
		r := GP64()
		MOVQ(entry, r)
		entry.Disp += 8
		LEAQ(Mem{Base: at, Index: r, Scale: uint8(t.size)}, r)
		list[i] = r
	}
	return list
}

// eachSum calls body with the place in c and the register of every sum, row after row, of a tile, or of the
// tile that is so many vectors ahead of it.
func (t target) eachSum(s tileShape, first reg.Register, ahead int, body func(m Mem, sum int)) {
	lines, ldc := t.places("c", "out", first, s.vectors, ahead), argument("ldc")
	t.bytes(ldc)
	for i := range s.height() {
		for v, line := range lines {
			body(Mem{Base: line}, i*s.vectors+v)
			if i+1 < s.height() {
				ADDQ(ldc, line)
			}
		}
	}
}

// tileBegin sets the sums to zero and prefetches the lines of c that the stores will write; or, with load, it
// sets them to c and prefetches the lines of the next tile.
func (t target) tileBegin(s tileShape, first reg.Register) {
	flag := GP8()
	Load(Param("load"), flag)
	TESTB(flag, flag)
	JNZ(LabelRef("load"))
	t.eachSum(s, first, 0, func(m Mem, sum int) {
		t.zero(t.vec(sum))
		PREFETCHT0(m)
	})
	JMP(LabelRef("begin"))
	Label("load")
	t.eachSum(s, first, 0, func(m Mem, sum int) { t.load(m, sum) })
	next := GP64()
	LEAQ(Mem{Base: first, Disp: s.vectors}, next)
	CMPQ(next, address(Param("vectors")))
	JGE(LabelRef("begin"))
	t.eachSum(s, first, s.vectors, func(m Mem, _ int) { PREFETCHT0(m) })
	Label("begin")
}

// tileStep emits one link of the chains: it loads the vectors of b, and for each row broadcasts one element
// of a.
func (t target) tileStep(s tileShape, left, right Mem, rows, cols []reg.Register, steps [5]reg.Register) {
	sums := s.height() * s.vectors
	elementRegisters := map[string]int{"AVX2": 16, "AVX512": 32}[t.isa] - sums - s.vectors
	link, at := GP64(), GP64()
	MOVQ(right, link)
	for v, col := range cols {
		t.load(Mem{Base: col, Index: link, Scale: uint8(t.size)}, sums+v)
	}
	MOVQ(left, link)
	for g, row := range rows {
		LEAQ(Mem{Base: row, Index: link, Scale: uint8(t.size)}, at)
		step, step3, step5 := steps[0], steps[2], steps[4]
		places := []Mem{{Base: at}, {Base: at, Index: step, Scale: 1}, {Base: at, Index: step, Scale: 2},
			{Base: at, Index: step3, Scale: 1}, {Base: at, Index: step, Scale: 4},
			{Base: at, Index: step5, Scale: 1}}
		for r, m := range places[:s.rows] {
			i := g*s.rows + r
			element := t.vec(sums + s.vectors + i%elementRegisters)
			t.broadcast(m, element)
			for v := range s.vectors {
				t.fma(element, t.vec(sums+v), t.vec(i*s.vectors+v))
			}
		}
	}
}
