package torchfile

import (
	"encoding/binary"
	"math"

	"sdref/tensor/safetensors"
)

// kind is a type of elements.
type kind struct {
	storage string // PyTorch's name of a storage of such elements
	name    string
	size    int // bytes
	values  func(t Tensor) safetensors.Tensor
}

// kinds are the types that a tensor may have. float16 and bfloat16 become float32, which holds them exactly, and integers and
// booleans int64.
var kinds = []kind{
	{"DoubleStorage", "float64", 8, gather(func(o binary.ByteOrder, b []byte) float64 { return math.Float64frombits(o.Uint64(b)) })},
	{"FloatStorage", "float32", 4, gather(func(o binary.ByteOrder, b []byte) float32 { return math.Float32frombits(o.Uint32(b)) })},
	{"HalfStorage", "float16", 2, gather(func(o binary.ByteOrder, b []byte) float32 { return fromHalf(o.Uint16(b)) })},
	{"BFloat16Storage", "bfloat16", 2, gather(func(o binary.ByteOrder, b []byte) float32 { return math.Float32frombits(uint32(o.Uint16(b)) << 16) })},
	{"LongStorage", "int64", 8, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(o.Uint64(b)) })},
	{"IntStorage", "int32", 4, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(int32(o.Uint32(b))) })},
	{"ShortStorage", "int16", 2, gather(func(o binary.ByteOrder, b []byte) int64 { return int64(int16(o.Uint16(b))) })},
	{"CharStorage", "int8", 1, gather(func(_ binary.ByteOrder, b []byte) int64 { return int64(int8(b[0])) })},
	{"ByteStorage", "uint8", 1, gather(func(_ binary.ByteOrder, b []byte) int64 { return int64(b[0]) })},
	{"BoolStorage", "bool", 1, gather(func(_ binary.ByteOrder, b []byte) int64 { return int64(b[0]) })},
}

// fromHalf returns the value of a float16: 1 bit of sign, 5 of exponent, 10 of fraction.
func fromHalf(h uint16) float32 {
	sign, rest := uint32(h>>15)<<31, uint32(h&0x7fff)<<13 // the fraction in float32's place
	if h&0x7c00 == 0x7c00 {
		return math.Float32frombits(sign | 0x7f800000 | rest) // an infinity or a NaN
	}
	// The exponents' biases are 15 and 127; the product also gives numbers below the smallest normal one their place.
	magnitude := math.Float32frombits(rest) * 0x1p112
	return math.Float32frombits(sign | math.Float32bits(magnitude))
}

// storage is a run of elements that tensors view.
type storage struct {
	kind
	elements int
	raw      []byte // read behind the pickle where the file is an old one
	order    binary.ByteOrder
}

// view is where a tensor's elements lie in a storage: element (i, j, ...) at offset + i strides[0] + j strides[1] + ...
type view struct {
	storage *storage
	offset  int
	strides []int
}

// Values returns a copy of the tensor's elements, row-major: float64, float32 or int64 (see the package's list of types). A
// stride of 0 can make a tensor larger than its file: look at Shape first.
func (t Tensor) Values() safetensors.Tensor { return t.storage.values(t) }

// gather returns a function that reads a tensor's elements one by one.
func gather[T safetensors.Element](element func(binary.ByteOrder, []byte) T) func(Tensor) safetensors.Tensor {
	return func(t Tensor) safetensors.Tensor {
		n, _ := safetensors.Elements(t.Shape)
		data := make([]T, n)
		index := make([]int, len(t.Shape))
		at, size := t.offset, t.storage.size
		for i := range data {
			data[i] = element(t.storage.order, t.storage.raw[at*size:])
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
