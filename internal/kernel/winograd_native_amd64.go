//go:build !purego

package kernel

import "unsafe"

// nativeWinograd is the assembly of Winograd.
type nativeWinograd[T Float] struct {
	signal, kernel, kernelReversed, code, output, gradient nativeTransform[T]
}

// nativeTransform works on n elements, a multiple of the lanes.
type nativeTransform[T Float] func(dst *T, dstRow, dstCol int, src *T, srcRow, srcCol, n int)

// winograd returns the part of the row that Winograd convolution uses.
func (k *native[T]) winograd() Winograd[T] {
	return Winograd[T]{
		Signal:         k.transform(signalShape, k.signal),
		Kernel:         k.transform(kernelShape, k.kernel),
		KernelReversed: k.transform(kernelReversedShape, k.kernelReversed),
		Code:           k.transform(codeShape, k.code),
		Output:         k.transform(outputShape, k.output),
		Gradient:       k.transform(gradientShape, k.gradient),
	}
}

func (k *native[T]) transform(s transformShape, asm nativeTransform[T]) Transform[T] {
	return func(dst []T, dstRow, dstCol int, src []T, srcRow, srcCol, n int) {
		s.check(len(dst), dstRow, dstCol, len(src), srcRow, srcCol, n, k.lanes)
		asm(unsafe.SliceData(dst), dstRow, dstCol, unsafe.SliceData(src), srcRow, srcCol, n)
	}
}
