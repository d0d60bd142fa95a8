//go:build !wasm

package kernel

import "math"

// fma64 is a*b + c rounded once, by an instruction where the processor has one.
func fma64(a, b, c float64) float64 { return math.FMA(a, b, c) }
