package conv

import (
	"sdref/conv/internal/form"
	"sdref/internal/kernel"
	"sdref/tensor"
)

// The definition of algorithm Winograd: F(4x4, 3x3) for Forward and Transpose, F(3x3, 4x4) for
// WeightGradient, both on squares of 6x6 (Winograd, "Arithmetic Complexity of Computations" (1980); Lavin and
// Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016). A row of 4 outputs of a kernel g of
// 3 elements on a row d of 6 is
//
//	A' [(G g) * (B' d)],   * the elementwise product,
//
// with the values of polynomials at the points 0, 1, -1, 2, -2 and infinity:
//
//	     | 4  0 -5  0  1  0 |        | 1/4    0    0   |         | 1  1  1  1  1  0 |
//	     | 0 -4 -4  1  1  0 |        |-1/6  -1/6  -1/6 |    A' = | 0  1 -1  2 -2  0 |
//	B' = | 0  4 -4 -1  1  0 |    G = |-1/6   1/6  -1/6 |         | 0  1  1  4  4  0 |
//	     | 0 -2 -1  2  1  0 |        | 1/24  1/12  1/6 |         | 0  1 -1  8 -8  1 |
//	     | 0  2 -1 -2  1  0 |        | 1/24 -1/12  1/6 |
//	     | 0  4  0 -5  0  1 |        | 0     0     1   |
//
// and on squares A' [(G g G') * (B' d B)] A. WeightGradient has 3 outputs of 4 elements: the same B, a G with
// one column more, an A' with one row less. The order of operations is that of the functions below: a square
// is transformed along its columns, then along its rows; the products over channels (WeightGradient: over
// images, then tiles row by row) are one chain of fused multiply-adds from +0. Tiles that reach over the
// border of the result are cut off, elements outside x or y take part as +0.
//
// Rounding errors are 3 to 5 times the direct algorithm's. With normally distributed x, w and y and padding
// 1, the root mean square error of float32 against float64, relative to that of the result, is
//
//	images, channels, size    algorithm   Forward   Transpose   WeightGradient
//	 8,  64 to  64, 32x32     direct      4.3e-7    4.2e-7      1.6e-6
//	                          Winograd    1.8e-6    1.7e-6      4.6e-6
//	32, 512 to 512,  4x4      direct      1.1e-6    1.1e-6      3.5e-7
//	                          Winograd    5.2e-6    5.2e-6      1.5e-6

// DefineWinogradForward sets y as DefineForward does up to rounding. The kernel must be 3x3, stride and
// dilation 1.
func DefineWinogradForward[T tensor.Float](y, x, w *tensor.Tensor[T], g Geometry) {
	f := newWinogradForm("DefineWinogradForward", x.Shape, w.Shape, y.Shape, g)
	defineWinograd(y, x, f.PW, func(m, c int) square[T] {
		return takeSquare(3, func(u, v int) T { return w.At(m, c, u, v) })
	})
}

// DefineWinogradTranspose sets x as DefineTranspose does up to rounding: to the convolution of y with the
// kernel turned by 180 degrees and its channels exchanged, with padding 2-p. The kernel must be 3x3, stride
// and dilation 1.
func DefineWinogradTranspose[T tensor.Float](x, y, w *tensor.Tensor[T], g Geometry) {
	f := newWinogradForm("DefineWinogradTranspose", x.Shape, w.Shape, y.Shape, g)
	defineWinograd(x, y, 2-f.PW, func(c, m int) square[T] {
		return takeSquare(3, func(u, v int) T { return w.At(m, c, 2-u, 2-v) })
	})
}

// defineWinograd sets out to the convolution of in with the 3x3 kernels kernelAt(output channel, input
// channel).
func defineWinograd[T tensor.Float](out, in *tensor.Tensor[T], padding int,
	kernelAt func(o, c int) square[T]) {
	outputs, inputs := out.Shape[1], in.Shape[1]
	kernels := make([]square[T], 0, outputs*inputs)
	for o := range outputs {
		for c := range inputs {
			kernels = append(kernels, transform(kernelAt(o, c), 3, 6, kernelStep))
		}
	}
	signals := make([]square[T], inputs)
	for n := range out.Shape[0] {
		for i := 0; i < out.Shape[2]; i += 4 {
			for j := 0; j < out.Shape[3]; j += 4 {
				for c := range inputs {
					signals[c] = transform(takeSquare(6, func(u, v int) T {
						return inside(in, n, c, i+u-padding, j+v-padding)
					}), 6, 6, signalStep)
				}
				for o := range outputs {
					var sum square[T]
					for c := range inputs {
						sum.addProduct(&kernels[o*inputs+c], &signals[c])
					}
					tile := transform(sum, 6, 4, outputStep)
					for u := range min(4, out.Shape[2]-i) {
						for v := range min(4, out.Shape[3]-j) {
							out.Set(tile[u][v], n, o, i+u, j+v)
						}
					}
				}
			}
		}
	}
}

// DefineWinogradWeightGradient sets w as DefineWeightGradient does up to rounding. The kernel must be 3x3,
// stride and dilation 1.
func DefineWinogradWeightGradient[T tensor.Float](w, x, y *tensor.Tensor[T], g Geometry) {
	f := newWinogradForm("DefineWinogradWeightGradient", x.Shape, w.Shape, y.Shape, g)
	sums := make([]square[T], f.M*f.C)
	signals := make([]square[T], f.C)
	for n := range f.N {
		for i := 0; i < f.Ho; i += 4 {
			for j := 0; j < f.Wo; j += 4 {
				for c := range f.C {
					signals[c] = transform(takeSquare(6, func(u, v int) T {
						return inside(x, n, c, i+u-f.PH, j+v-f.PW)
					}), 6, 6, signalStep)
				}
				for m := range f.M {
					code := transform(takeSquare(4, func(u, v int) T {
						return inside(y, n, m, i+u, j+v)
					}), 4, 6, codeStep)
					for c := range f.C {
						sums[m*f.C+c].addProduct(&code, &signals[c])
					}
				}
			}
		}
	}
	for i := range sums {
		taps := transform(sums[i], 6, 3, gradientStep)
		for u := range 3 {
			for v := range 3 {
				w.Set(taps[u][v], i/f.C, i%f.C, u, v)
			}
		}
	}
}

// newWinogradForm is newForm for shapes for which algorithm Winograd is defined; for others it panics with a
// *GeometryError.
func newWinogradForm(op string, x, w, y []int, g Geometry) form.Form {
	f := newForm(op, x, w, y, g)
	if !g.HasWinograd(w) {
		panic(&GeometryError{op, "the kernel is not 3x3 with stride and dilation 1", x, w, y, g})
	}
	return f
}

// square is a square of up to 6x6 elements.
type square[T tensor.Float] [6][6]T

func takeSquare[T tensor.Float](side int, at func(u, v int) T) (s square[T]) {
	for u := range side {
		for v := range side {
			s[u][v] = at(u, v)
		}
	}
	return s
}

// addProduct continues the 36 chains s = fma(a, b, s).
func (s *square[T]) addProduct(a, b *square[T]) {
	for i := range 6 {
		for j := range 6 {
			s[i][j] = kernel.FMA(a[i][j], b[i][j], s[i][j])
		}
	}
}

// transform applies step, which makes out elements of in, to the columns of the in x in square s, and then to
// the rows of the out x in elements that these have become.
func transform[T tensor.Float](s square[T], in, out int, step func(v [6]T) [6]T) (result square[T]) {
	var middle square[T]
	for j := range in {
		var column [6]T
		for i := range in {
			column[i] = s[i][j]
		}
		for i, v := range step(column) {
			middle[i][j] = v
		}
	}
	for i := range out {
		result[i] = step(middle[i])
	}
	return result
}

// signalStep is B' d.
func signalStep[T tensor.Float](d [6]T) [6]T {
	a, b := kernel.FMA(-4, d[2], d[4]), kernel.FMA(-4, d[1], d[3])
	c, e := d[4]-d[2], d[3]-d[1]
	return [6]T{
		kernel.FMA(4, d[0], kernel.FMA(-5, d[2], d[4])),
		a + b,
		a - b,
		kernel.FMA(2, e, c),
		kernel.FMA(-2, e, c),
		kernel.FMA(4, d[1], kernel.FMA(-5, d[3], d[5])),
	}
}

// kernelStep is G g, 3 elements to 6.
func kernelStep[T tensor.Float](g [6]T) [6]T {
	s, a := g[0]+g[2], kernel.FMA(4, g[2], g[0])
	return [6]T{
		T(g[0] / 4),
		T((s + g[1]) * (-1. / 6)),
		T((s - g[1]) * (-1. / 6)),
		T(kernel.FMA(2, g[1], a) * (1. / 24)),
		T(kernel.FMA(-2, g[1], a) * (1. / 24)),
		g[2],
	}
}

// codeStep is G g for a G with a fourth column, (0, -1/6, 1/6, 1/3, -1/3, 1), and with a 0 at the end of the
// third: 4 elements to 6.
func codeStep[T tensor.Float](g [6]T) [6]T {
	even, odd := g[0]+g[2], g[1]+g[3]
	p, q := kernel.FMA(4, g[2], g[0]), kernel.FMA(4, g[3], g[1])
	return [6]T{
		T(g[0] / 4),
		T((even + odd) * (-1. / 6)),
		T((even - odd) * (-1. / 6)),
		T(kernel.FMA(2, q, p) * (1. / 24)),
		T(kernel.FMA(-2, q, p) * (1. / 24)),
		g[3],
	}
}

// outputStep is A' m, 6 elements to 4.
func outputStep[T tensor.Float](m [6]T) [6]T {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [6]T{(m[0] + p) + r, kernel.FMA(2, s, q), kernel.FMA(4, r, p), kernel.FMA(8, s, q) + m[5]}
}

// gradientStep is A' m for the first three rows of A', with a 1 at the end of the third: 6 elements to 3.
func gradientStep[T tensor.Float](m [6]T) [6]T {
	p, q, r, s := m[1]+m[2], m[1]-m[2], m[3]+m[4], m[3]-m[4]
	return [6]T{(m[0] + p) + r, kernel.FMA(2, s, q), kernel.FMA(4, r, p) + m[5]}
}
