package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// reduceLanes is the number of float64 sums of a reduction, the same for every instruction set.
const reduceLanes = 16

// reduction is one sum. body adds to acc what comes from d, a vector of each slice in float64; d may be
// overwritten.
type reduction struct {
	name   string
	slices []string
	mean   bool
	doc    string // the body of the Go loop, lines separated by semicolons
	body   func(d []reg.VecPhysical, mean, acc reg.VecPhysical)
}

var reductions = []reduction{
	{"sum", []string{"x"}, false, "lanes[i%16] += float64(x[i])",
		func(d []reg.VecPhysical, _, acc reg.VecPhysical) {
			VADDPD(d[0], acc, acc)
		}},
	{"sumSquares", []string{"x"}, true, "d := float64(x[i]) - mean;lanes[i%16] = fma(d, d, lanes[i%16])",
		func(d []reg.VecPhysical, mean, acc reg.VecPhysical) {
			VSUBPD(mean, d[0], d[0])
			VFMADD231PD(d[0], d[0], acc)
		}},
	{"dot", []string{"x", "y"}, true, "lanes[i%16] = fma(float64(x[i])-mean, float64(y[i]), lanes[i%16])",
		func(d []reg.VecPhysical, mean, acc reg.VecPhysical) {
			VSUBPD(mean, d[0], d[0])
			VFMADD231PD(d[1], d[0], acc)
		}},
}

// emit writes two functions, which go over one block of 16 elements after the other: one returns the lanes, the other their sum.
func (r reduction) emit(t target) {
	r.emitOne(t, r.name+"Lanes", "lanes [16]float64", "", func(vectors int) {
		lanes := GP64()
		LEAQ(address(ReturnIndex(0).Index(0)), lanes)
		for i := range vectors {
			VMOVUPD(t.vec(i), Mem{Base: lanes, Disp: i * t.width})
		}
	})
	r.emitOne(t, r.name, "sum float64", "\tsum = tree(lanes)", func(vectors int) {
		for ; vectors > 1; vectors /= 2 {
			for i := range vectors / 2 {
				VADDPD(t.vec(i+vectors/2), t.vec(i), t.vec(i))
			}
		}
		if t.width == 64 {
			VEXTRACTF64X4(imm(1), zmm[0], ymm[1])
			VADDPD(ymm[1], ymm[0], ymm[0])
		}
		VEXTRACTF128(imm(1), ymm[0], xmm[1])
		VADDPD(xmm[1], xmm[0], xmm[0])
		VPERMILPD(imm(1), xmm[0], xmm[1])
		VADDSD(xmm[1], xmm[0], xmm[0])
		VMOVSD(xmm[0], address(ReturnIndex(0)))
	})
}

// emitOne writes one of the functions, whose result finish makes of the lanes, which are in the first so many vector registers.
func (r reduction) emitOne(t target, name, result, last string, finish func(vectors int)) {
	signature := "func(" + strings.Join(r.slices, ", ") + " *T, n int"
	if r.mean {
		signature += ", mean float64"
	}
	doc := []string{"\tfor i := range n {"}
	for line := range strings.SplitSeq(r.doc, ";") {
		doc = append(doc, "\t\t"+line)
	}
	doc = append(doc, "\t}")
	if last != "" {
		doc = append(doc, last)
	}
	t.function(name, signature+") ("+result+")", append(doc, "", "with n a multiple of 16.")...)
	var pointers []reg.Register
	for _, name := range r.slices {
		pointers = append(pointers, argument(name))
	}
	n := argument("n")
	vectors := reduceLanes * 8 / t.width
	mean := t.vec(vectors)
	if r.mean {
		VBROADCASTSD(address(Param("mean")), mean)
	}
	for i := range vectors {
		VXORPD(t.vec(i), t.vec(i), t.vec(i))
	}
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("block")
	for i := range vectors {
		var d []reg.VecPhysical
		for slice, pointer := range pointers {
			v := t.vec(vectors + 1 + slice)
			t.widen(Mem{Base: pointer, Disp: i * t.width / 8 * t.size}, v)
			d = append(d, v)
		}
		r.body(d, mean, t.vec(i))
	}
	for _, pointer := range pointers {
		ADDQ(imm(reduceLanes*t.size), pointer)
	}
	SUBQ(imm(reduceLanes), n)
	JNZ(LabelRef("block"))
	Label("done")
	finish(vectors)
	end()
}

// widen loads a vector's worth of float64 from elements at m.
func (t target) widen(m Mem, v reg.VecPhysical) { t.pick(VCVTPS2PD, VMOVUPD)(m, v) }
