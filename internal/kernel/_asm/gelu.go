package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// geluNumbers is what internal/kernel's gelu.go has and explains.
type geluNumbers struct {
	low, high, linear, cubic, slope, bend, shift, largest float64
	powers                                                []float64
	mantissa                                              uint8 // bits behind the point
}

// geluBySize has the numbers of each element size.
var geluBySize = map[int]geluNumbers{
	4: {
		low: -0x1.42p+3, high: 0x1.41p+3, linear: -0x1.26aec2p+1, cubic: -0x1.a5a7dp-4,
		slope: 0x1.988454p+0, bend: 0x1.b6676cp-3, shift: 0x1.8p23, largest: math.MaxFloat32,
		powers: []float64{0x1.62e43p-1, 0x1.ebfbep-3, 0x1.c6af6cp-5, 0x1.3b2a54p-7, 0x1.5f089p-10,
			0x1.44138ap-13},
		mantissa: 23,
	},
	8: {
		low: -0x1.529p+4, high: 0x1.527p+4, linear: -0x1.26aec21bce759p+1, cubic: -0x1.a5a7cf7572a98p-4,
		slope: 0x1.9884533d43651p+0, bend: 0x1.b6676bf7450fp-3, shift: 0x1.8p52, largest: math.MaxFloat64,
		powers: []float64{0x1.62e42fefa39efp-1, 0x1.ebfbdff82c58fp-3, 0x1.c6b08d704a0c6p-5,
			0x1.3b2ab6fba4e79p-7, 0x1.5d87fe78a3f9cp-10, 0x1.430912f86b7dbp-13, 0x1.ffcbfc6da6ed1p-17,
			0x1.62c02242b879cp-20, 0x1.b524ebd13a55fp-24, 0x1.e4cf10dec0f59p-28, 0x1.e9ec1fcb69a7fp-32,
			0x1.c4a29324a1038p-36},
		mantissa: 52,
	},
}

// geluDoc is the Go loop up to e = p*scale.
var geluDoc = []string{
	"\tfor i := range n {",
	"\t\tz := min(max(x[i], low), high), NaN if x[i] is",
	"\t\tt := z * fma(cubic, z*z, linear)",
	"\t\tk := t rounded to an integer, and f := t - k",
	"\t\tp := fma(f, fma(f, ..., powers[0]), 1), and scale := 2^k",
}

// gelu emits the function and its gradient. The numbers that are used most, or first, stay in registers, as
// many as there are. An element takes the generic row longer than several vectors take here; so elements that fill
// no vector are computed here too, each in a vector with zeros.
func gelu(t target) {
	g := geluBySize[t.size]
	t.function("gelu", "func(dst, x *T, n int)", append(geluDoc,
		"\t\tdst[i] = max(x[i], low) / fma(p, scale, 1)",
		"\t}")...)
	dst, x, n := argument("dst"), argument("x"), argument("n")
	held := t.hold(g)
	t.elements(n, func(at func(reg.Register) Mem, bytes int) {
		v := t.vec(0)
		load(at(x), 0, bytes)
		t.max(v, held.number(g.low, 1), v)
		t.min(v, held.number(g.high, 1), t.vec(1))
		p, scale := held.exp(g, 1, 5)
		t.fmaTo(held.number(1, 5), scale, p)
		t.div(p, v, v)
		store(0, at(dst), bytes)
	})
	end()

	t.function("geluGrad", "func(dst, x, dy *T, n int)", append(geluDoc,
		"\t\ts := 1 / fma(p, scale, 1)",
		"\t\trest := min(p*scale, largest) * s",
		"\t\tdst[i] = dy[i] * (fma(z*fma(bend, z*z, slope), rest, 1) * s)",
		"\t}")...)
	dst, x, n = argument("dst"), argument("x"), argument("n")
	dy := argument("dy")
	held = t.hold(g)
	t.elements(n, func(at func(reg.Register) Mem, bytes int) {
		z, square, s, along := t.vec(0), t.vec(1), t.vec(2), t.vec(3)
		load(at(x), 0, bytes)
		t.max(z, held.number(g.low, 5), z)
		t.min(z, held.number(g.high, 5), z)
		p, scale := held.exp(g, 0, 1)
		one := held.number(1, 5)
		held.copy(1, s)
		t.fma(scale, p, s)
		t.div(s, one, s)
		t.mul(scale, p, p)
		t.min(p, held.number(g.largest, 5), p)
		t.mul(s, p, p)
		held.copy(g.slope, along)
		t.fma(held.number(g.bend, 5), square, along)
		t.mul(z, along, along)
		t.fmaTo(held.number(1, 5), p, along)
		t.mul(s, along, along)
		load(at(dy), 0, bytes)
		t.mul(t.vec(0), along, along)
		store(3, at(dst), bytes)
	})
	end()
}

// elements emits a loop over any number of elements: vectors, then single ones. body gets the place of what
// is computed in an array, and its size.
func (t target) elements(n reg.Register, body func(at func(array reg.Register) Mem, bytes int)) {
	whole := GP64()
	MOVQ(n, whole)
	ANDQ(I8(-t.lanes()), whole)
	t.vectors(whole, func(i reg.Register, u int) {
		body(func(array reg.Register) Mem { return Mem{Base: array, Index: i, Scale: 1, Disp: u * t.width} }, t.width)
	})
	t.bytes(n) // as vectors has done with whole
	CMPQ(whole, n)
	JGE(LabelRef("end"))
	Label("single")
	body(func(array reg.Register) Mem { return Mem{Base: array, Index: whole, Scale: 1} }, t.size)
	ADDQ(imm(t.size), whole)
	CMPQ(whole, n)
	JLT(LabelRef("single"))
	Label("end")
}

// exp computes p and scale from z in one register, and leaves its square in another; registers 2 to 5 change.
func (h held) exp(g geluNumbers, z, square int) (p, scale reg.VecPhysical) {
	t, f := h.target, h.vec(2)
	scale, p = h.vec(3), h.vec(4)
	t.mul(t.vec(z), t.vec(z), t.vec(square))
	h.copy(g.linear, f)
	t.fma(h.number(g.cubic, 3), t.vec(square), f)
	t.mul(t.vec(z), f, f)
	shift := h.number(g.shift, 5)
	t.add(f, shift, scale)
	t.sub(shift, scale, p)
	t.sub(p, f, f)
	last := len(g.powers) - 1
	h.copy(g.powers[last], p)
	for i := last - 1; i >= 0; i-- {
		t.fmaTo(h.number(g.powers[i], 5), f, p)
	}
	one := h.number(1, 5)
	t.fmaTo(one, f, p)
	t.pick(VPSLLD, VPSLLQ)(U8(g.mantissa), scale, scale)
	t.pick(VPADDD, VPADDQ)(one, scale, scale) // the bits of 1 are an exponent of 0
	return p, scale
}

// held is numbers that stay in registers.
type held struct {
	target
	registers map[float64]reg.VecPhysical
}

// hold loads GELU's numbers to registers from 6 on, as long as there are any.
func (t target) hold(g geluNumbers) held {
	h := held{t, map[float64]reg.VecPhysical{}}
	free := 16
	if t.isa == "AVX512" {
		free = 32
	}
	numbers := append([]float64{1, g.shift, g.high, g.linear, g.cubic}, g.powers[:len(g.powers)-1]...)
	for _, c := range append(numbers, g.slope, g.bend, g.largest) {
		if i := 6 + len(h.registers); i < free {
			h.registers[c] = t.vec(i)
			t.broadcast(t.constant(c), t.vec(i))
		}
	}
	return h
}

// number returns the register of a number, which is loaded to register scratch if it is not held.
func (h held) number(c float64, scratch int) reg.VecPhysical {
	if r, ok := h.registers[c]; ok {
		return r
	}
	h.broadcast(h.constant(c), h.vec(scratch))
	return h.vec(scratch)
}

// copy sets a register to a number.
func (h held) copy(c float64, to reg.VecPhysical) {
	if r, ok := h.registers[c]; ok {
		VMOVAPS(r, to)
		return
	}
	h.broadcast(h.constant(c), to)
}
