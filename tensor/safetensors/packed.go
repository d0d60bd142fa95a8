package safetensors

import (
	"encoding/binary"

	"sdref/internal/narrow"
)

// packed is the elements of a type that Go has no slices for here, as they lie in the file.
type packed struct {
	dtype string
	raw   []byte
}

// format is a type of elements that a file can have.
type format struct {
	name  string
	width int // bytes of an element
	// What an element is worth, for the types that are kept packed: a float32 or an int64.
	float   func([]byte) float32
	integer func([]byte) int64
}

var little = binary.LittleEndian

// formats are the types that are read. F64, F32, I64 and U64 are slices in memory.
var formats = []format{
	{name: "F64", width: 8},
	{name: "F32", width: 4},
	{name: "I64", width: 8},
	{name: "U64", width: 8},
	{name: "F16", width: 2, float: func(b []byte) float32 { return narrow.Half(little.Uint16(b)) }},
	{name: "BF16", width: 2, float: func(b []byte) float32 { return narrow.BFloat16(little.Uint16(b)) }},
	{name: "F8_E5M2", width: 1, float: func(b []byte) float32 { return narrow.E5M2(b[0]) }},
	{name: "F8_E4M3", width: 1, float: func(b []byte) float32 { return narrow.E4M3(b[0]) }},
	{name: "I32", width: 4, integer: func(b []byte) int64 { return int64(int32(little.Uint32(b))) }},
	{name: "I16", width: 2, integer: func(b []byte) int64 { return int64(int16(little.Uint16(b))) }},
	{name: "I8", width: 1, integer: func(b []byte) int64 { return int64(int8(b[0])) }},
	{name: "U32", width: 4, integer: func(b []byte) int64 { return int64(little.Uint32(b)) }},
	{name: "U16", width: 2, integer: func(b []byte) int64 { return int64(little.Uint16(b)) }},
	{name: "U8", width: 1, integer: func(b []byte) int64 { return int64(b[0]) }},
	{name: "BOOL", width: 1, integer: func(b []byte) int64 { return int64(min(b[0], 1)) }},
}

// formatOf is the format of a name, the zero value if there is none.
func formatOf(dtype string) format {
	for _, f := range formats {
		if f.name == dtype {
			return f
		}
	}
	return format{}
}

// width returns the bytes of one element, 0 for a type this package does not read.
func width(dtype string) int { return formatOf(dtype).width }

// widened are the elements as float32 or, of integers and booleans, int64: exactly.
func (p packed) widened() any {
	f := formatOf(p.dtype)
	if f.float != nil {
		return widen(p.raw, f.width, f.float)
	}
	return widen(p.raw, f.width, f.integer)
}

func widen[T Element](raw []byte, width int, value func([]byte) T) []T {
	values := make([]T, len(raw)/width)
	for i := range values {
		values[i] = value(raw[i*width:])
	}
	return values
}
