package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transform is one transform of Winograd convolution, of an in x in square of vectors to an out x out one.
// step emits its one-dimensional step on registers 0 to in-1 and returns the registers of the results; it may
// use registers 6 to 9.
type transform struct {
	name      string
	in, out   int
	reversed  bool // the square is read backwards
	constants []float64
	doc       []string // of the step: its operands, then its formulas
	step      func(t target, k []reg.VecPhysical) []int
}

const firstConstant = 10 // register of the first constant of a transform

var kernelDoc = []string{
	"g0, g1, g2",
	"s, a := g0+g2, fma(4, g2, g0)",
	"g0*(1/4), (s+g1)*(-1/6), (s-g1)*(-1/6), fma(2, g1, a)*(1/24), fma(-2, g1, a)*(1/24), g2",
}

var transforms = []transform{
	{"Signal", 6, 6, false, []float64{4, 5, 2}, []string{
		"d0, ..., d5",
		"a, b, c, e := fma(-4, d2, d4), fma(-4, d1, d3), d4-d2, d3-d1",
		"fma(4, d0, fma(-5, d2, d4)), a+b, a-b, fma(2, e, c), fma(-2, e, c), fma(4, d1, fma(-5, d3, d5))"},
		signalStep},
	{"Kernel", 3, 6, false, spreadConstants, kernelDoc, kernelStep},
	{"KernelReversed", 3, 6, true, spreadConstants, kernelDoc, kernelStep},
	{"Code", 4, 6, false, spreadConstants, []string{
		"g0, ..., g3",
		"e, o, p, q := g0+g2, g1+g3, fma(4, g2, g0), fma(4, g3, g1)",
		"g0*(1/4), (e+o)*(-1/6), (e-o)*(-1/6), fma(2, q, p)*(1/24), fma(-2, q, p)*(1/24), g3"}, codeStep},
	{"Output", 6, 4, false, []float64{2, 4, 8}, []string{
		"m0, ..., m5",
		"p, q, r, s := m1+m2, m1-m2, m3+m4, m3-m4",
		"(m0+p)+r, fma(2, s, q), fma(4, r, p), fma(8, s, q)+m5"}, outputStep},
	{"Gradient", 6, 3, false, []float64{2, 4}, []string{
		"m0, ..., m5",
		"p, q, r, s := m1+m2, m1-m2, m3+m4, m3-m4",
		"(m0+p)+r, fma(2, s, q), fma(4, r, p)+m5"}, gradientStep},
}

var spreadConstants = []float64{4, 2, -1. / 6, 1. / 24, 1. / 4}

func signalStep(t target, k []reg.VecPhysical) []int {
	v, four, five, two := t.vec, k[0], k[1], k[2]
	VMOVUPS(v(4), v(6))
	t.fmaSub(five, v(2), v(6))
	t.fma(four, v(0), v(6))
	t.fmaSub(five, v(3), v(5))
	t.fma(four, v(1), v(5))
	VMOVUPS(v(4), v(7))
	t.fmaSub(four, v(2), v(7))
	VMOVUPS(v(3), v(8))
	t.fmaSub(four, v(1), v(8))
	t.sub(v(2), v(4), v(4))
	t.sub(v(1), v(3), v(3))
	t.add(v(8), v(7), v(1))
	t.sub(v(8), v(7), v(2))
	VMOVUPS(v(4), v(7))
	t.fma(two, v(3), v(7))
	t.fmaSub(two, v(3), v(4))
	return []int{6, 1, 2, 7, 4, 5}
}

func kernelStep(t target, k []reg.VecPhysical) []int {
	v := t.vec
	VMOVUPS(v(0), v(7))
	t.fma(k[0], v(2), v(7))
	t.add(v(2), v(0), v(6))
	t.mul(k[4], v(0), v(0))
	return append(append([]int{0}, t.spread(k, 6, 1, 7, 1)...), 2)
}

func codeStep(t target, k []reg.VecPhysical) []int {
	v := t.vec
	VMOVUPS(v(0), v(7))
	t.fma(k[0], v(2), v(7))
	t.add(v(2), v(0), v(6))
	VMOVUPS(v(1), v(8))
	t.fma(k[0], v(3), v(8))
	t.add(v(3), v(1), v(1))
	t.mul(k[4], v(0), v(0))
	return append(append([]int{0}, t.spread(k, 6, 1, 7, 8)...), 3)
}

// spread emits (e+o)*(-1/6), (e-o)*(-1/6), fma(2, q, p)*(1/24), fma(-2, q, p)*(1/24) on the registers of
// these names.
func (t target) spread(k []reg.VecPhysical, e, o, p, q int) []int {
	v := t.vec
	VMOVUPS(v(p), v(9))
	t.fma(k[1], v(q), v(9))
	t.fmaSub(k[1], v(q), v(p))
	t.add(v(o), v(e), v(4))
	t.sub(v(o), v(e), v(e))
	for i, r := range []int{4, e, 9, p} {
		t.mul(k[2+i/2], v(r), v(r))
	}
	return []int{4, e, 9, p}
}

func outputStep(t target, k []reg.VecPhysical) []int {
	v := t.vec
	t.halves()
	t.fmaResult(k[0], 9, 7, 1)
	t.fmaResult(k[1], 8, 6, 2)
	t.fma(k[2], v(9), v(7))
	t.add(v(5), v(7), v(7))
	return []int{0, 1, 2, 7}
}

func gradientStep(t target, k []reg.VecPhysical) []int {
	v := t.vec
	t.halves()
	t.fmaResult(k[0], 9, 7, 1)
	t.fma(k[1], v(8), v(6))
	t.add(v(5), v(6), v(6))
	return []int{0, 1, 6}
}

// halves sets registers 6 to 9 to p = m1+m2, q = m1-m2, r = m3+m4, s = m3-m4, and register 0 to (m0+p)+r.
func (t target) halves() {
	v := t.vec
	t.add(v(2), v(1), v(6))
	t.sub(v(2), v(1), v(7))
	t.add(v(4), v(3), v(8))
	t.sub(v(4), v(3), v(9))
	t.add(v(6), v(0), v(0))
	t.add(v(8), v(0), v(0))
}

// fmaResult sets register to to fma(k, register x, register sum).
func (t target) fmaResult(k reg.VecPhysical, x, sum, to int) {
	VMOVUPS(t.vec(sum), t.vec(to))
	t.fma(k, t.vec(x), t.vec(to))
}

// emit writes the transform: for each vector of channels the columns of the square, whose results go to the
// frame, then the rows of these. The frame is too large for a function that does not check the stack.
func (f transform) emit(t target) {
	t.functionWith(0, "winograd"+f.name, "func(dst *T, dstRow, dstCol int, src *T, srcRow, srcCol, n int)",
		f.lines()...)
	frame, middle := AllocLocal(f.out*f.in*t.width+t.width), GP64()
	LEAQ(frame.Offset(t.width-1), middle)
	ANDQ(I32(-t.width), middle) // or vectors would straddle cache lines
	var k []reg.VecPhysical
	for i, c := range f.constants {
		k = append(k, t.vec(firstConstant+i))
		t.broadcast(t.constant(c), k[i])
	}
	dst, dstRow, dstCol := argument("dst"), argument("dstRow"), argument("dstCol")
	src, srcRow, srcCol, n := argument("src"), argument("srcRow"), argument("srcCol"), argument("n")
	for _, r := range []reg.Register{dstRow, dstCol, srcRow, srcCol, n} {
		t.bytes(r)
	}
	if f.reversed {
		reverse(src, srcRow, srcCol)
	}
	TESTQ(n, n)
	JZ(LabelRef("done"))
	Label("vector")
	f.columns(t, k, src, srcRow, srcCol, middle)
	f.rows(t, k, dst, dstRow, dstCol, middle)
	ADDQ(imm(t.width), src)
	ADDQ(imm(t.width), dst)
	SUBQ(imm(t.width), n)
	JNZ(LabelRef("vector"))
	Label("done")
	end()
}

// columns applies the step to the columns of the square.
func (f transform) columns(t target, k []reg.VecPhysical, src, row, col, middle reg.Register) {
	from, to, count := GP64(), GP64(), GP64()
	MOVQ(src, from)
	MOVQ(middle, to)
	MOVQ(U32(f.in), count)
	Label("column")
	for u, m := range steps(from, row, f.in) {
		t.load(m, u)
	}
	for i, r := range f.step(t, k) {
		t.store(t.vec(r), Mem{Base: to, Disp: i * f.in * t.width})
	}
	ADDQ(col, from)
	ADDQ(imm(t.width), to)
	DECQ(count)
	JNZ(LabelRef("column"))
}

// rows applies the step to the rows of what columns left.
func (f transform) rows(t target, k []reg.VecPhysical, dst, row, col, middle reg.Register) {
	from, to, count := GP64(), GP64(), GP64()
	MOVQ(middle, from)
	MOVQ(dst, to)
	MOVQ(U32(f.out), count)
	Label("row")
	for u := range f.in {
		t.load(Mem{Base: from, Disp: u * t.width}, u)
	}
	results := f.step(t, k)
	for j, m := range steps(to, col, f.out) {
		t.store(t.vec(results[j]), m)
	}
	ADDQ(imm(f.in*t.width), from)
	ADDQ(row, to)
	DECQ(count)
	JNZ(LabelRef("row"))
}

// lines is the Go loop that the transform equals.
func (f transform) lines() []string {
	from := "src[i*srcRow+j*srcCol+l]"
	if f.reversed {
		from = "src[(2-i)*srcRow+(2-j)*srcCol+l]"
	}
	lines := []string{
		"\tfor l := range n {",
		fmt.Sprintf("\t\tfor j := range %d {", f.in),
		fmt.Sprintf("\t\t\tcolumn j of middle = step(%s for i := range %d)", from, f.in),
		"\t\t}",
		fmt.Sprintf("\t\tfor i := range %d {", f.out),
		fmt.Sprintf("\t\t\tdst[i*dstRow+j*dstCol+l] for j := range %d = step(row i of middle)", f.out),
		"\t\t}",
		"\t}",
		"",
		"with n a multiple of the lanes. The step makes of " + f.doc[0] + ", with",
		"",
	}
	for _, l := range f.doc[1:] {
		lines = append(lines, "\t"+l)
	}
	return lines
}

// reverse makes src and its steps those of the 3x3 square read backwards.
func reverse(src, row, col reg.Register) {
	LEAQ(Mem{Base: src, Index: row, Scale: 2}, src)
	LEAQ(Mem{Base: src, Index: col, Scale: 2}, src)
	NEGQ(row)
	NEGQ(col)
}

// steps returns the addresses of n <= 6 vectors that lie a step apart.
func steps(base, step reg.Register, n int) []Mem {
	far := base
	if n > 3 {
		r := GP64()
		LEAQ(Mem{Base: base, Index: step, Scale: 2}, r)
		ADDQ(step, r)
		far = r
	}
	var list []Mem
	for i := range n {
		from := []reg.Register{base, far}[i/3]
		list = append(list, []Mem{{Base: from}, {Base: from, Index: step, Scale: 1},
			{Base: from, Index: step, Scale: 2}}[i%3])
	}
	return list
}
