package kernel

import (
	"math/bits"
	"unsafe"
)

// MaskLen is the number of elements of T whose memory holds a mask of n bits.
func MaskLen[T Float](n int) int {
	size := 8 * int(unsafe.Sizeof(T(0)))
	return (n + size - 1) / size
}

func genericMark[T Float](mask, x []T) (marked int) {
	mask = mask[:MaskLen[T](len(x))]
	if unsafe.Sizeof(T(0)) == 8 {
		return mark(words[uint64](mask), words[uint64](x))
	}
	return mark(words[uint32](mask), words[uint32](x))
}

func genericPack[T Float](dst, mask, x []T) {
	mask = mask[:MaskLen[T](len(x))]
	if unsafe.Sizeof(T(0)) == 8 {
		pack(words[uint64](dst), words[uint64](mask), words[uint64](x))
		return
	}
	pack(words[uint32](dst), words[uint32](mask), words[uint32](x))
}

func genericUnpack[T Float](dst, mask, packed []T) {
	mask = mask[:MaskLen[T](len(dst))]
	if unsafe.Sizeof(T(0)) == 8 {
		unpack(words[uint64](dst), words[uint64](mask), words[uint64](packed))
		return
	}
	unpack(words[uint32](dst), words[uint32](mask), words[uint32](packed))
}

// word is the bits of an element: as integers they are copied and compared without a rule for zeros and NaNs.
type word interface{ uint32 | uint64 }

// words is the memory of x as bits.
func words[W word, T Float](x []T) []W {
	return unsafe.Slice((*W)(unsafe.Pointer(unsafe.SliceData(x))), len(x))
}

func mark[W word](mask, x []W) (marked int) {
	size := bits.Len64(uint64(^W(0)))
	top := ^(^W(0) >> 1)
	for i := range mask {
		part := x[i*size : min((i+1)*size, len(x))]
		var m W
		for _, v := range part {
			m = m>>1 | (v|-v)&top // the top bit of v or of -v, unless v is 0
		}
		m >>= size - len(part)
		mask[i] = m
		marked += bits.OnesCount64(uint64(m))
	}
	return marked
}

func pack[W word](dst, mask, x []W) {
	size := bits.Len64(uint64(^W(0)))
	for i, m := range mask {
		part := x[i*size : min((i+1)*size, len(x))]
		packed := dst[:bits.OnesCount64(uint64(m))]
		dst = dst[len(packed):]
		for j := range packed {
			packed[j] = part[bits.TrailingZeros64(uint64(m))]
			m &= m - 1 // clears the lowest one
		}
	}
}

func unpack[W word](dst, mask, packed []W) {
	size := bits.Len64(uint64(^W(0)))
	for i, m := range mask {
		part := dst[i*size : min((i+1)*size, len(dst))]
		values := packed[:bits.OnesCount64(uint64(m))]
		packed = packed[len(values):]
		clear(part)
		for _, v := range values {
			part[bits.TrailingZeros64(uint64(m))] = v
			m &= m - 1
		}
	}
}
