package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// peakChains is enough independent chains for two units with a latency of 4 or 5 cycles, and leaves room for
// the constants.
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
