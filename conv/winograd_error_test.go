package conv

import (
	"math"
	"math/rand/v2"
	"testing"

	"sdref/tensor"
)

// absolute returns |M| of a step's matrix M.
func absolute(t *testing.T, in, out int, step func([6]float64) [6]float64) [][]float64 {
	var matrix [][]float64
	for _, row := range winogradMatrix(t, in, out, step) {
		var list []float64
		for _, v := range row {
			f, _ := v.Float64()
			list = append(list, math.Abs(f))
		}
		matrix = append(matrix, list)
	}
	return matrix
}

// onSquare returns M s M' for the absolute values of a square's elements.
func onSquare(matrix [][]float64, s square[float64]) square[float64] {
	step := func(v [6]float64) (result [6]float64) {
		for i, row := range matrix {
			for j, m := range row {
				result[i] += m * math.Abs(v[j])
			}
		}
		return result
	}
	return transform(s, len(matrix[0]), len(matrix), step)
}

// winogradRoundings is the largest number of roundings on the way of one product to one result, besides those
// of the chain. Each is passed in both dimensions: 2 of signalStep, 4 of kernelStep or codeStep (with that of
// the constants 1/6 and 1/24), 3 of outputStep or gradientStep.
const winogradRoundings = 2 * (2 + 4 + 3)

// roundingBound is the factor gamma(n) = n*u/(1-n*u), u = 2^-24, of n roundings to float32: the error of a
// sum of products is at most gamma times the sum of their absolute values (Higham, "Accuracy and Stability of
// Numerical Algorithms", 3.1).
func roundingBound(n int) float64 {
	nu := float64(n) * 0x1p-24
	return nu / (1 - nu)
}

// within checks got against the exact value want; sums has, for each element, the sum of the absolute values
// of its terms.
func within(t *testing.T, what string, got *tensor.Tensor[float32], want, sums *tensor.Tensor[float64],
	roundings int) {
	t.Helper()
	worst := 0.0
	for i, w := range want.Data {
		err, bound := math.Abs(float64(got.Data[i])-w), roundingBound(roundings)*sums.Data[i]
		if !(err <= bound) {
			t.Fatalf("%s: element %d is %v, exact %v: error %.3g, bound %.3g", what, i, got.Data[i], w, err,
				bound)
		}
		worst = max(worst, err/bound)
	}
	if worst < 1e-4 {
		t.Errorf("%s: no error exceeds %g of its bound, so the test is too weak to fail", what, worst)
	}
}

// TestWinogradError bounds every element's error in float32 against the direct definition in float64, whose
// own error is 2^-29 of that. The bound is the algorithm on absolute values, with the absolute values of its
// matrices.
func TestWinogradError(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 7))
	shapes := 12
	if testing.Short() {
		shapes /= 3
	}
	for range shapes {
		s := drawWinograd(r)
		for s.x[1]*s.y[1] > 200 { // the bound takes time
			s = drawWinograd(r)
		}
		x32, w32, y32 := random[float32](r, s.x), random[float32](r, s.w), random[float32](r, s.y)
		x, w, y := widened(x32), widened(w32), widened(y32)
		gotY, gotX, gotW := tensor.New[float32](s.y...), tensor.New[float32](s.x...),
			tensor.New[float32](s.w...)
		Forward(gotY, x32, w32, s.g)
		Transpose(gotX, y32, w32, s.g)
		WeightGradient(gotW, x32, y32, s.g)
		wantY, wantX, wantW := tensor.New[float64](s.y...), tensor.New[float64](s.x...),
			tensor.New[float64](s.w...)
		DefineForward(wantY, x, w, s.g)
		DefineTranspose(wantX, y, w, s.g)
		DefineWeightGradient(wantW, x, y, s.g)
		sumsY, sumsX, sumsW := absoluteWinograd(t, s, x, w, y)
		tiles := s.y[0] * ((s.y[2] + 3) / 4) * ((s.y[3] + 3) / 4)
		within(t, "Forward", gotY, wantY, sumsY, s.x[1]+winogradRoundings)
		within(t, "Transpose", gotX, wantX, sumsX, s.y[1]+winogradRoundings)
		within(t, "WeightGradient", gotW, wantW, sumsW, tiles+winogradRoundings)
	}
}

func widened(x *tensor.Tensor[float32]) *tensor.Tensor[float64] {
	d := tensor.New[float64](x.Shape...)
	for i, v := range x.Data {
		d.Data[i] = float64(v)
	}
	return d
}

// absoluteWinograd computes the three functions on absolute values, with the absolute values of the matrices.
func absoluteWinograd(t *testing.T, s shape,
	x, w, y *tensor.Tensor[float64]) (sumsY, sumsX, sumsW *tensor.Tensor[float64]) {
	sumsY, sumsX, sumsW = tensor.New[float64](s.y...), tensor.New[float64](s.x...),
		tensor.New[float64](s.w...)
	absoluteConvolution(t, sumsY, x, s.g.Padding, func(m, c, u, v int) float64 { return w.At(m, c, u, v) })
	absoluteConvolution(t, sumsX, y, 2-s.g.Padding, func(c, m, u, v int) float64 {
		return w.At(m, c, 2-u, 2-v)
	})
	b, g := absolute(t, 6, 6, signalStep[float64]), absolute(t, 4, 6, codeStep[float64])
	a := absolute(t, 6, 3, gradientStep[float64])
	for m := range s.w[0] {
		for c := range s.w[1] {
			var sum square[float64]
			eachTile(y, func(n, i, j int) {
				code := onSquare(g, takeSquare(4, func(u, v int) float64 {
					return inside(y, n, m, i+u, j+v)
				}))
				signal := onSquare(b, takeSquare(6, func(u, v int) float64 {
					return inside(x, n, c, i+u-s.g.Padding, j+v-s.g.Padding)
				}))
				sum.addProduct(&code, &signal)
			})
			taps := onSquare(a, sum)
			for u := range 3 {
				for v := range 3 {
					sumsW.Set(taps[u][v], m, c, u, v)
				}
			}
		}
	}
	return sumsY, sumsX, sumsW
}

// absoluteConvolution is defineWinograd on absolute values.
func absoluteConvolution(t *testing.T, out, in *tensor.Tensor[float64], padding int,
	kernelAt func(o, c, u, v int) float64) {
	b, g := absolute(t, 6, 6, signalStep[float64]), absolute(t, 3, 6, kernelStep[float64])
	a := absolute(t, 6, 4, outputStep[float64])
	eachTile(out, func(n, i, j int) {
		for o := range out.Shape[1] {
			var sum square[float64]
			for c := range in.Shape[1] {
				kernel := onSquare(g, takeSquare(3, func(u, v int) float64 { return kernelAt(o, c, u, v) }))
				signal := onSquare(b, takeSquare(6, func(u, v int) float64 {
					return inside(in, n, c, i+u-padding, j+v-padding)
				}))
				sum.addProduct(&kernel, &signal)
			}
			tile := onSquare(a, sum)
			for u := range min(4, out.Shape[2]-i) {
				for v := range min(4, out.Shape[3]-j) {
					out.Set(tile[u][v], n, o, i+u, j+v)
				}
			}
		}
	})
}

// eachTile calls body with the image, the first row and the first column of every tile of t.
func eachTile(t *tensor.Tensor[float64], body func(n, i, j int)) {
	for n := range t.Shape[0] {
		for i := 0; i < t.Shape[2]; i += 4 {
			for j := 0; j < t.Shape[3]; j += 4 {
				body(n, i, j)
			}
		}
	}
}
