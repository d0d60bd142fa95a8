package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// irregularClass is the classes that VFPCLASSPS looks for: quiet and signalling NaNs, infinities, -0.
const irregularClass = 0x80 | 0x10 | 0x08 | 0x04 | 0x01

// regular emits the search for elements that are infinite, NaN or -0.
func regular(t target) {
	t.function("regular", "func(x *T, n int) bool",
		"\tfor i := range n {",
		"\t\tif x[i] is infinite, NaN or -0 {",
		"\t\t\treturn false",
		"\t\t}",
		"\t}",
		"\treturn true",
		"",
		"with n a multiple of the lanes.")
	x, n, found := argument("x"), argument("n"), GP8()
	if t.isa == "AVX512" {
		KXORW(reg.K2, reg.K2, reg.K2)
		t.vectors(n, func(i reg.Register, u int) {
			t.pick(VFPCLASSPSZ, VFPCLASSPDZ)(Imm(irregularClass),
				Mem{Base: x, Index: i, Scale: 1, Disp: u * t.width}, reg.K1)
			KORW(reg.K1, reg.K2, reg.K2)
		})
		KORTESTW(reg.K2, reg.K2)
	} else {
		v, found, minusZero, all := t.vec(0), t.vec(1), t.vec(2), t.vec(3)
		VXORPS(all, all, all)
		VPCMPEQD(minusZero, minusZero, minusZero) // all ones; then the sign alone
		t.pick(VPSLLD, VPSLLQ)(imm(8*t.size-1), minusZero, minusZero)
		t.vectors(n, func(i reg.Register, u int) {
			t.load(Mem{Base: x, Index: i, Scale: 1, Disp: u * t.width}, 0)
			t.pick(VPCMPEQD, VPCMPEQQ)(v, minusZero, found)
			VORPS(found, all, all)
			t.sub(v, v, v) // +0, or NaN if v is not finite
			VORPS(v, all, all)
		})
		VPTEST(all, all)
	}
	SETEQ(found)
	Store(found, ReturnIndex(0))
	end()
}
