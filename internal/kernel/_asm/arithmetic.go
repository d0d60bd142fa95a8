package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The arithmetic below keeps Go's order of operands: the destination is last.

// choose returns single or double, by the element type; pick is choose for instructions of any number of operands.
func choose[F any](t target, single, double F) F {
	if t.size == 4 {
		return single
	}
	return double
}

func (t target) pick(single, double func(...Op)) func(...Op) { return choose(t, single, double) }

func (t target) broadcast(from, to Op) { t.pick(VBROADCASTSS, VBROADCASTSD)(from, to) }
func (t target) add(x, y, to Op)       { t.pick(VADDPS, VADDPD)(x, y, to) }
func (t target) mul(x, y, to Op)       { t.pick(VMULPS, VMULPD)(x, y, to) }

// sub sets to = y - x.
func (t target) sub(x, y, to Op) { t.pick(VSUBPS, VSUBPD)(x, y, to) }

// div sets to = y/x.
func (t target) div(x, y, to Op) { t.pick(VDIVPS, VDIVPD)(x, y, to) }

// max and min return x if either operand is NaN or both are zero: max(v, zeros) keeps a NaN and -0.
func (t target) max(x, y, to Op) { t.pick(VMAXPS, VMAXPD)(x, y, to) }
func (t target) min(x, y, to Op) { t.pick(VMINPS, VMINPD)(x, y, to) }

// fma sets sum = y*x + sum; fmaSub sets sum = -(y*x) + sum, which has the bits of fma(-y, x, sum).
func (t target) fma(x, y, sum Op)    { t.pick(VFMADD231PS, VFMADD231PD)(x, y, sum) }
func (t target) fmaSub(x, y, sum Op) { t.pick(VFNMADD231PS, VFNMADD231PD)(x, y, sum) }

// fmaTo sets to = y*to + add.
func (t target) fmaTo(add, y, to Op) { t.pick(VFMADD213PS, VFMADD213PD)(add, y, to) }

func (t target) zero(r reg.VecPhysical) { t.pick(VXORPS, VXORPD)(r, r, r) }

// Predicates of VCMPPS for keep.
const (
	greater  = 0x1e // false on NaN
	notEqual = 0x04 // true on NaN
)

// keep leaves v where x stands in the relation to 0, and sets it to +0 elsewhere.
func (t target) keep(relation uint64, x, v reg.VecPhysical) {
	compare := t.pick(VCMPPS, VCMPPD)
	if t.isa == "AVX512" {
		compare(Imm(relation), t.vec(zeros), x, reg.K1)
		if t.size == 4 {
			VMOVAPS_Z(v, reg.K1, v)
		} else {
			VMOVAPD_Z(v, reg.K1, v)
		}
		return
	}
	mask := t.vec(7)
	compare(Imm(relation), t.vec(zeros), x, mask)
	t.pick(VANDPS, VANDPD)(mask, v, v)
}

// load loads a vector to register i and returns that.
func (t target) load(m Mem, i int) reg.VecPhysical {
	VMOVUPS(m, t.vec(i))
	return t.vec(i)
}

func (t target) store(v reg.VecPhysical, m Mem) { VMOVUPS(v, m) }
