package kernel

// The steps stand here by name, and not in a table, so that the compiler knows what they do with their arguments, which lie on the stack then.
func genericWinograd[T Float]() Winograd[T] {
	return Winograd[T]{
		Signal:         genericTransform(signalShape, genericLanes, signalStep[T]),
		Kernel:         genericTransform(kernelShape, genericLanes, kernelStep[T]),
		KernelReversed: genericTransform(kernelReversedShape, genericLanes, kernelReversedStep[T]),
		Code:           genericTransform(codeShape, genericLanes, codeStep[T]),
		Output:         genericTransform(outputShape, genericLanes, outputStep[T]),
		Gradient:       genericTransform(gradientShape, genericLanes, gradientStep[T]),
	}
}

// genericTransform makes a transform of its one-dimensional step.
func genericTransform[T Float](s transformShape, lanes int, step func(in, out *[6]T)) Transform[T] {
	return func(dst []T, dstRow, dstCol int, src []T, srcRow, srcCol, n int) {
		s.check(len(dst), dstRow, dstCol, len(src), srcRow, srcCol, n, lanes)
		for l := range n {
			var in, out [6]T
			var middle [6][6]T
			for j := range s.in {
				for i := range s.in {
					in[i] = src[i*srcRow+j*srcCol+l]
				}
				step(&in, &out)
				for i := range s.out {
					middle[i][j] = out[i]
				}
			}
			for i := range s.out {
				step(&middle[i], &out)
				for j := range s.out {
					dst[i*dstRow+j*dstCol+l] = out[j]
				}
			}
		}
	}
}

func signalStep[T Float](d, out *[6]T) {
	a, b := FMA(-4, d[2], d[4]), FMA(-4, d[1], d[3])
	c, e := d[4]-d[2], d[3]-d[1]
	out[0] = FMA(4, d[0], FMA(-5, d[2], d[4]))
	out[1], out[2] = a+b, a-b
	out[3], out[4] = FMA(2, e, c), FMA(-2, e, c)
	out[5] = FMA(4, d[1], FMA(-5, d[3], d[5]))
}

func kernelStep[T Float](g, out *[6]T) {
	s, a := g[0]+g[2], FMA(4, g[2], g[0])
	spread(s, g[1], FMA(2, g[1], a), FMA(-2, g[1], a), out)
	out[0], out[5] = T(g[0]/4), g[2]
}

func kernelReversedStep[T Float](g, out *[6]T) { kernelStep(&[6]T{g[2], g[1], g[0]}, out) }

func codeStep[T Float](g, out *[6]T) {
	p, q := FMA(4, g[2], g[0]), FMA(4, g[3], g[1])
	spread(g[0]+g[2], g[1]+g[3], FMA(2, q, p), FMA(-2, q, p), out)
	out[0], out[5] = T(g[0]/4), g[3]
}

// spread sets elements 1 to 4: the values of a polynomial at 1 and -1, where its even and odd parts are e and
// +-o, and at 2 and -2, where they are given, each value times its constant.
func spread[T Float](e, o, at2, atMinus2 T, out *[6]T) {
	const sixth, twentyFourth = 1. / 6, 1. / 24
	out[1], out[2] = T((e+o)*-sixth), T((e-o)*-sixth)
	out[3], out[4] = T(at2*twentyFourth), T(atMinus2*twentyFourth)
}

func outputStep[T Float](m, out *[6]T) {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	out[0] = (m[0] + p) + r
	out[1] = FMA(2, s, q)
	out[2] = FMA(4, r, p)
	out[3] = FMA(8, s, q) + m[5]
}

func gradientStep[T Float](m, out *[6]T) {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	out[0] = (m[0] + p) + r
	out[1] = FMA(2, s, q)
	out[2] = FMA(4, r, p) + m[5]
}
