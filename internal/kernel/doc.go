// Package kernel is the inner loops on slices, in a table with a row for each instruction set (generic Go,
// AVX2, AVX-512).
//
// Every row computes the same bits as the generic one. An element of a product is one chain
//
//	acc = fma(a_p, b_p, acc), p ascending, fma(a, b, c) = a*b + c rounded once,
//
// of which step p is called a link, and a reduction has 16 lanes and one fixed tree. So a caller may choose a
// row for speed alone, and a test may compare with ==; only the payload and sign of a NaN are left open.
//
// One more row, unfused, rounds each product before it adds. It has bits of its own, the same everywhere, is meant
// for processors without fused multiply-adds, and is chosen by name only.
//
// It is for the packages that work on tensors and images. It knows nothing of shapes, tensors or images.
//
// Build tag purego leaves the assembly out; environment variable SDREF_KERNEL (generic, avx2, avx512, unfused) forces
// a row.
package kernel
