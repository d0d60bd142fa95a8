package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	tileVectors = 3 // columns of a tile, in vectors
	tileUnroll  = 4 // steps of k in the main loop
	// tileAhead is how many bytes ahead a is asked for: it comes from beyond the second-level cache, and the processor's own
	// prefetching stops at the end of each page.
	tileAhead = 2048
)

// tiles emits the microkernels. The tallest fills the registers: 8*3 sums of 32 registers, or 4*3 of 16.
func tiles(t target) {
	rows := []int{8, 4, 2, 1}
	if t.isa == "AVX2" {
		rows = rows[1:]
	}
	for _, r := range rows {
		tile(t, r)
	}
}

// tile emits one microkernel. Sum (i, j) lives in register i*3+j for all of k; each step loads 3 vectors of b, and for each
// row broadcasts one element of a.
func tile(t target, rows int) {
	cols := tileVectors * t.lanes()
	t.function(fmt.Sprintf("tile%d", rows), "func(k int, a, b, c *T, ldc int, load bool)",
		fmt.Sprintf("\tfor i := range %d {", rows),
		fmt.Sprintf("\t\tfor j := range %d {", cols),
		"\t\t\ts := 0, or c[i*ldc+j] if load",
		"\t\t\tfor p := range k {",
		fmt.Sprintf("\t\t\t\ts = fma(a[p*%d+i], b[p*%d+j], s)", rows, cols),
		"\t\t\t}",
		"\t\t\tc[i*ldc+j] = s",
		"\t\t}",
		"\t}")
	k, a, b, c, ldc := argument("k"), argument("a"), argument("b"), argument("c"), argument("ldc")
	t.bytes(ldc)
	t.tileBegin(rows, c, ldc)

	CMPQ(k, imm(tileUnroll))
	JLT(LabelRef("rest"))
	Label("block")
	for d := 0; d < tileUnroll*rows*t.size; d += 64 {
		PREFETCHT0(Mem{Base: a, Disp: tileAhead + d})
	}
	for u := range tileUnroll {
		t.tileStep(rows, u, a, b)
	}
	ADDQ(imm(tileUnroll*rows*t.size), a)
	ADDQ(imm(tileUnroll*tileVectors*t.width), b)
	SUBQ(imm(tileUnroll), k)
	CMPQ(k, imm(tileUnroll))
	JGE(LabelRef("block"))

	Label("rest")
	TESTQ(k, k)
	JZ(LabelRef("done"))
	Label("step")
	t.tileStep(rows, 0, a, b)
	ADDQ(imm(rows*t.size), a)
	ADDQ(imm(tileVectors*t.width), b)
	DECQ(k)
	JNZ(LabelRef("step"))

	Label("done")
	for i := range rows {
		for j := range tileVectors {
			t.store(t.vec(i*tileVectors+j), Mem{Base: c, Disp: j * t.width})
		}
		if i+1 < rows {
			ADDQ(ldc, c)
		}
	}
	end()
}

// tileBegin sets the sums to zero or to c, and asks for the lines of c that the stores, or the next tile's loads, will need.
func (t target) tileBegin(rows int, c, ldc reg.Register) {
	flag, line := GP8(), GP64()
	Load(Param("load"), flag)
	MOVQ(c, line)
	TESTB(flag, flag)
	JNZ(LabelRef("load"))
	for i := range rows {
		for j := range tileVectors {
			t.zero(t.vec(i*tileVectors + j))
			if j*t.width%64 == 0 {
				PREFETCHT0(Mem{Base: line, Disp: j * t.width})
			}
		}
		ADDQ(ldc, line)
	}
	JMP(LabelRef("begin"))
	Label("load")
	for i := range rows {
		for j := range tileVectors {
			t.load(Mem{Base: line, Disp: j * t.width}, i*tileVectors+j)
		}
		ADDQ(ldc, line)
	}
	for range rows { // the tile below, which mostly comes next; beyond the end of c this does nothing
		for j := range tileVectors {
			if j*t.width%64 == 0 {
				PREFETCHT0(Mem{Base: line, Disp: j * t.width})
			}
		}
		ADDQ(ldc, line)
	}
	Label("begin")
}

// tileStep emits step u of k after the panels' current positions.
func (t target) tileStep(rows, u int, a, b reg.Register) {
	vectors, element := rows*tileVectors, t.vec(rows*tileVectors+tileVectors)
	for j := range tileVectors {
		t.load(Mem{Base: b, Disp: (u*tileVectors + j) * t.width}, vectors+j)
	}
	for i := range rows {
		t.broadcast(Mem{Base: a, Disp: (u*rows + i) * t.size}, element)
		for j := range tileVectors {
			t.fma(element, t.vec(vectors+j), t.vec(i*tileVectors+j))
		}
	}
}

// peakChains is enough independent chains for two units with a latency of 4 or 5 cycles, and leaves room for the constants.
const peakChains = 12

// peak emits the fastest loop there can be: nothing but fused multiply-adds on registers.
func peak(t target) {
	t.function("peak", "func(iterations int, a, b T)",
		"\tfor range iterations {",
		fmt.Sprintf("\t\tfor l := range %d {", peakChains*t.lanes()),
		"\t\t\ts[l] = fma(a, s[l], b)",
		"\t\t}",
		"\t}")
	n := argument("iterations")
	a, b := t.scalar("a", peakChains), t.scalar("b", peakChains+1)
	for i := range peakChains {
		t.zero(t.vec(i))
	}
	Label("loop")
	for i := range peakChains {
		t.fmaTo(b, a, t.vec(i))
	}
	DECQ(n)
	JNZ(LabelRef("loop"))
	end()
}
