package kernel

// A reduction has 16 lanes: lane l sums the elements i with i mod 16 = l in ascending order, and tree adds
// the lanes. The assembly computes the lanes of the whole blocks of 16 and, where nothing is left over, their tree; the
// tail, and the tree after one, are written here, once for all rows.
const reduceLanes = 16

// tree adds the lanes: lane i += lane i+8, then i+4, i+2, i+1.
func tree(lanes [reduceLanes]float64) float64 {
	for half := reduceLanes / 2; half > 0; half /= 2 {
		for i := range half {
			lanes[i] += lanes[i+half]
		}
	}
	return lanes[0]
}

// The three functions below continue after the whole blocks of 16: x starts at lane 0.

func sumTail[T Float](lanes [reduceLanes]float64, x []T) float64 {
	for i, v := range x {
		lanes[i%reduceLanes] += float64(v)
	}
	return tree(lanes)
}

func sumSquaresTail[T Float](lanes [reduceLanes]float64, x []T, mean float64) float64 {
	for i, v := range x {
		d := float64(v) - mean
		lanes[i%reduceLanes] = fma64(d, d, lanes[i%reduceLanes])
	}
	return tree(lanes)
}

func dotTail[T Float](lanes [reduceLanes]float64, x, y []T, mean float64) float64 {
	for i, v := range x {
		lanes[i%reduceLanes] = fma64(float64(v)-mean, float64(y[i]), lanes[i%reduceLanes])
	}
	return tree(lanes)
}

func genericSum[T Float](x []T) float64 { return sumTail([reduceLanes]float64{}, x) }

func genericSumSquares[T Float](x []T, mean float64) float64 {
	return sumSquaresTail([reduceLanes]float64{}, x, mean)
}

// genericDot takes the length of x; y may be longer.
func genericDot[T Float](x, y []T, mean float64) float64 {
	checkLengths("Dot", len(x), len(y))
	return dotTail([reduceLanes]float64{}, x, y, mean)
}
