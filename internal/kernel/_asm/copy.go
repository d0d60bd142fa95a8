package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const gatherUnroll = 4

// gather cuts the width into pieces of 3, 2 and 1 vectors and then halves down to one element, and for each
// piece goes through all runs. A piece is moved by loads and stores of exactly its size.
func gather(t target) {
	t.function("gather", "func(dst *T, stride int, src *T, off *int, count, width int)",
		"\tfor i := range count {",
		"\t\tfor j := range width {",
		"\t\t\tdst[i*stride+j] = src[off[i]+j]",
		"\t\t}",
		"\t}",
		"", "with count > 0.")
	dst, stride, src := argument("dst"), argument("stride"), argument("src")
	width := argument("width")
	t.bytes(stride)
	t.bytes(width)
	pieces := []int{3 * t.width, 2 * t.width}
	for bytes := t.width; bytes >= t.size; bytes /= 2 {
		pieces = append(pieces, bytes)
	}
	for i, bytes := range pieces {
		name, next := fmt.Sprintf("piece%d", bytes), "done"
		if i+1 < len(pieces) {
			next = fmt.Sprintf("piece%d", pieces[i+1])
		}
		Label(name)
		CMPQ(width, imm(bytes))
		JLT(LabelRef(next))
		t.gatherPiece(name, bytes, dst, stride, src)
		ADDQ(imm(bytes), dst)
		ADDQ(imm(bytes), src)
		SUBQ(imm(bytes), width)
		JMP(LabelRef(name))
	}
	Label("done")
	end()
}

// gatherPiece moves one piece of every run.
func (t target) gatherPiece(name string, bytes int, dst, stride, src reg.Register) {
	off, count, to, from := argument("off"), argument("count"), GP64(), GP64()
	unroll := gatherUnroll
	if bytes > t.width {
		unroll = 1 // enough stores to hide the loop
	}
	run := func(u int) {
		MOVQ(Mem{Base: off, Disp: 8 * u}, from)
		at := Mem{Base: src, Index: from, Scale: uint8(t.size)}
		step := min(bytes, t.width)
		for o := 0; o < bytes; o += step {
			load(at.Offset(o), o/step, step)
		}
		for o := 0; o < bytes; o += step {
			store(o/step, Mem{Base: to, Disp: o}, step)
		}
		ADDQ(stride, to)
	}
	MOVQ(dst, to)
	if unroll > 1 {
		SUBQ(imm(unroll), count)
		JLT(LabelRef(name + "rest"))
		Label(name + "block")
		for u := range unroll {
			run(u)
		}
		ADDQ(imm(8*unroll), off)
		SUBQ(imm(unroll), count)
		JGE(LabelRef(name + "block"))
		Label(name + "rest")
		ADDQ(imm(unroll), count)
		JZ(LabelRef(name + "next"))
	}
	Label(name + "run")
	run(0)
	ADDQ(imm(8), off)
	DECQ(count)
	JNZ(LabelRef(name + "run"))
	Label(name + "next")
}

// interleaves emits the transposes: groups of as many rows as a YMM register has elements, and for float32
// groups of 4 too.
func interleaves(t target) {
	for _, rows := range t.interleaved() {
		interleave(t, rows)
	}
}

// interleaved lists the groups of rows that there are transpositions of.
func (t target) interleaved() []int {
	if t.size == 4 {
		return []int{8, 4}
	}
	return []int{4}
}

// interleave goes along groups of rows in blocks of 16 bytes of each row. The last block overlaps the one
// before, so that nothing past a run is read.
func interleave(t target, rows int) {
	block := 16 / t.size
	t.function(fmt.Sprintf("interleave%d", rows), "func(dst *T, stride int, src *T, off *int, groups, n int)",
		fmt.Sprintf("\tfor r := range groups*%d {", rows),
		"\t\tfor j := range n {",
		"\t\t\tdst[j*stride+r] = src[off[r]+j]",
		"\t\t}",
		"\t}",
		"", fmt.Sprintf("with groups > 0, n >= %d.", block))
	stride, last := argument("stride"), argument("n")
	t.bytes(stride)
	SUBQ(imm(block), last)
	from := make([]reg.GPVirtual, rows)

	Label("group")
	off, src := GP64(), GP64()
	Load(Param("off"), off)
	Load(Param("src"), src)
	for r := range from {
		from[r] = GP64()
		MOVQ(Mem{Base: off, Disp: 8 * r}, from[r])
		LEAQ(Mem{Base: src, Index: from[r], Scale: uint8(t.size)}, from[r])
	}
	ADDQ(imm(8*rows), address(Param("off")))
	// Runs are mostly rows of planes, of which the next ones are wanted next: the processor, which sees short runs
	// pages apart, does not foresee that.
	for r := range from {
		for line := range 2 {
			PREFETCHT0(Mem{Base: from[r], Index: last, Scale: uint8(t.size), Disp: 16 + 64*line})
		}
	}
	j, dst := GP64(), GP64()
	eachBlock("block", j, last, block, func() {
		MOVQ(stride, dst)
		IMULQ(j, dst)
		ADDQ(address(Param("dst")), dst)
		t.transpose(from, j, dst, stride)
	})

	ADDQ(imm(rows*t.size), address(Param("dst")))
	DECQ(address(Param("groups")))
	JNZ(LabelRef("group"))
	end()
}

// transpose moves one block: element q of row r goes to element r of line q. Register r gets row r in its low
// lane and, if the group is twice as tall as a lane has elements, the row that far down in its high lane; so
// one transpose within lanes does it.
func (t target) transpose(from []reg.GPVirtual, j, dst, stride reg.Register) {
	lane := 16 / t.size
	bytes := len(from) * t.size
	at := func(r int) Mem { return Mem{Base: from[r], Index: j, Scale: uint8(t.size)} }
	v := func(i int) reg.VecPhysical { return sized(i, bytes) }
	for r := range lane {
		VMOVUPS(at(r), xmm[r])
		if len(from) > lane {
			VINSERTF128(imm(1), at(r+lane), ymm[r], ymm[r])
		}
	}
	var lines []int
	if t.size == 8 {
		VUNPCKLPD(v(1), v(0), v(2))
		VUNPCKHPD(v(1), v(0), v(3))
		lines = []int{2, 3}
	} else {
		VUNPCKLPS(v(1), v(0), v(4))
		VUNPCKHPS(v(1), v(0), v(5))
		VUNPCKLPS(v(3), v(2), v(6))
		VUNPCKHPS(v(3), v(2), v(7))
		VUNPCKLPD(v(6), v(4), v(0))
		VUNPCKHPD(v(6), v(4), v(1))
		VUNPCKLPD(v(7), v(5), v(2))
		VUNPCKHPD(v(7), v(5), v(3))
		lines = []int{0, 1, 2, 3}
	}
	for q, i := range lines {
		if q > 0 {
			ADDQ(stride, dst)
		}
		store(i, Mem{Base: dst}, bytes)
	}
}

// gatherAlternate goes through the runs in blocks of so many bytes of result, 32 or 16; the last block
// overlaps the one before.
func gatherAlternate(t target, bytes int) {
	block := bytes / t.size
	t.function(fmt.Sprintf("gatherAlternate%d", bytes),
		"func(dst *T, stride int, src *T, off *int, count, width int)",
		"\tfor i := range count {",
		"\t\tfor j := range width {",
		"\t\t\tdst[i*stride+j] = src[off[i]+2*j]",
		"\t\t}",
		"\t}",
		"", fmt.Sprintf("with count > 0, width >= %d.", block))
	dst, stride, src, off := argument("dst"), argument("stride"), argument("src"), argument("off")
	count, last := argument("count"), argument("width")
	t.bytes(stride)
	SUBQ(imm(block), last)
	Label("run")
	from, j := GP64(), GP64()
	MOVQ(Mem{Base: off}, from)
	LEAQ(Mem{Base: src, Index: from, Scale: uint8(t.size)}, from)
	eachBlock("block", j, last, block, func() {
		at := Mem{Base: from, Index: j, Scale: uint8(t.size)}
		twice := GP64()
		LEAQ(at, twice) // from + j, to which the scaled j is added once more
		at = Mem{Base: twice, Index: j, Scale: uint8(t.size)}
		load(at, 0, bytes)
		// One element early, so as not to read past the run: the odd ones are wanted.
		load(at.Offset(bytes-t.size), 1, bytes)
		first, second := sized(0, bytes), sized(1, bytes)
		if t.size == 4 {
			// In each lane 0 and 2 of the first, 1 and 3 of the second.
			VSHUFPS(U8(0xd8), second, first, first)
		} else {
			VSHUFPD(imm(0xa), second, first, first)
		}
		if bytes == 32 {
			VPERMPD(U8(0xd8), ymm[0], ymm[0]) // quarters 0 2 1 3
		}
		store(0, Mem{Base: dst, Index: j, Scale: uint8(t.size)}, bytes)
	})
	ADDQ(imm(8), off)
	ADDQ(stride, dst)
	DECQ(count)
	JNZ(LabelRef("run"))
	end()
}

// weave puts the halves of every row together in blocks of 32 bytes of each; the last block overlaps the one
// before.
func weave(t target) {
	block := 32 / t.size
	t.function("weave", "func(dst, src *T, n, rows int)",
		"\tfor i := range rows {",
		"\t\tfor j := range n {",
		"\t\t\tdst[i*2*n+2*j], dst[i*2*n+2*j+1] = src[i*2*n+j], src[i*2*n+n+j]",
		"\t\t}",
		"\t}",
		"", fmt.Sprintf("with rows > 0, n >= %d.", block))
	dst, src, n, rows := argument("dst"), argument("src"), argument("n"), argument("rows")
	last := GP64()
	LEAQ(Mem{Base: n, Disp: -block}, last)
	t.bytes(n)
	Label("row")
	j := GP64()
	eachBlock("block", j, last, block, func() {
		odd, to := GP64(), GP64()
		LEAQ(Mem{Base: src, Index: n, Scale: 1}, odd)
		load(Mem{Base: src, Index: j, Scale: uint8(t.size)}, 0, 32)
		load(Mem{Base: odd, Index: j, Scale: uint8(t.size)}, 1, 32)
		t.pick(VUNPCKLPS, VUNPCKLPD)(ymm[1], ymm[0], ymm[2])
		t.pick(VUNPCKHPS, VUNPCKHPD)(ymm[1], ymm[0], ymm[3])
		VPERM2F128(imm(0x20), ymm[3], ymm[2], ymm[0]) // the low lanes
		VPERM2F128(imm(0x31), ymm[3], ymm[2], ymm[1]) // the high lanes
		LEAQ(Mem{Base: dst, Index: j, Scale: uint8(t.size)}, to)
		at := Mem{Base: to, Index: j, Scale: uint8(t.size)}
		store(0, at, 32)
		store(1, at.Offset(32), 32)
	})
	LEAQ(Mem{Base: src, Index: n, Scale: 2}, src)
	LEAQ(Mem{Base: dst, Index: n, Scale: 2}, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// insertZeros goes through the rows in blocks of so many bytes of src, 32 or 16; the last block overlaps the
// one before.
func insertZeros(t target, bytes int) {
	block := bytes / t.size
	t.function(fmt.Sprintf("insertZeros%d", bytes), "func(dst, src *T, n, rows int)",
		"\tfor i := range rows {",
		"\t\tfor j := range n {",
		"\t\t\tdst[i*4*n+2*j], dst[i*4*n+2*j+1] = src[i*n+j], 0",
		"\t\t\tdst[i*4*n+2*n+2*j], dst[i*4*n+2*n+2*j+1] = 0, 0",
		"\t\t}",
		"\t}",
		"", fmt.Sprintf("with rows > 0, n >= %d.", block))
	dst, src, n, rows := argument("dst"), argument("src"), argument("n"), argument("rows")
	last := GP64()
	LEAQ(Mem{Base: n, Disp: -block}, last)
	t.bytes(n)
	value, zero, low, high := sized(0, bytes), sized(1, bytes), sized(2, bytes), sized(3, bytes)
	VXORPS(zero, zero, zero)
	Label("row")
	j, below := GP64(), GP64()
	LEAQ(Mem{Base: dst, Index: n, Scale: 2}, below)
	eachBlock("block", j, last, block, func() {
		load(Mem{Base: src, Index: j, Scale: uint8(t.size)}, 0, bytes)
		t.pick(VUNPCKLPS, VUNPCKLPD)(zero, value, low)
		t.pick(VUNPCKHPS, VUNPCKHPD)(zero, value, high)
		if bytes == 32 {
			VPERM2F128(imm(0x20), high, low, value)
			VPERM2F128(imm(0x31), high, low, high)
			low = value
		}
		for _, line := range []struct {
			start         reg.Register
			first, second reg.VecPhysical
		}{{dst, low, high}, {below, zero, zero}} {
			to := GP64()
			LEAQ(Mem{Base: line.start, Index: j, Scale: uint8(t.size)}, to)
			at := Mem{Base: to, Index: j, Scale: uint8(t.size)}
			VMOVUPS(line.first, at)
			VMOVUPS(line.second, at.Offset(bytes))
		}
	})
	ADDQ(n, src)
	LEAQ(Mem{Base: dst, Index: n, Scale: 4}, dst)
	DECQ(rows)
	JNZ(LabelRef("row"))
	end()
}

// eachBlock runs body for j = 0, block, 2*block, ... up to last, and for j = last if it is not among them.
func eachBlock(name string, j, last reg.Register, block int, body func()) {
	XORQ(j, j)
	Label(name)
	body()
	ADDQ(imm(block), j)
	CMPQ(j, last)
	JLE(LabelRef(name))
	// j is past the last place for a block: done if it stepped there from just that place, else go back to
	// it.
	next := GP64()
	LEAQ(Mem{Base: last, Disp: block}, next)
	CMPQ(j, next)
	MOVQ(last, j)
	JLT(LabelRef(name))
}
