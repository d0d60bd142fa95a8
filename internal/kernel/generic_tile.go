package kernel

const genericLanes = 4

// chainsFunc adds one row of a product to c, lanes elements: c[j] = a[left[p]]*b[right[p]+j] + c[j], p ascending,
// rounded as the row that it belongs to says.
type chainsFunc[T Float] func(a []T, left []int, b []T, right []int, c []T)

// genericTiles is the tiles of a row in Go.
func genericTiles[T Float](lanes int, chains chainsFunc[T]) []Tile[T] {
	return []Tile[T]{genericTile(2, 3, lanes, chains), genericTile(1, 2, lanes, chains), genericTile(1, 1, lanes, chains)}
}

// genericTile is a tile out of the inner loop of a row in Go.
func genericTile[T Float](groups, rows, lanes int, chains chainsFunc[T]) Tile[T] {
	return Tile[T]{Groups: groups, Rows: rows, Mul: func(
		a []T, groupRows []int, step int, left []int,
		b []T, cols, right []int,
		c []T, out []int, ldc int, load bool,
	) {
		checkTile(groups, groups*rows, lanes, len(a), groupRows, step, left, len(b), cols, right,
			len(c), out, ldc)
		for v, at := range out {
			for i := range groups * rows {
				line := c[at+i*ldc : at+i*ldc+lanes]
				if !load {
					clear(line)
				}
				if len(left) > 0 {
					chains(a[groupRows[i/rows]+i%rows*step:], left, b[cols[v]:], right, line)
				}
			}
		}
	}}
}

// genericChains returns the inner loop of T. There are two, because FMA is too large for the compiler to
// inline.
func genericChains[T Float]() chainsFunc[T] {
	if chains, ok := any(chainsFunc[float32](chains32)).(chainsFunc[T]); ok {
		return chains
	}
	return any(chainsFunc[float64](chains64)).(chainsFunc[T])
}

// chains64 is the chainsFunc whose links are fma(a[left[p]], b[right[p]+j], c[j]).
func chains64(a []float64, left []int, b []float64, right []int, c []float64) {
	c0, c1, c2, c3 := c[0], c[1], c[2], c[3]
	for p, at := range left {
		s, q := a[at], b[right[p]:right[p]+genericLanes]
		c0 = fma64(s, q[0], c0)
		c1 = fma64(s, q[1], c1)
		c2 = fma64(s, q[2], c2)
		c3 = fma64(s, q[3], c3)
	}
	c[0], c[1], c[2], c[3] = c0, c1, c2, c3
}

// chains32 is chains64 for float32, with FMA written out.
func chains32(a []float32, left []int, b []float32, right []int, c []float32) {
	c0, c1, c2, c3 := float64(c[0]), float64(c[1]), float64(c[2]), float64(c[3])
	for p, at := range left {
		s, q := float64(a[at]), b[right[p]:right[p]+genericLanes]
		x0, x1, x2, x3 := s*float64(q[0]), s*float64(q[1]), s*float64(q[2]), s*float64(q[3])
		y0, y1, y2, y3 := x0+c0, x1+c1, x2+c2, x3+c3
		if doubtful(y0) {
			y0 = fmaOdd(x0, c0)
		}
		if doubtful(y1) {
			y1 = fmaOdd(x1, c1)
		}
		if doubtful(y2) {
			y2 = fmaOdd(x2, c2)
		}
		if doubtful(y3) {
			y3 = fmaOdd(x3, c3)
		}
		c0, c1, c2, c3 = float64(float32(y0)), float64(float32(y1)), float64(float32(y2)),
			float64(float32(y3))
	}
	c[0], c[1], c[2], c[3] = float32(c0), float32(c1), float32(c2), float32(c3)
}

// genericPeak returns Peak for a row in Go: it runs the inner loop of the tile on small operands, the fastest
// loop that the row has.
func genericPeak[T Float](lanes int, chains chainsFunc[T]) func(iterations int) (flops float64) {
	return func(iterations int) (flops float64) {
		const k = 64
		a, b, c, left, right := make([]T, k), make([]T, k*lanes), make([]T, lanes), make([]int, k), make([]int, k)
		for p := range k {
			a[p], left[p], right[p] = 0.5, p, p*lanes
		}
		for i := range b {
			b[i] = 1
		}
		for range iterations {
			clear(c) // or it would grow until every sum is halfway between two float32s, which is slow
			chains(a, left, b, right, c)
		}
		return float64(k*lanes*2) * float64(max(iterations, 0))
	}
}
