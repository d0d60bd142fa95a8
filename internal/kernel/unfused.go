package kernel

// The row "unfused" is for processors that have no fused multiply-add, WebAssembly's for one, where each would be
// put together from a dozen operations. It has products that round, then sums that round, and the compiler fuses neither,
// since a conversion stands between them. So its bits are not those of the other rows, but they are the same on every
// architecture and with any number of goroutines. Nothing chooses it but a user, by name.
const unfusedName = "unfused"

const unfusedLanes = 8 // as many sums as a processor with 16 registers keeps, beside the operands

func unfusedSet[T Float]() *Set[T] {
	s := genericSet[T]()
	s.Name, s.Lanes = unfusedName, unfusedLanes
	s.Tiles = genericTiles(unfusedLanes, unfusedChains[T])
	s.Narrow = s.Tiles
	s.Peak = genericPeak(unfusedLanes, unfusedChains[T])
	s.AddScaled = unfusedAddScaled[T]
	s.GELU = func(dst, x []T) { gelu(dst, x, multiplyAdd[T]) }
	s.GELUGrad = func(dst, x, dy []T) { geluGrad(dst, x, dy, multiplyAdd[T]) }
	s.Normalize = unfusedNormalize[T]
	s.NormalizeGrad = unfusedNormalizeGrad[T]
	s.Momentum = unfusedMomentum[T]
	s.SumSquares = unfusedSumSquares[T]
	s.Dot = unfusedDot[T]
	s.Winograd = unfusedWinograd[T]()
	return s
}

// multiplyAdd returns a*b + c, the product rounded and then the sum.
func multiplyAdd[T Float](a, b, c T) T { return T(a*b) + c }

// unfusedChains is the chainsFunc whose links are multiplyAdd. The sums stay in registers.
func unfusedChains[T Float](a []T, left []int, b []T, right []int, c []T) {
	c = c[:unfusedLanes]
	c0, c1, c2, c3, c4, c5, c6, c7 := c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7]
	right = right[:len(left)]
	for p, at := range left {
		s, q := a[at], b[right[p]:][:unfusedLanes]
		c0 += T(s * q[0])
		c1 += T(s * q[1])
		c2 += T(s * q[2])
		c3 += T(s * q[3])
		c4 += T(s * q[4])
		c5 += T(s * q[5])
		c6 += T(s * q[6])
		c7 += T(s * q[7])
	}
	c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7] = c0, c1, c2, c3, c4, c5, c6, c7
}

func unfusedAddScaled[T Float](dst, a, b []T, s T) {
	checkLengths("AddScaled", len(dst), len(a), len(b))
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = T(s*b[i]) + a[i]
	}
}

func unfusedNormalize[T Float](dst, x, mean, scale, shift []T) {
	plane := checkPlanes("Normalize", len(dst), len(x), len(mean), len(scale), len(shift))
	for c, m := range mean {
		part, in := dst[c*plane:(c+1)*plane], x[c*plane:(c+1)*plane]
		for i := range part {
			part[i] = T((in[i]-m)*scale[c]) + shift[c]
		}
	}
}

func unfusedNormalizeGrad[T Float](dst, x, dy []T, mean, a, b, c T) {
	checkLengths("NormalizeGrad", len(dst), len(x), len(dy))
	x, dy = x[:len(dst)], dy[:len(dst)]
	for i := range dst {
		dst[i] = T(dy[i]*a) + (T((x[i]-mean)*b) + c)
	}
}

func unfusedMomentum[T Float](w, velocity, g []T, rate, momentum, decay T) {
	checkLengths("Momentum", len(w), len(velocity), len(g))
	velocity, g = velocity[:len(w)], g[:len(w)]
	for i := range w {
		d := T(decay*w[i]) + g[i]
		v := T(momentum*velocity[i]) + d
		velocity[i] = v
		w[i] -= T(rate * (T(momentum*v) + d))
	}
}

// unfusedSumSquares and unfusedDot have the lanes and the tree of the other rows.

func unfusedSumSquares[T Float](x []T, mean float64) float64 {
	var lanes [reduceLanes]float64
	for i, v := range x {
		d := float64(v) - mean
		lanes[i%reduceLanes] += float64(d * d)
	}
	return tree(lanes)
}

func unfusedDot[T Float](x, y []T, mean float64) float64 {
	checkLengths("Dot", len(x), len(y))
	var lanes [reduceLanes]float64
	for i, v := range x {
		lanes[i%reduceLanes] += float64((float64(v) - mean) * float64(y[i]))
	}
	return tree(lanes)
}
