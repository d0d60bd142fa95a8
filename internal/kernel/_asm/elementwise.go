package main

import (
	"strings"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// elementwise is one function on slices. body loads a vector of each input, computes, and stores; all its
// loads come before its stores, so that an output may be an input too.
type elementwise struct {
	name    string
	slices  []string
	scalars []string
	doc     string // the body of the Go loop, lines separated by semicolons
	body    func(t target, at func(slice int) Mem, s []reg.VecPhysical)
}

const (
	firstScalar = 8  // register of the first scalar
	zeros       = 15 // register that holds +0 in every lane
)

// elementwises lists the functions, whose definitions are in the doc comments of kernel.Set. The gradient is
// called dw here because g is a register to Go's assembler.
var elementwises = []elementwise{
	{"addScaled", []string{"dst", "a", "b"}, []string{"s"}, "dst[i] = fma(s, b[i], a[i])", addScaled},
	{"scale", []string{"dst", "a"}, []string{"s"}, "dst[i] = s * a[i]", scale},
	{"relu", []string{"dst", "x"}, nil, "dst[i] = x[i], or +0 if x[i] < 0", relu},
	{"reluGrad", []string{"dst", "y", "dy"}, nil, "dst[i] = dy[i] if y[i] > 0, else +0", reluGrad},
	{"shrink", []string{"dst", "u"}, []string{"scale", "threshold"},
		"v := u[i]*scale;p := v - threshold, or +0 if that is negative;" +
			"q := v + threshold, or +0 if that is positive;dst[i] = p + q",
		shrink},
	{"shrinkNonnegative", []string{"dst", "u"}, []string{"scale", "threshold"},
		"p := u[i]*scale - threshold, rounded twice;dst[i] = p, or +0 if p < 0", shrinkNonnegative},
	{"shrinkGrad", []string{"dst", "z", "dz"}, []string{"scale"},
		"dst[i] = dz[i]*scale if z[i] != 0, else +0", shrinkGrad},
	{"normalizeGrad", []string{"dst", "x", "dy"}, []string{"mean", "a", "b", "c"},
		"dst[i] = fma(dy[i], a, fma(x[i]-mean, b, c))", normalizeGrad},
	{"momentum", []string{"w", "velocity", "dw"}, []string{"rate", "momentum", "decay"},
		"d := fma(decay, w[i], dw[i]);velocity[i] = fma(momentum, velocity[i], d);" +
			"w[i] = fma(-rate, fma(momentum, velocity[i], d), w[i])",
		momentum},
}

// emit writes the function: blocks of 4 vectors, then single vectors.
func (e elementwise) emit(t target) {
	signature := "func(" + strings.Join(e.slices, ", ") + " *T, n int"
	if e.scalars != nil {
		signature += ", " + strings.Join(e.scalars, ", ") + " T"
	}
	doc := []string{"\tfor i := range n {"}
	for line := range strings.SplitSeq(e.doc, ";") {
		doc = append(doc, "\t\t"+line)
	}
	t.function(e.name, signature+")", append(doc, "\t}", "", "with n a multiple of the lanes.")...)
	var pointers []reg.Register
	for _, name := range e.slices {
		pointers = append(pointers, argument(name))
	}
	n := argument("n")
	var s []reg.VecPhysical
	for i, name := range e.scalars {
		s = append(s, t.scalar(name, firstScalar+i))
	}
	t.zero(t.vec(zeros))
	t.vectors(n, func(i reg.Register, u int) {
		e.body(t, func(slice int) Mem {
			return Mem{Base: pointers[slice], Index: i, Scale: 1, Disp: u * t.width}
		}, s)
	})
	end()
}

// normalize emits the function on planes, each with a mean, a scale and a shift of its own.
func normalize(t target) {
	t.function("normalize", "func(dst, x *T, planes, plane, n int, mean, scale, shift *T)",
		"\tfor c := range planes {",
		"\t\tfor i := range n {",
		"\t\t\tdst[c*plane+i] = fma(x[c*plane+i]-mean[c], scale[c], shift[c])",
		"\t\t}",
		"\t}",
		"",
		"with n a multiple of the lanes, and planes at least 1.")
	dst, x, planes, plane, n := argument("dst"), argument("x"), argument("planes"), argument("plane"),
		argument("n")
	numbers := []reg.Register{argument("mean"), argument("scale"), argument("shift")}
	t.bytes(plane)
	rest := GP64()
	Label("plane")
	for i, m := range numbers {
		t.broadcast(Mem{Base: m}, t.vec(firstScalar+i))
		ADDQ(imm(t.size), m)
	}
	MOVQ(n, rest)
	t.vectors(rest, func(i reg.Register, u int) {
		v := t.load(Mem{Base: x, Index: i, Scale: 1, Disp: u * t.width}, 0)
		t.sub(t.vec(firstScalar), v, v)
		t.fmaTo(t.vec(firstScalar+2), t.vec(firstScalar+1), v)
		t.store(v, Mem{Base: dst, Index: i, Scale: 1, Disp: u * t.width})
	})
	ADDQ(plane, dst)
	ADDQ(plane, x)
	DECQ(planes)
	JNZ(LabelRef("plane"))
	end()
}

// vectors emits a loop over n elements, a multiple of the lanes: blocks of 4 vectors, then single ones. body
// gets the register of the offset in bytes, and the vector's number in the block.
func (t target) vectors(n reg.Register, body func(i reg.Register, u int)) {
	const unroll = 4
	i := GP64()
	XORQ(i, i)
	t.bytes(n)
	SUBQ(imm(unroll*t.width), n)
	JLT(LabelRef("rest"))
	Label("block")
	for u := range unroll {
		body(i, u)
	}
	ADDQ(imm(unroll*t.width), i)
	CMPQ(i, n)
	JLE(LabelRef("block"))
	Label("rest")
	ADDQ(imm(unroll*t.width), n)
	CMPQ(i, n)
	JGE(LabelRef("done"))
	Label("vector")
	body(i, 0)
	ADDQ(imm(t.width), i)
	CMPQ(i, n)
	JLT(LabelRef("vector"))
	Label("done")
}

func addScaled(t target, at func(int) Mem, s []reg.VecPhysical) {
	a := t.load(at(1), 0)
	t.fma(at(2), s[0], a)
	t.store(a, at(0))
}

func scale(t target, at func(int) Mem, s []reg.VecPhysical) {
	v := t.vec(0)
	t.mul(at(1), s[0], v)
	t.store(v, at(0))
}

func relu(t target, at func(int) Mem, _ []reg.VecPhysical) {
	v := t.vec(0)
	x := t.load(at(1), 0)
	t.max(x, t.vec(zeros), v)
	t.store(v, at(0))
}

func reluGrad(t target, at func(int) Mem, _ []reg.VecPhysical) {
	y, dy := t.load(at(1), 0), t.load(at(2), 1)
	t.keep(greater, y, dy)
	t.store(dy, at(0))
}

func shrink(t target, at func(int) Mem, s []reg.VecPhysical) {
	v, p, q := t.vec(0), t.vec(1), t.vec(2)
	t.mul(at(1), s[0], v)
	t.sub(s[1], v, p)
	t.add(s[1], v, q)
	t.max(p, t.vec(zeros), p)
	t.min(q, t.vec(zeros), q)
	t.add(q, p, p)
	t.store(p, at(0))
}

func shrinkNonnegative(t target, at func(int) Mem, s []reg.VecPhysical) {
	v := t.vec(0)
	t.mul(at(1), s[0], v)
	t.sub(s[1], v, v)
	t.max(v, t.vec(zeros), v)
	t.store(v, at(0))
}

func shrinkGrad(t target, at func(int) Mem, s []reg.VecPhysical) {
	z, v := t.load(at(1), 0), t.vec(1)
	t.mul(at(2), s[0], v)
	t.keep(notEqual, z, v)
	t.store(v, at(0))
}

func normalizeGrad(t target, at func(int) Mem, s []reg.VecPhysical) {
	x, dy := t.load(at(1), 0), t.load(at(2), 1)
	t.sub(s[0], x, x)
	t.fmaTo(s[3], s[2], x)
	t.fma(s[1], dy, x)
	t.store(x, at(0))
}

func momentum(t target, at func(int) Mem, s []reg.VecPhysical) {
	rate, momentum, decay := s[0], s[1], s[2]
	w, v, d, look := t.load(at(0), 0), t.load(at(1), 1), t.load(at(2), 2), t.vec(3)
	t.fma(decay, w, d)
	t.fmaTo(d, momentum, v)
	VMOVUPS(v, look)
	t.fmaTo(d, momentum, look)
	t.fmaSub(rate, look, w)
	t.store(v, at(1))
	t.store(w, at(0))
}
