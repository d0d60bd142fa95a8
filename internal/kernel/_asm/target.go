package main

import (
	"fmt"
	"math"
	"regexp"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// target is one instruction set and one element type.
type target struct {
	isa   string // "AVX2" or "AVX512"
	width int    // bytes of a vector
	size  int    // bytes of an element
}

// lanes returns the number of elements of a vector.
func (t target) lanes() int { return t.width / t.size }

// typed returns Go text with the name of the element type in the place of T.
func (t target) typed(text string) string {
	return regexp.MustCompile(`\bT\b`).ReplaceAllString(text, map[int]string{4: "float32", 8: "float64"}[t.size])
}

// name returns the name of a function: base, the instruction set, F32 or F64.
func (t target) name(base string) string { return fmt.Sprintf("%s%sF%d", base, t.isa, 8*t.size) }

// function starts the function of that base name. In the signature and in doc, the
// Go loop that the function equals, T stands for the element type.
func (t target) function(base, signature string, doc ...string) {
	t.functionWith(attr.NOSPLIT, base, signature, doc...)
}

func (t target) functionWith(attributes attr.Attribute, base, signature string, doc ...string) {
	name := t.name(base)
	TEXT(name, attributes, t.typed(signature))
	Pragma("noescape")
	Doc(append([]string{name + " is", ""}, doc...)...)
}

// end returns to Go. The upper halves are cleared because Go's own SSE code would be slow after them.
func end() {
	VZEROUPPER()
	RET()
}

// argument loads an integer or pointer parameter.
func argument(name string) reg.GPVirtual {
	r := GP64()
	Load(Param(name), r)
	return r
}

// address returns the place of a parameter in the frame.
func address(c gotypes.Component) Mem {
	b, err := c.Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}

// scalar broadcasts a floating-point parameter to register i.
func (t target) scalar(name string, i int) reg.VecPhysical {
	t.broadcast(address(Param(name)), t.vec(i))
	return t.vec(i)
}

// vec returns vector register i.
func (t target) vec(i int) reg.VecPhysical {
	if t.width == 64 {
		return zmm[i]
	}
	return ymm[i]
}

// sized returns register i for bytes bytes of data; below 16 that is the low part of an XMM register.
func sized(i, bytes int) reg.VecPhysical {
	switch bytes {
	case 64:
		return zmm[i]
	case 32:
		return ymm[i]
	default:
		return xmm[i]
	}
}

// load and store move bytes bytes, 4 to 64, between memory and register i.
func load(m Mem, i, bytes int)      { move(bytes)(m, sized(i, bytes)) }
func store(i int, m Mem, bytes int) { move(bytes)(sized(i, bytes), m) }

func move(bytes int) func(...Op) {
	switch bytes {
	case 4:
		return VMOVSS
	case 8:
		return VMOVSD
	default:
		return VMOVUPS
	}
}

var xmm = []reg.VecPhysical{
	reg.X0, reg.X1, reg.X2, reg.X3, reg.X4, reg.X5, reg.X6, reg.X7,
	reg.X8, reg.X9, reg.X10, reg.X11, reg.X12, reg.X13, reg.X14, reg.X15,
}

var ymm = []reg.VecPhysical{
	reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
	reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
}

var zmm = []reg.VecPhysical{
	reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
	reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
	reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
	reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
}

// bytes turns a count of elements into a count of bytes.
func (t target) bytes(r reg.Register) { SHLQ(imm(t.size/4+1), r) }

// imm returns an immediate operand in the size that the 64-bit instructions take.
func imm(n int) Op {
	if n < 128 {
		return U8(n)
	}
	return U32(n)
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
