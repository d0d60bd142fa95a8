package kernel

// unfusedWinograd is genericWinograd with multiplyAdd in place of fma. Products with powers of 2 are exact, so that its steps differ from
// the other rows' in Signal alone, by its factor -5, unless a product overflows.
func unfusedWinograd[T Float]() Winograd[T] {
	return Winograd[T]{
		Signal:         genericTransform(signalShape, unfusedLanes, unfusedSignalStep[T]),
		Kernel:         genericTransform(kernelShape, unfusedLanes, unfusedKernelStep[T]),
		KernelReversed: genericTransform(kernelReversedShape, unfusedLanes, unfusedKernelReversedStep[T]),
		Code:           genericTransform(codeShape, unfusedLanes, unfusedCodeStep[T]),
		Output:         genericTransform(outputShape, unfusedLanes, unfusedOutputStep[T]),
		Gradient:       genericTransform(gradientShape, unfusedLanes, unfusedGradientStep[T]),
	}
}

func unfusedSignalStep[T Float](d, out *[6]T) {
	a, b := T(-4*d[2])+d[4], T(-4*d[1])+d[3]
	c, e := d[4]-d[2], T(2*(d[3]-d[1]))
	out[0] = T(4*d[0]) + (T(-5*d[2]) + d[4])
	out[1], out[2] = a+b, a-b
	out[3], out[4] = e+c, c-e
	out[5] = T(4*d[1]) + (T(-5*d[3]) + d[5])
}

func unfusedKernelStep[T Float](g, out *[6]T) {
	even, odd := T(4*g[2])+g[0], T(2*g[1])
	spread(g[0]+g[2], g[1], even+odd, even-odd, out)
	out[0], out[5] = T(g[0]/4), g[2]
}

func unfusedKernelReversedStep[T Float](g, out *[6]T) {
	unfusedKernelStep(&[6]T{g[2], g[1], g[0]}, out)
}

func unfusedCodeStep[T Float](g, out *[6]T) {
	even, odd := T(4*g[2])+g[0], T(2*(T(4*g[3])+g[1]))
	spread(g[0]+g[2], g[1]+g[3], even+odd, even-odd, out)
	out[0], out[5] = T(g[0]/4), g[3]
}

func unfusedOutputStep[T Float](m, out *[6]T) {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	out[0] = (m[0] + p) + r
	out[1] = T(2*s) + q
	out[2] = T(4*r) + p
	out[3] = (T(8*s) + q) + m[5]
}

func unfusedGradientStep[T Float](m, out *[6]T) {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	out[0] = (m[0] + p) + r
	out[1] = T(2*s) + q
	out[2] = (T(4*r) + p) + m[5]
}
