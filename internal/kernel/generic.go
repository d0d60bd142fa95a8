package kernel

func genericSet[T Float]() *Set[T] {
	chains := genericChains[T]()
	tiles := genericTiles(genericLanes, chains)
	return &Set[T]{
		Name:              "generic",
		Lanes:             genericLanes,
		Tiles:             tiles,
		Narrow:            tiles,
		Peak:              genericPeak(genericLanes, chains),
		Gather:            genericGather[T],
		Mark:              genericMark[T],
		Pack:              genericPack[T],
		Unpack:            genericUnpack[T],
		Regular:           genericRegular[T],
		GatherAlternate:   genericGatherAlternate[T],
		Weave:             genericWeave[T],
		InsertZeros:       genericInsertZeros[T],
		Interleave:        genericInterleave[T],
		AddScaled:         genericAddScaled[T],
		Scale:             genericScale[T],
		ReLU:              genericReLU[T],
		ReLUGrad:          genericReLUGrad[T],
		GELU:              genericGELU[T],
		GELUGrad:          genericGELUGrad[T],
		Shrink:            genericShrink[T],
		ShrinkNonnegative: genericShrinkNonnegative[T],
		ShrinkGrad:        genericShrinkGrad[T],
		Normalize:         genericNormalize[T],
		NormalizeGrad:     genericNormalizeGrad[T],
		MaxPool2:          genericMaxPool2[T],
		MaxPool2Grad:      genericMaxPool2Grad[T],
		Momentum:          genericMomentum[T],
		Sum:               genericSum[T],
		SumSquares:        genericSumSquares[T],
		Dot:               genericDot[T],
		Winograd:          genericWinograd[T](),
	}
}

func genericRegular[T Float](x []T) bool {
	for _, v := range x {
		if v-v != 0 || v == 0 && 1/v < 0 {
			return false
		}
	}
	return true
}

func genericAddScaled[T Float](dst, a, b []T, s T) {
	checkLengths("AddScaled", len(dst), len(a), len(b))
	a, b = a[:len(dst)], b[:len(dst)]
	for i := range dst {
		dst[i] = FMA(s, b[i], a[i])
	}
}

func genericScale[T Float](dst, a []T, s T) {
	checkLengths("Scale", len(dst), len(a))
	a = a[:len(dst)]
	for i := range dst {
		dst[i] = s * a[i]
	}
}

func genericReLU[T Float](dst, x []T) {
	checkLengths("ReLU", len(dst), len(x))
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = positivePart(x[i])
	}
}

func genericReLUGrad[T Float](dst, y, dy []T) {
	checkLengths("ReLUGrad", len(dst), len(y), len(dy))
	y, dy = y[:len(dst)], dy[:len(dst)]
	for i := range dst {
		if y[i] > 0 {
			dst[i] = dy[i]
		} else {
			dst[i] = 0
		}
	}
}

// positivePart returns v, or +0 where v < 0.
func positivePart[T Float](v T) T {
	if v < 0 {
		return 0
	}
	return v
}

// negativePart returns v, or +0 where v > 0.
func negativePart[T Float](v T) T {
	if v > 0 {
		return 0
	}
	return v
}

func genericShrink[T Float](dst, u []T, scale, threshold T) {
	checkLengths("Shrink", len(dst), len(u))
	u = u[:len(dst)]
	for i := range dst {
		v := T(u[i] * scale)
		dst[i] = positivePart(v-threshold) + negativePart(v+threshold)
	}
}

func genericShrinkNonnegative[T Float](dst, u []T, scale, threshold T) {
	checkLengths("ShrinkNonnegative", len(dst), len(u))
	u = u[:len(dst)]
	for i := range dst {
		dst[i] = positivePart(T(u[i]*scale) - threshold)
	}
}

func genericShrinkGrad[T Float](dst, z, dz []T, scale T) {
	checkLengths("ShrinkGrad", len(dst), len(z), len(dz))
	z, dz = z[:len(dst)], dz[:len(dst)]
	for i := range dst {
		if z[i] != 0 {
			dst[i] = dz[i] * scale
		} else {
			dst[i] = 0
		}
	}
}

func genericNormalize[T Float](dst, x, mean, scale, shift []T) {
	plane := checkPlanes("Normalize", len(dst), len(x), len(mean), len(scale), len(shift))
	for c, m := range mean {
		normalizePlane(dst[c*plane:(c+1)*plane], x[c*plane:], m, scale[c], shift[c])
	}
}

func normalizePlane[T Float](dst, x []T, mean, scale, shift T) {
	x = x[:len(dst)]
	for i := range dst {
		dst[i] = FMA(x[i]-mean, scale, shift)
	}
}

func genericNormalizeGrad[T Float](dst, x, dy []T, mean, a, b, c T) {
	checkLengths("NormalizeGrad", len(dst), len(x), len(dy))
	x, dy = x[:len(dst)], dy[:len(dst)]
	for i := range dst {
		dst[i] = FMA(dy[i], a, FMA(x[i]-mean, b, c))
	}
}

func genericMomentum[T Float](w, velocity, g []T, rate, momentum, decay T) {
	checkLengths("Momentum", len(w), len(velocity), len(g))
	velocity, g = velocity[:len(w)], g[:len(w)]
	for i := range w {
		d := FMA(decay, w[i], g[i])
		v := FMA(momentum, velocity[i], d)
		velocity[i] = v
		w[i] = FMA(-rate, FMA(momentum, v, d), w[i])
	}
}
