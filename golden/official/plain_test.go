package official

import (
	"math"

	"sdref/golden"
)

// plainLayer is one CSC layer in nested loops and float64, written from the format's description alone: the
// second opinion to which the cases of these tests owe their expected numbers.
type plainLayer struct {
	batch, atoms, channels, kernel, height, width  int
	stride, padding, outputPadding, dilation       int
	iterations                                     int
	lambda, mu, share                              float64
	nonnegative, unitNorm, gradientAtExtrapolation bool

	w, v         []float64 // atoms and power iteration's vector, changed in place
	step, value  float64
	rounds       int
	codeH, codeW int
}

// each calls f for every product of the trilinear form: image n, atom m, code position, channel and kernel
// element, as offsets into code, signal and weight.
func (l *plainLayer) each(images int, f func(code, signal, weight int)) {
	for n := range images {
		for m := range l.atoms {
			for i := range l.codeH {
				for j := range l.codeW {
					code := ((n*l.atoms+m)*l.codeH+i)*l.codeW + j
					for c := range l.channels {
						for u := range l.kernel {
							for v := range l.kernel {
								row, column := i*l.stride+u*l.dilation-l.padding,
									j*l.stride+v*l.dilation-l.padding
								if row >= 0 && row < l.height && column >= 0 && column < l.width {
									f(code, ((n*l.channels+c)*l.height+row)*l.width+column,
										((m*l.channels+c)*l.kernel+u)*l.kernel+v)
								}
							}
						}
					}
				}
			}
		}
	}
}

func (l *plainLayer) analysis(x []float64) []float64 {
	images := len(x) / (l.channels * l.height * l.width)
	z := make([]float64, images*l.atoms*l.codeH*l.codeW)
	l.each(images, func(code, signal, weight int) { z[code] += x[signal] * l.w[weight] })
	return z
}

func (l *plainLayer) synthesis(z []float64) []float64 {
	images := len(z) / (l.atoms * l.codeH * l.codeW)
	x := make([]float64, images*l.channels*l.height*l.width)
	l.each(images, func(code, signal, weight int) { x[signal] += z[code] * l.w[weight] })
	return x
}

// pair is the gradient of <z, A* x> for the weights, added to dw with a factor.
func (l *plainLayer) pair(dw, x, z []float64, factor float64) {
	l.each(l.batch, func(code, signal, weight int) { dw[weight] += factor * x[signal] * z[code] })
}

// prepare normalises atoms and runs the power iteration.
func (l *plainLayer) prepare() {
	if size := len(l.w) / l.atoms; l.unitNorm {
		for m := range l.atoms {
			atom := l.w[m*size : (m+1)*size]
			scale(atom, 1/max(math.Sqrt(squares(atom)), 1e-12))
		}
	}
	for update := math.Inf(1); update > 1e-5 && l.rounds < 50; l.rounds++ {
		u := l.analysis(l.synthesis(l.v))
		scale(u, 1/math.Sqrt(squares(u)))
		update = squares(minus(u, l.v))
		l.v = u
	}
	l.value = squares(l.synthesis(l.v))
	l.step = l.share / l.value
}

// trace is one iteration: where the gradient was taken, the residual there, and the code.
type trace struct{ g, r, z []float64 }

// solve returns the iterations; that before the first has the code 0.
func (l *plainLayer) solve(x []float64) []trace {
	zero := make([]float64, l.batch*l.atoms*l.codeH*l.codeW)
	all := []trace{{z: zero}}
	for k := 1; k <= l.iterations; k++ {
		z := all[k-1].z
		y := append([]float64{}, z...)
		if k > 1 {
			add(y, minus(z, all[k-2].z), momentum(k-1))
		}
		g := z
		if l.gradientAtExtrapolation {
			g = append([]float64{}, y...)
		}
		r := minus(x, l.synthesis(g))
		add(y, l.analysis(r), l.step)
		for i, u := range y {
			y[i] = l.prox(u)
		}
		all = append(all, trace{g, r, y})
	}
	return all
}

func (l *plainLayer) prox(u float64) float64 {
	size := max(math.Abs(u/(1+l.mu*l.step))-l.lambda*l.step/(1+l.mu*l.step), 0)
	if u < 0 {
		if l.nonnegative {
			return 0
		}
		return -size
	}
	return size
}

// momentum is (m_k - 1)/m_{k+1} with m_1 = 1, m_{k+1} = (1 + sqrt(1 + 4 m_k^2))/2.
func momentum(k int) float64 {
	m := 1.0
	for range k - 1 {
		m = (1 + math.Sqrt(1+4*m*m)) / 2
	}
	return (m - 1) / ((1 + math.Sqrt(1+4*m*m)) / 2)
}

// gradients differentiates <z, dz> through the iterations, backwards; the step is a constant.
func (l *plainLayer) gradients(all []trace, dz []float64) (dx, dw []float64) {
	dx, dw = make([]float64, l.batch*l.channels*l.height*l.width), make([]float64, len(l.w))
	codes := make([][]float64, len(all))
	for k := range codes {
		codes[k] = make([]float64, len(dz))
	}
	add(codes[l.iterations], dz, 1)
	for k := l.iterations; k >= 1; k-- {
		du := codes[k]
		for i, z := range all[k].z {
			if z == 0 {
				du[i] = 0
			}
			du[i] /= 1 + l.mu*l.step
		}
		dr := l.synthesis(du)
		scale(dr, l.step)
		add(dx, dr, 1)
		l.pair(dw, all[k].r, du, l.step)
		l.pair(dw, dr, all[k].g, -1)
		dy := append([]float64{}, du...)
		if dg := l.analysis(dr); l.gradientAtExtrapolation {
			add(dy, dg, -1)
		} else {
			add(codes[k-1], dg, -1)
		}
		add(codes[k-1], dy, 1)
		if k > 1 {
			add(codes[k-1], dy, momentum(k-1))
			add(codes[k-2], dy, -momentum(k-1))
		}
	}
	return dx, dw
}

func squares(a []float64) (sum float64) {
	for _, v := range a {
		sum += v * v
	}
	return sum
}

func scale(a []float64, by float64) {
	for i := range a {
		a[i] *= by
	}
}

func add(a, b []float64, factor float64) {
	for i := range a {
		a[i] += factor * b[i]
	}
}

func minus(a, b []float64) []float64 {
	difference := append([]float64{}, a...)
	add(difference, b, -1)
	return difference
}

// fills are the inputs of a layer case.
func (l *plainLayer) fills(seed uint64) map[string]golden.Fill {
	l.codeH = (l.height+2*l.padding-l.dilation*(l.kernel-1)-1)/l.stride + 1
	l.codeW = (l.width+2*l.padding-l.dilation*(l.kernel-1)-1)/l.stride + 1
	return map[string]golden.Fill{
		"x":          {Shape: []int{l.batch, l.channels, l.height, l.width}, Seed: seed, Scale: 2},
		"grad_z":     {Shape: []int{l.batch, l.atoms, l.codeH, l.codeW}, Seed: seed + 1, Scale: 1},
		"weight_raw": {Shape: []int{l.atoms, l.channels, l.kernel, l.kernel}, Seed: seed + 2, Scale: 0.25},
		"v0":         {Shape: []int{1, l.atoms, l.codeH, l.codeW}, Seed: seed + 3, Scale: 1},
	}
}
