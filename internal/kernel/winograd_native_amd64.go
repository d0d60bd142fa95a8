//go:build !purego

package kernel

import "unsafe"

// nativeWinograd is the assembly of Winograd.
type nativeWinograd[T Float] struct {
	signal, kernel, kernelReversed, code, output, gradient nativeTransform[T]
	products                                               []nativeProducts[T]
}

// nativeTransform works on n elements, a multiple of the lanes.
type nativeTransform[T Float] func(dst *T, dstRow, dstCol int, src *T, srcRow, srcCol, n int)

type nativeProducts[T Float] struct {
	vectors int // columns, in vectors
	tiles   []nativeProduct[T]
}

type nativeProduct[T Float] struct {
	rows int
	mul  func(k int, a *T, aRow, aStep int, b *T, bStep int, c *T, ldc int, load bool)
}

// winograd returns the part of the row that Winograd convolution uses.
func (k *native[T]) winograd() Winograd[T] {
	w := Winograd[T]{
		Lanes:          k.lanes,
		Signal:         k.transform(signalShape, k.signal),
		Kernel:         k.transform(kernelShape, k.kernel),
		KernelReversed: k.transform(kernelReversedShape, k.kernelReversed),
		Code:           k.transform(codeShape, k.code),
		Output:         k.transform(outputShape, k.output),
		Gradient:       k.transform(gradientShape, k.gradient),
	}
	for _, p := range k.products {
		products := Products[T]{Cols: p.vectors * k.lanes}
		for _, t := range p.tiles {
			products.Tiles = append(products.Tiles, Product[T]{t.rows, productMul(t, products.Cols)})
		}
		w.Products = append(w.Products, products)
	}
	return w
}

func (k *native[T]) transform(s transformShape, asm nativeTransform[T]) Transform[T] {
	return func(dst []T, dstRow, dstCol int, src []T, srcRow, srcCol, n int) {
		s.check(len(dst), dstRow, dstCol, len(src), srcRow, srcCol, n, k.lanes)
		asm(unsafe.SliceData(dst), dstRow, dstCol, unsafe.SliceData(src), srcRow, srcCol, n)
	}
}

func productMul[T Float](t nativeProduct[T], cols int) func(k int, a []T, aRow, aStep int, b []T, bStep int, c []T, ldc int, load bool) {
	return func(k int, a []T, aRow, aStep int, b []T, bStep int, c []T, ldc int, load bool) {
		checkProduct(t.rows, cols, k, len(a), aRow, aStep, len(b), bStep, len(c), ldc)
		t.mul(k, unsafe.SliceData(a), aRow, aStep, unsafe.SliceData(b), bStep, &c[0], ldc, load)
	}
}
