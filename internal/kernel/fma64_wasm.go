package kernel

// fma64 is a*b + c rounded once. WebAssembly has no such instruction.
func fma64(a, b, c float64) float64 { return softFMA(a, b, c) }
