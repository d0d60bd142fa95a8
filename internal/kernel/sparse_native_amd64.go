//go:build !purego

package kernel

import (
	"fmt"
	"math/bits"
	"unsafe"
)

// The assembly does whole elements of the mask, the generic row the last one if it is not full.

func (k *native[T]) runMark(mask, x []T) int {
	mask = mask[:MaskLen[T](len(x))]
	words, n := wholeWords[T](len(x))
	return k.mark(unsafe.SliceData(mask), unsafe.SliceData(x), n) + genericMark(mask[words:], x[n:])
}

func (k *native[T]) runPack(dst, mask, x []T) {
	if k.pack == nil {
		genericPack(dst, mask, x)
		return
	}
	words, n := wholeWords[T](len(x))
	count := checkPacked("Pack", len(dst), mask[:words])
	k.pack(unsafe.SliceData(dst), unsafe.SliceData(mask), unsafe.SliceData(x), n)
	genericPack(dst[count:], mask[words:], x[n:])
}

func (k *native[T]) runUnpack(dst, mask, packed []T) {
	if k.unpack == nil {
		genericUnpack(dst, mask, packed)
		return
	}
	words, n := wholeWords[T](len(dst))
	count := checkPacked("Unpack", len(packed), mask[:words])
	k.unpack(unsafe.SliceData(dst), unsafe.SliceData(mask), unsafe.SliceData(packed), n)
	genericUnpack(dst[n:], mask[words:], packed[count:])
}

// wholeWords is the number of elements of a mask that are full for n elements, and for how many they are.
func wholeWords[T Float](n int) (words, whole int) {
	size := 8 * int(unsafe.Sizeof(T(0)))
	return n / size, n / size * size
}

// checkPacked panics if there are fewer packed elements than the mask marks, whose number it returns.
func checkPacked[T Float](op string, packed int, mask []T) (marked int) {
	if marked = ones(mask); marked > packed {
		panic(fmt.Sprintf("kernel: %s: %d elements for a mask of %d", op, packed, marked))
	}
	return marked
}

// ones counts the bits of a mask.
func ones[T Float](mask []T) (count int) {
	if unsafe.Sizeof(T(0)) == 8 {
		for _, m := range words[uint64](mask) {
			count += bits.OnesCount64(m)
		}
		return count
	}
	for _, m := range words[uint32](mask) {
		count += bits.OnesCount32(m)
	}
	return count
}
