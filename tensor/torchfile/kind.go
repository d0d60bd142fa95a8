package torchfile

import (
	"encoding/binary"
	"math"

	"sdref/internal/narrow"
	"sdref/tensor/safetensors"
)

// kind is a type of elements.
type kind struct {
	storage string // PyTorch's name of a storage of such elements
	name    string
	size    int                               // bytes
	values  func(t Tensor) safetensors.Tensor // nil for types whose values are not numbers here
}

// kinds are the types that a tensor may have. Types narrower than float32 become float32, which holds them
// exactly, and integers and booleans int64, but for uint64.
var kinds = []kind{
	{"DoubleStorage", "float64", 8, gather(float64At)},
	{"FloatStorage", "float32", 4, gather(float32At)},
	{"HalfStorage", "float16", 2, gather(func(o binary.ByteOrder, b []byte) float32 { return narrow.Half(o.Uint16(b)) })},
	{"BFloat16Storage", "bfloat16", 2, gather(func(o binary.ByteOrder, b []byte) float32 { return narrow.BFloat16(o.Uint16(b)) })},
	{"LongStorage", "int64", 8, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(o.Uint64(b)) })},
	{"IntStorage", "int32", 4, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(int32(o.Uint32(b))) })},
	{"ShortStorage", "int16", 2, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(int16(o.Uint16(b))) })},
	{"CharStorage", "int8", 1, gather(func(_ binary.ByteOrder, b []byte) int64 { return int64(int8(b[0])) })},
	{"ByteStorage", "uint8", 1, gather(func(_ binary.ByteOrder, b []byte) int64 { return int64(b[0]) })},
	{"BoolStorage", "bool", 1, gather(func(_ binary.ByteOrder, b []byte) int64 { return int64(b[0]) })},

	// Types without a storage of their own: tensors of them name the type, and view untyped bytes.
	{"", "uint16", 2, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(o.Uint16(b)) })},
	{"", "uint32", 4, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(o.Uint32(b)) })},
	{"", "uint64", 8, gather(func(o binary.ByteOrder, b []byte) uint64 { return o.Uint64(b) })},
	{"", "float8_e4m3fn", 1, gather(func(_ binary.ByteOrder, b []byte) float32 { return narrow.E4M3(b[0]) })},
	{"", "float8_e5m2", 1, gather(func(_ binary.ByteOrder, b []byte) float32 { return narrow.E5M2(b[0]) })},

	// Types that are not read: tensors of them are listed as objects.
	{"ComplexFloatStorage", "complex64", 8, nil},
	{"ComplexDoubleStorage", "complex128", 16, nil},
	{"QUInt8Storage", "quint8", 1, nil},
	{"QInt8Storage", "qint8", 1, nil},
	{"QInt32Storage", "qint32", 4, nil},
	{"QUInt4x2Storage", "quint4x2", 1, nil},
	{"QUInt2x4Storage", "quint2x4", 1, nil},
}

// untyped is the kind of a storage that only its tensors give a type.
var untyped = kind{"UntypedStorage", "bytes", 1, nil}

func kindOf(name string) (kind, bool) {
	for _, k := range kinds {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

func float64At(o binary.ByteOrder, b []byte) float64 { return math.Float64frombits(o.Uint64(b)) }
func float32At(o binary.ByteOrder, b []byte) float32 { return math.Float32frombits(o.Uint32(b)) }

// storage is a run of elements that tensors view.
type storage struct {
	kind
	elements int
	raw      []byte // read behind the pickle where the file is an old one
	order    binary.ByteOrder
	of       *storage // the one that this one is a part of, in files of PyTorch before 0.4
	from     int      // the first element of it
}

// bytes are the storage's elements.
func (s *storage) bytes() []byte {
	if s.of != nil {
		return s.of.raw[s.from*s.size:][:s.elements*s.size]
	}
	return s.raw
}

// view is where a tensor's elements lie in a storage: element (i, j, ...) at offset + i strides[0] + j
// strides[1] + ...
type view struct {
	storage *storage
	kind    kind // the storage's, or what the tensor makes of untyped bytes
	offset  int
	strides []int
}

// Values returns a copy of the tensor's elements, row-major: float64, float32, int64 or uint64 (see the
// package's list of types). A stride of 0 can make a tensor larger than its file: look at Shape first.
func (t Tensor) Values() safetensors.Tensor { return t.kind.values(t) }

// gather returns a function that reads a tensor's elements one by one.
func gather[T safetensors.Element](element func(binary.ByteOrder, []byte) T) func(Tensor) safetensors.Tensor {
	return func(t Tensor) safetensors.Tensor {
		n, _ := safetensors.Elements(t.Shape)
		data := make([]T, n)
		index := make([]int, len(t.Shape))
		at, size, raw := t.offset, t.kind.size, t.storage.bytes()
		for i := range data {
			data[i] = element(t.storage.order, raw[at*size:])
			for d := len(index) - 1; d >= 0; d-- { // the next place, as an odometer counts
				index[d]++
				at += t.strides[d]
				if index[d] < t.Shape[d] {
					break
				}
				at -= index[d] * t.strides[d]
				index[d] = 0
			}
		}
		return safetensors.New(t.Name, t.Shape, data)
	}
}
