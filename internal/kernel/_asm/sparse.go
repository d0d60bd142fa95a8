package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mark emits the search for elements whose bits are not all 0. A mask is a bit for each element, in the order of memory.
func mark(t target) {
	t.function("mark", "func(mask, x *T, n int) (marked int)",
		"\tfor i := range n {",
		"\t\tbit i of mask = x[i] != +0, and marked counts them",
		"\t}",
		"", "with n a multiple of the lanes, and of 8.")
	mask, x, n, marked := argument("mask"), argument("x"), argument("n"), GP64()
	XORL(marked.As32(), marked.As32())
	step := max(8, t.lanes()) // whole bytes of the mask
	if t.isa == "AVX2" {
		VXORPS(t.vec(1), t.vec(1), t.vec(1))
	}
	t.eachVector(n, step, func() {
		bits := GP32()
		if t.isa == "AVX512" {
			t.load(Mem{Base: x}, 0)
			t.pick(VPTESTMD, VPTESTMQ)(t.vec(0), t.vec(0), reg.K1)
			KMOVW(reg.K1, bits)
		} else {
			XORL(bits, bits)
			for at := step - t.lanes(); at >= 0; at -= t.lanes() {
				zeros := GP32()
				t.pick(VPCMPEQD, VPCMPEQQ)(Mem{Base: x, Disp: at * t.size}, t.vec(1), t.vec(0))
				choose(t, VMOVMSKPS, VMOVMSKPD)(t.vec(0), zeros)
				SHLL(imm(t.lanes()), bits)
				ORL(zeros, bits)
			}
			XORL(U32(0xff), bits)
		}
		t.storeBits(bits, step, mask)
		POPCNTL(bits, bits)
		ADDQ(bits.As64(), marked)
		ADDQ(imm(step*t.size), x)
	})
	Store(marked, ReturnIndex(0))
	end()
}

// packs emits what closes the gaps that a mask leaves, and opens them again, for which only AVX-512 has instructions.
func packs(t target) {
	t.function("pack", "func(dst, mask, x *T, n int)",
		"\tfor i := range n {",
		"\t\tif bit i of mask {",
		"\t\t\t*dst++ = x[i]",
		"\t\t}",
		"\t}",
		"", "with n a multiple of the lanes.")
	dst, mask, x, n := argument("dst"), argument("mask"), argument("x"), argument("n")
	t.eachVector(n, t.lanes(), func() {
		bytes := t.loadBits(mask)
		t.load(Mem{Base: x}, 0)
		choose(t, VPCOMPRESSD_Z, VPCOMPRESSQ_Z)(t.vec(0), reg.K1, t.vec(1))
		t.pick(VMOVDQU32, VMOVDQU64)(t.vec(1), reg.K2, Mem{Base: dst}) // to memory VPCOMPRESSD itself takes a hundred cycles on Zen 4
		ADDQ(bytes, dst)
		ADDQ(imm(t.width), x)
	})
	end()

	t.function("unpack", "func(dst, mask, packed *T, n int)",
		"\tfor i := range n {",
		"\t\tif bit i of mask {",
		"\t\t\tdst[i] = *packed++",
		"\t\t} else {",
		"\t\t\tdst[i] = +0",
		"\t\t}",
		"\t}",
		"", "with n a multiple of the lanes.")
	dst, mask, packed, n := argument("dst"), argument("mask"), argument("packed"), argument("n")
	t.eachVector(n, t.lanes(), func() {
		bytes := t.loadBits(mask)
		choose(t, VMOVDQU32_Z, VMOVDQU64_Z)(Mem{Base: packed}, reg.K2, t.vec(0))
		choose(t, VPEXPANDD_Z, VPEXPANDQ_Z)(t.vec(0), reg.K1, t.vec(1))
		t.store(t.vec(1), Mem{Base: dst})
		ADDQ(bytes, packed)
		ADDQ(imm(t.width), dst)
	})
	end()
}

// eachVector emits a loop of body for each step of n elements.
func (t target) eachVector(n reg.Register, step int, body func()) {
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("vector")
	body()
	SUBQ(imm(step), n)
	JNZ(LabelRef("vector"))
	Label("done")
}

// storeBits writes the bits of so many elements to a mask and goes on behind them.
func (t target) storeBits(bits reg.GPVirtual, elements int, mask reg.Register) {
	if elements == 16 {
		MOVW(bits.As16(), Mem{Base: mask})
	} else {
		MOVB(bits.As8(), Mem{Base: mask})
	}
	ADDQ(imm(elements/8), mask)
}

// loadBits sets K1 to a vector's bits of a mask and K2 to as many ones without a gap, goes on behind the mask's bits, and returns how many
// bytes the elements take that are marked.
func (t target) loadBits(mask reg.Register) reg.Register {
	bits, ones := GP32(), GP32()
	choose(t, MOVWLZX, MOVBLZX)(Mem{Base: mask}, bits)
	ADDQ(imm(t.lanes()/8), mask)
	KMOVW(bits, reg.K1)
	POPCNTL(bits, bits)
	MOVL(I32(-1), ones)
	BZHIL(bits, ones, ones)
	KMOVW(ones, reg.K2)
	SHLQ(imm(t.size/4+1), bits.As64())
	return bits.As64()
}
