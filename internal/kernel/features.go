package kernel

import "github.com/klauspost/cpuid/v2"

// Feature is an extension that the CPU may have, for a user who asks why a row is missing.
type Feature struct {
	Name string
	Has  bool
}

// Features lists what the rows depend on, and the older x86 extensions before them, as this CPU and operating
// system have them.
//
// Whether the system saves the wide registers is known through the extensions: cpuid lists AVX only if XCR0
// has bits 1 and 2 set (XMM, YMM), and AVX-512 only if it has bits 5, 6 and 7 (masks, ZMM) too.
func Features() []Feature {
	has := cpuid.CPU.Supports
	return []Feature{
		{"sse2", has(cpuid.SSE2)},
		{"sse3", has(cpuid.SSE3)},
		{"ssse3", has(cpuid.SSSE3)},
		{"sse4.1", has(cpuid.SSE4)},
		{"sse4.2", has(cpuid.SSE42)},
		{"avx", has(cpuid.AVX)},
		{"avx2", has(cpuid.AVX2)},
		{"fma", has(cpuid.FMA3)},
		{"bmi2", has(cpuid.BMI2)},
		{"popcnt", has(cpuid.POPCNT)},
		{"avx512f", has(cpuid.AVX512F)},
		{"avx512dq", has(cpuid.AVX512DQ)},
		{"avx512vl", has(cpuid.AVX512VL)},
		{"avx512bw", has(cpuid.AVX512BW)},
		{"os saves ymm", has(cpuid.AVX)},
		{"os saves zmm", has(cpuid.AVX512F)},
	}
}

// CPUName returns the processor's name as it gives it itself, or "unknown".
func CPUName() string {
	if cpuid.CPU.BrandName == "" {
		return "unknown"
	}
	return cpuid.CPU.BrandName
}

// Caches are the sizes of a processor's caches in bytes, 0 where it does not tell: the first-level data cache and the second level of a
// core, and the third level, which cores share.
type Caches struct {
	L1 int `json:"l1_data"`
	L2 int `json:"l2"`
	L3 int `json:"l3"`
}

// CacheSizes returns what this processor says of its caches.
func CacheSizes() Caches {
	c := cpuid.CPU.Cache
	return Caches{max(0, c.L1D), max(0, c.L2), max(0, c.L3)}
}
