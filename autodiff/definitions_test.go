package autodiff

import (
	"math"

	"sdref/conv"
	"sdref/tensor"
)

// definitions has every operator's formula as plain loops in float64: the value from the inputs' values.
var definitions = map[string]func(n *Node, in [][]float64) []float64{
	"analysis": func(n *Node, in [][]float64) []float64 {
		return convolve(n, n.Inputs[0].Shape, n.Inputs[1].Shape, n.Shape,
			func(out []float64, x, w, y int) { out[y] += in[1][w] * in[0][x] })
	},
	"synthesis": func(n *Node, in [][]float64) []float64 {
		return convolve(n, n.Shape, n.Inputs[1].Shape, n.Inputs[0].Shape,
			func(out []float64, x, w, y int) { out[x] += in[1][w] * in[0][y] })
	},
	"filter": func(n *Node, in [][]float64) []float64 {
		return convolve(n, n.Inputs[0].Shape, n.Shape, n.Inputs[1].Shape,
			func(out []float64, x, w, y int) { out[w] += in[1][y] * in[0][x] })
	},
	"linear": func(n *Node, in [][]float64) []float64 {
		length := n.Inputs[0].Shape[1]
		y := product(in[0], in[1], n.Shape[0], n.Shape[1], length,
			func(i, o, k int) (int, int) { return i*length + k, o*length + k })
		for i := range y {
			y[i] += in[2][i%n.Shape[1]]
		}
		return y
	},
	"linear_dx": func(n *Node, in [][]float64) []float64 {
		length := n.Inputs[1].Shape[0]
		return product(in[0], in[1], n.Shape[0], n.Shape[1], length,
			func(i, j, o int) (int, int) { return i*length + o, o*n.Shape[1] + j })
	},
	"linear_dw": func(n *Node, in [][]float64) []float64 {
		return product(in[0], in[1], n.Shape[0], n.Shape[1], n.Inputs[0].Shape[0],
			func(o, j, i int) (int, int) { return i*n.Shape[0] + o, i*n.Shape[1] + j })
	},
	"bias": func(n *Node, in [][]float64) []float64 {
		plane, channels := n.Shape[2]*n.Shape[3], n.Shape[1]
		return each(in[0], func(i int) float64 { return in[0][i] + in[1][i/plane%channels] })
	},
	"linear_db": func(n *Node, in [][]float64) []float64 {
		sum := make([]float64, n.Shape[0])
		for i, v := range in[0] {
			sum[i%len(sum)] += v
		}
		return sum
	},
	"add": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) (sum float64) {
			for _, term := range in {
				sum += term[i]
			}
			return sum
		})
	},
	"scale": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return times(n, in, 1) * in[0][i] })
	},
	"axpy": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return in[0][i] + times(n, in, 2)*in[1][i] })
	},
	"dot": func(n *Node, in [][]float64) []float64 {
		return []float64{n.Attrs["scale"] * total(in[0], func(i int) float64 { return in[0][i] * in[1][i] })}
	},
	"extrapolate": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return in[0][i] + n.Attrs["ratio"]*(in[0][i]-in[1][i]) })
	},
	"prox": func(n *Node, in [][]float64) []float64 {
		lambda, t, a := shrinking(n, in, 1)
		return each(in[0], func(i int) float64 {
			v, b := a*in[0][i], lambda*t*a
			switch {
			case v != v:
				return v
			case v > b:
				return v - b
			case v < -b && n.Attrs["nonnegative"] == 0:
				return v + b
			}
			return 0
		})
	},
	"prox_grad": func(n *Node, in [][]float64) []float64 {
		_, _, a := shrinking(n, in, 2)
		return each(in[0], func(i int) float64 {
			if in[0][i] == 0 {
				return 0
			}
			return a * in[1][i]
		})
	},
	"prox_dt": func(n *Node, in [][]float64) []float64 {
		lambda, _, a := shrinking(n, in, 2)
		return []float64{-a * total(in[0], func(i int) float64 {
			return (lambda*sign(in[0][i]) + n.Attrs["mu"]*in[0][i]) * in[1][i]
		})}
	},
	"prox_dlambda": func(n *Node, in [][]float64) []float64 {
		_, t, a := shrinking(n, in, 2)
		return []float64{-a * t * total(in[0], func(i int) float64 { return sign(in[0][i]) * in[1][i] })}
	},
	"relu": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 {
			if in[0][i] < 0 {
				return 0
			}
			return in[0][i]
		})
	},
	"relu_grad": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 {
			if in[0][i] > 0 {
				return in[1][i]
			}
			return 0
		})
	},
	"gelu": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return in[0][i] / 2 * (1 + math.Tanh(bent(in[0][i]))) })
	},
	"gelu_grad": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 {
			x, th := in[0][i], math.Tanh(bent(in[0][i]))
			return in[1][i] * (1 + th + x*(1-th*th)*math.Sqrt(2/math.Pi)*(1+3*0.044715*x*x)) / 2
		})
	},
	"sum_squares": func(n *Node, in [][]float64) []float64 { return []float64{squares(in[0])} },
	"distance": func(n *Node, in [][]float64) []float64 {
		return []float64{squares(each(in[0], func(i int) float64 { return in[0][i] - in[1][i] }))}
	},
	"unit": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return in[0][i] / max(1e-12, math.Sqrt(squares(in[0]))) })
	},
	"unit_atoms": func(n *Node, in [][]float64) []float64 {
		size := len(in[0]) / n.Shape[0]
		return each(in[0], func(i int) float64 {
			at := i / size * size
			return in[0][i] / max(1e-12, math.Sqrt(squares(in[0][at:at+size])))
		})
	},
	"step": func(n *Node, in [][]float64) []float64 { return []float64{n.Attrs["share"] / in[0][0]} },
	"rounds": func(n *Node, in [][]float64) []float64 {
		for i, change := range in {
			if change[0] <= n.Attrs["tolerance"] {
				return []float64{float64(i + 1)}
			}
		}
		return []float64{float64(len(in))}
	},
	"mul": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return in[0][i] * in[1][i] })
	},
	"sum": func(n *Node, in [][]float64) []float64 {
		return []float64{total(in[0], func(i int) float64 { return in[0][i] }) / n.Attrs["divisor"]}
	},
	"sum_grad": func(n *Node, in [][]float64) []float64 {
		return each(make([]float64, tensor.Size(n.Shape)), func(int) float64 { return in[0][0] / n.Attrs["divisor"] })
	},
	"exp": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return math.Exp(in[0][i]) })
	},
	"log": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return math.Log(in[0][i]) })
	},
	"log_grad": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 { return in[1][i] / in[0][i] })
	},
	"one": func(*Node, [][]float64) []float64 { return []float64{1} },
	"running": func(n *Node, in [][]float64) []float64 {
		m := n.Attrs["momentum"]
		return each(in[0], func(i int) float64 { return (1-m)*in[0][i] + m*n.Attrs["factor"]*in[1][i] })
	},
	"velocity": func(n *Node, in [][]float64) []float64 {
		return each(in[0], func(i int) float64 {
			return n.Attrs["momentum"]*in[0][i] + in[1][i] + n.Attrs["decay"]*in[2][i]
		})
	},
	"nesterov": func(n *Node, in [][]float64) []float64 {
		rate := n.Attrs["rate"]
		if len(in) > 3 {
			rate = in[3][0]
		}
		return each(in[0], func(i int) float64 {
			return in[0][i] - rate*(in[1][i]+n.Attrs["decay"]*in[0][i]+n.Attrs["momentum"]*in[2][i])
		})
	},
}

// bent is the argument of GELU's tanh.
func bent(x float64) float64 { return math.Sqrt(2/math.Pi) * (x + 0.044715*x*x*x) }

// each is a value whose elements f gives.
func each(like []float64, f func(i int) float64) []float64 {
	out := make([]float64, len(like))
	for i := range out {
		out[i] = f(i)
	}
	return out
}

// total sums f over the places of x.
func total(x []float64, f func(i int) float64) (sum float64) {
	for i := range x {
		sum += f(i)
	}
	return sum
}

func squares(x []float64) float64 { return total(x, func(i int) float64 { return x[i] * x[i] }) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// times is the setting scale, times the optional input.
func times(n *Node, in [][]float64, at int) float64 {
	if len(in) > at {
		return n.Attrs["scale"] * in[at][0]
	}
	return n.Attrs["scale"]
}

// shrinking is lambda, t and a of a shrinkage whose t is input at.
func shrinking(n *Node, in [][]float64, at int) (lambda, t, a float64) {
	lambda, t = n.Attrs["lambda"], in[at][0]
	if len(in) > at+1 {
		lambda = in[at+1][0]
	}
	return lambda, t, 1 / (1 + n.Attrs["mu"]*t)
}

// product is a matrix product of which at says which elements meet.
func product(a, b []float64, rows, columns, length int, at func(i, j, k int) (int, int)) []float64 {
	c := make([]float64, rows*columns)
	for i := range rows {
		for j := range columns {
			for k := range length {
				p, q := at(i, j, k)
				c[i*columns+j] += a[p] * b[q]
			}
		}
	}
	return c
}

// convolve calls visit with the places of all elements that meet in y[n,m,i,j] = sum w[m,c,u,v]
// x[n,c,i*s+u*d-p,j*s+v*d-p], and returns what it adds up. Axes that are not there have size 1 and no
// padding.
func convolve(n *Node, x, w, y []int, visit func(out []float64, x, w, y int)) []float64 {
	out, g := make([]float64, tensor.Size(n.Shape)), n.Geometry()
	X, W, Y := full(x), full(w), full(y)
	top, left := g.Padding, g.Padding
	if len(x) < 4 {
		top = 0
	}
	if len(x) < 3 {
		left = 0
	}
	at := func(s [4]int, a, b, c, d int) int { return ((a*s[1]+b)*s[2]+c)*s[3] + d }
	for i := range Y[0] * W[0] * W[1] * W[2] * W[3] * Y[2] * Y[3] {
		var k [7]int // image, atom, channel, u, v, i, j
		for a, size := range [7]int{Y[0], W[0], W[1], W[2], W[3], Y[2], Y[3]} {
			k[a], i = i%size, i/size
		}
		row := k[5]*max(1, g.Stride) + k[3]*max(1, g.Dilation) - top
		column := k[6]*max(1, g.Stride) + k[4]*max(1, g.Dilation) - left
		if 0 <= row && row < X[2] && 0 <= column && column < X[3] {
			visit(out, at(X, k[0], k[2], row, column), at(W, k[1], k[2], k[3], k[4]),
				at(Y, k[0], k[1], k[5], k[6]))
		}
	}
	return out
}

// full is a shape with both axes.
func full(shape []int) [4]int {
	height, width := conv.Sizes(shape)
	return [4]int{shape[0], shape[1], height, width}
}
