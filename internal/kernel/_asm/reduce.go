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

// emit writes the function: one block of 16 elements after the other.
func (r reduction) emit(t target) {
	signature := "func(" + strings.Join(r.slices, ", ") + " *T, n int"
	if r.mean {
		signature += ", mean float64"
	}
	doc := []string{"\tfor i := range n {"}
	for line := range strings.SplitSeq(r.doc, ";") {
		doc = append(doc, "\t\t"+line)
	}
	t.function(r.name, signature+") (lanes [16]float64)",
		append(doc, "\t}", "", "with n a multiple of 16.")...)
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
	lanes := GP64()
	LEAQ(address(ReturnIndex(0).Index(0)), lanes)
	for i := range vectors {
		VMOVUPD(t.vec(i), Mem{Base: lanes, Disp: i * t.width})
	}
	end()
}

// widen loads a vector's worth of float64 from elements at m.
func (t target) widen(m Mem, v reg.VecPhysical) { t.pick(VCVTPS2PD, VMOVUPD)(m, v) }
