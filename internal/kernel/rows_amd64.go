//go:build !purego

package kernel

import "github.com/klauspost/cpuid/v2"

//go:generate _asm/generate.sh

// nativeRows returns the rows that this CPU can run, best last.
//
// Supports is enough: cpuid lists AVX2 only if the operating system saves the YMM registers (XCR0 bits 1 and
// 2), and the AVX-512 extensions only if it saves masks and ZMM registers too (bits 5, 6 and 7).
func nativeRows() (rows32 []*Set[float32], rows64 []*Set[float64]) {
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.POPCNT) {
		rows32 = append(rows32, avx2F32.set())
		rows64 = append(rows64, avx2F64.set())
	}
	if cpuid.CPU.Supports(cpuid.AVX2, cpuid.FMA3, cpuid.POPCNT, cpuid.AVX512F, cpuid.AVX512DQ, cpuid.AVX512VL,
		cpuid.AVX512BW, cpuid.BMI2) {
		rows32 = append(rows32, avx512F32.set())
		rows64 = append(rows64, avx512F64.set())
	}
	return rows32, rows64
}
