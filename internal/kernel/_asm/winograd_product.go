package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// products emits the matrix products of Winograd convolution. The largest fills the registers: 6*4 sums of 32 registers, or
// 6*2 of 16; the ones of a single vector are for what is left over of the columns.
func products(t target) {
	widest := 4
	if t.isa == "AVX2" {
		widest = 2
	}
	for _, vectors := range []int{widest, 1} {
		for _, rows := range []int{6, 4, 2, 1} {
			product(t, rows, vectors)
		}
	}
}

// product emits one microkernel. Sum (i, j) lives in register i*vectors+j for all of k; each step loads the vectors of b, and
// for each row broadcasts one element of a.
func product(t target, rows, vectors int) {
	cols := vectors * t.lanes()
	t.function(fmt.Sprintf("winogradProduct%dx%d", rows, vectors), "func(k int, a *T, aRow, aStep int, b *T, bStep int, c *T, ldc int, load bool)",
		fmt.Sprintf("\tfor i := range %d {", rows),
		fmt.Sprintf("\t\tfor j := range %d {", cols),
		"\t\t\ts := 0, or c[i*ldc+j] if load",
		"\t\t\tfor p := range k {",
		"\t\t\t\ts = fma(a[i*aRow+p*aStep], b[p*bStep+j], s)",
		"\t\t\t}",
		"\t\t\tc[i*ldc+j] = s",
		"\t\t}",
		"\t}")
	k, a, aRow, aStep := argument("k"), argument("a"), argument("aRow"), argument("aStep")
	b, bStep, c, ldc := argument("b"), argument("bStep"), argument("c"), argument("ldc")
	for _, r := range []reg.Register{aRow, aStep, bStep, ldc} {
		t.bytes(r)
	}
	sums := steps(c, ldc, rows)
	t.productBegin(vectors, sums)
	elements := steps(a, aRow, rows)
	TESTQ(k, k)
	JZ(LabelRef("done"))
	Label("step")
	t.productStep(vectors, elements, b)
	ADDQ(aStep, a)
	if rows > 3 {
		ADDQ(aStep, elements[3].Base)
	}
	ADDQ(bStep, b)
	DECQ(k)
	JNZ(LabelRef("step"))
	Label("done")
	for i, m := range sums {
		for j := range vectors {
			t.store(t.vec(i*vectors+j), m.Offset(j*t.width))
		}
	}
	end()
}

// productStep adds one step's products to the sums; elements are the places of a's.
func (t target) productStep(vectors int, elements []Mem, b reg.Register) {
	first := len(elements) * vectors
	for j := range vectors {
		t.load(Mem{Base: b, Disp: j * t.width}, first+j)
	}
	element := t.vec(first + vectors)
	for i, m := range elements {
		t.broadcast(m, element)
		for j := range vectors {
			t.fma(element, t.vec(first+j), t.vec(i*vectors+j))
		}
	}
}

// productBegin sets the sums to zero or to c.
func (t target) productBegin(vectors int, sums []Mem) {
	flag := GP8()
	Load(Param("load"), flag)
	TESTB(flag, flag)
	JNZ(LabelRef("load"))
	for r := range len(sums) * vectors {
		t.zero(t.vec(r))
	}
	JMP(LabelRef("begin"))
	Label("load")
	for i, m := range sums {
		for j := range vectors {
			t.load(m.Offset(j*t.width), i*vectors+j)
		}
	}
	Label("begin")
}

var constants = map[string]Mem{}

// constant is the place of a constant of the element type in the file's data.
func (t target) constant(c float64) Mem {
	name := fmt.Sprintf("constant%d", len(constants))
	bits, key := Constant(U64(math.Float64bits(c))), fmt.Sprintf("%d %v", t.size, c)
	if t.size == 4 {
		bits = U32(math.Float32bits(float32(c)))
	}
	if _, known := constants[key]; !known {
		constants[key] = ConstData(name, bits)
	}
	return constants[key]
}
