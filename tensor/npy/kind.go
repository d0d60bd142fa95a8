package npy

import (
	"encoding/binary"
	"math"

	"sdref/internal/narrow"
)

// kind is how values of one type lie in a file.
type kind struct {
	name, code, letter string // as NumPy calls the type, as headers do, and the letter of C's type, if its size is the same everywhere
	size               int
	read               func(binary.ByteOrder, []byte) (v float64, exact bool)
	write              func(binary.ByteOrder, []byte, float64)
}

// kinds are the types of numbers.
var kinds = []kind{
	{"float64", "f8", "d", 8, func(o binary.ByteOrder, b []byte) (float64, bool) { return math.Float64frombits(o.Uint64(b)), true },
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint64(b, math.Float64bits(v)) }},
	{"float32", "f4", "f", 4, func(o binary.ByteOrder, b []byte) (float64, bool) {
		return float64(math.Float32frombits(o.Uint32(b))), true
	},
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint32(b, math.Float32bits(float32(v))) }},
	{"float16", "f2", "e", 2, func(o binary.ByteOrder, b []byte) (float64, bool) { return float64(narrow.Half(o.Uint16(b))), true },
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint16(b, narrow.ToHalf(v)) }},
	{"int64", "i8", "q", 8, readInt64, func(o binary.ByteOrder, b []byte, v float64) { o.PutUint64(b, uint64(int64(v))) }},
	{"int32", "i4", "i", 4, func(o binary.ByteOrder, b []byte) (float64, bool) { return float64(int32(o.Uint32(b))), true },
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint32(b, uint32(int32(v))) }},
	{"int16", "i2", "h", 2, func(o binary.ByteOrder, b []byte) (float64, bool) { return float64(int16(o.Uint16(b))), true },
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint16(b, uint16(int16(v))) }},
	{"int8", "i1", "b", 1, func(_ binary.ByteOrder, b []byte) (float64, bool) { return float64(int8(b[0])), true },
		func(_ binary.ByteOrder, b []byte, v float64) { b[0] = uint8(int8(v)) }},
	{"uint64", "u8", "Q", 8, readUint64, func(o binary.ByteOrder, b []byte, v float64) { o.PutUint64(b, uint64(v)) }},
	{"uint32", "u4", "I", 4, func(o binary.ByteOrder, b []byte) (float64, bool) { return float64(o.Uint32(b)), true },
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint32(b, uint32(v)) }},
	{"uint16", "u2", "H", 2, func(o binary.ByteOrder, b []byte) (float64, bool) { return float64(o.Uint16(b)), true },
		func(o binary.ByteOrder, b []byte, v float64) { o.PutUint16(b, uint16(v)) }},
	{"uint8", "u1", "B", 1, func(_ binary.ByteOrder, b []byte) (float64, bool) { return float64(b[0]), true },
		func(_ binary.ByteOrder, b []byte, v float64) { b[0] = uint8(v) }},
	{"bool", "b1", "?", 1, func(_ binary.ByteOrder, b []byte) (float64, bool) { return float64(min(b[0], 1)), true },
		func(_ binary.ByteOrder, b []byte, v float64) { b[0] = uint8(v) }},
}

func find(is func(kind) bool) (kind, bool) {
	for _, k := range kinds {
		if is(k) {
			return k, true
		}
	}
	return kind{}, false
}

// readInt64 reads an integer, which a float64 need not hold. 2^63 first: what it converts back to depends on
// the architecture.
func readInt64(o binary.ByteOrder, b []byte) (float64, bool) {
	n := int64(o.Uint64(b))
	v := float64(n)
	return v, v != 0x1p63 && int64(v) == n
}

func readUint64(o binary.ByteOrder, b []byte) (float64, bool) {
	n := o.Uint64(b)
	v := float64(n)
	return v, v != 0x1p64 && uint64(v) == n
}
