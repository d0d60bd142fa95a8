package cases

import "math/big"

// formulas gives element i of each operator's value.
var formulas = map[string]func(a args, i int) *big.Float{
	"analysis":  analysisElement,
	"synthesis": synthesisElement,
	"filter":    filterElement,
	"linear": func(a args, i int) *big.Float {
		n, o, width := i/a.Shape[1], i%a.Shape[1], a.side(0, 1)
		return plus(a.at(2, o), sum(width, func(k int) *big.Float {
			return times(a.at(0, n*width+k), a.at(1, o*width+k))
		}))
	},
	"linear_dx": func(a args, i int) *big.Float {
		n, k, outputs := i/a.Shape[1], i%a.Shape[1], a.side(0, 1)
		return sum(outputs, func(o int) *big.Float {
			return times(a.at(0, n*outputs+o), a.at(1, o*a.Shape[1]+k))
		})
	},
	"linear_dw": func(a args, i int) *big.Float {
		o, k := i/a.Shape[1], i%a.Shape[1]
		return sum(a.side(0, 0), func(n int) *big.Float {
			return times(a.at(0, n*a.Shape[0]+o), a.at(1, n*a.Shape[1]+k))
		})
	},
	"linear_db": func(a args, i int) *big.Float {
		return sum(a.side(0, 0), func(n int) *big.Float { return a.at(0, n*a.Shape[0]+i) })
	},

	"add": func(a args, i int) *big.Float {
		return sum(len(a.in), func(k int) *big.Float { return a.at(k, i) })
	},
	"scale": func(a args, i int) *big.Float {
		return times(a.factor(1), a.at(0, i))
	},
	"axpy": func(a args, i int) *big.Float { return plus(a.at(0, i), times(a.factor(2), a.at(1, i))) },
	"extrapolate": func(a args, i int) *big.Float {
		return plus(a.at(0, i), times(a.attr("ratio"), less(a.at(0, i), a.at(1, i))))
	},
	"prox": proxElement,
	"prox_grad": func(a args, i int) *big.Float {
		if a.in[0].Data[i] == 0 {
			return num(0)
		}
		factor, _ := a.shrink(2)
		return times(factor, a.at(1, i))
	},
	"relu": func(a args, i int) *big.Float { return num(max(0, a.in[0].Data[i])) },
	"relu_grad": func(a args, i int) *big.Float {
		if a.in[0].Data[i] > 0 {
			return a.at(1, i)
		}
		return num(0)
	},
	"bias": func(a args, i int) *big.Float {
		x := a.in[0].Shape
		return plus(a.at(0, i), a.at(1, i/(x[2]*x[3])%x[1]))
	},
	"gelu": func(a args, i int) *big.Float {
		s, _ := a.gelu(i)
		return times(a.at(0, i), s)
	},
	"gelu_grad": func(a args, i int) *big.Float {
		s, slope := a.gelu(i)
		return times(a.at(1, i), plus(s, times(times(a.at(0, i), slope), times(s, less(num(1), s)))))
	},

	"sum_squares": func(a args, _ int) *big.Float {
		return sum(a.in[0].Len(), func(k int) *big.Float { return times(a.at(0, k), a.at(0, k)) })
	},
	"distance": func(a args, _ int) *big.Float {
		return sum(a.in[0].Len(), func(k int) *big.Float {
			d := less(a.at(0, k), a.at(1, k))
			return times(d, d)
		})
	},
	"unit": func(a args, i int) *big.Float { return over(a.at(0, i), a.norm(0, a.in[0].Len())) },
	"unit_atoms": func(a args, i int) *big.Float {
		size := a.in[0].Len() / a.side(0, 0)
		return over(a.at(0, i), a.norm(i/size*size, size))
	},
	"step": func(a args, _ int) *big.Float { return over(a.attr("share"), a.at(0, 0)) },
	"rounds": func(a args, _ int) *big.Float {
		for k := range a.in {
			if a.in[k].Data[0] <= a.Attrs["tolerance"] {
				return num(float64(k + 1))
			}
		}
		return num(float64(len(a.in)))
	},

	"channel_mean": func(a args, i int) *big.Float {
		return over(a.channelSum(i, func(k int) *big.Float { return a.at(0, k) }), a.perChannel())
	},
	"channel_variance": func(a args, i int) *big.Float {
		squares := a.channelSum(i, func(k int) *big.Float {
			d := less(a.at(0, k), a.at(1, i))
			return times(d, d)
		})
		return over(squares, a.perChannel())
	},
	"running": func(a args, i int) *big.Float {
		m := a.attr("momentum")
		return plus(times(less(num(1), m), a.at(0, i)), times(times(m, a.attr("factor")), a.at(1, i)))
	},
	"batchnorm": func(a args, i int) *big.Float {
		c := a.channel(i)
		return plus(a.at(4, c), times(times(a.at(3, c), a.inverse(2, c)), less(a.at(0, i), a.at(1, c))))
	},
	"batchnorm_dgamma": func(a args, i int) *big.Float {
		return times(a.inverse(3, i), a.channelSum(i, func(k int) *big.Float {
			return times(a.at(1, k), less(a.at(0, k), a.at(2, i)))
		}))
	},
	"batchnorm_dbeta": func(a args, i int) *big.Float {
		return a.channelSum(i, func(k int) *big.Float { return a.at(0, k) })
	},
	"batchnorm_dx": func(a args, i int) *big.Float {
		c, d := a.channel(i), a.at(1, i)
		if a.Attrs["training"] != 0 {
			xhat := times(less(a.at(0, i), a.at(2, c)), a.inverse(3, c))
			d = less(d, over(plus(a.at(6, c), times(xhat, a.at(5, c))), a.perChannel()))
		}
		return times(times(a.at(4, c), a.inverse(3, c)), d)
	},

	"max_pool": func(a args, i int) *big.Float { return a.at(0, a.winner(i)) },
	"max_pool_grad": func(a args, i int) *big.Float {
		return sum(a.in[1].Len(), func(q int) *big.Float {
			if a.winner(q) == i {
				return a.at(1, q)
			}
			return num(0)
		})
	},
	"average_pool": func(a args, i int) *big.Float {
		return over(sum(a.area(), func(k int) *big.Float {
			return a.at(0, i*a.area()+k)
		}), num(float64(a.area())))
	},
	"average_pool_grad": func(a args, i int) *big.Float {
		area := a.Shape[2] * a.Shape[3]
		return over(a.at(0, i/area), num(float64(area)))
	},

	"cross_entropy": func(a args, _ int) *big.Float {
		images := a.in[1].Len()
		return over(sum(images, func(n int) *big.Float {
			_, loss := a.softmax(n, a.label(n))
			return loss
		}), num(float64(images)))
	},
	"cross_entropy_grad": func(a args, i int) *big.Float {
		n, k := i/a.Shape[1], i%a.Shape[1]
		p, _ := a.softmax(n, k)
		if k == a.label(n) {
			p = less(p, num(1))
		}
		return over(p, num(float64(a.Shape[0])))
	},
	"mul": func(a args, i int) *big.Float { return times(a.at(0, i), a.at(1, i)) },
	"sum": func(a args, _ int) *big.Float {
		return over(sum(a.in[0].Len(), func(k int) *big.Float { return a.at(0, k) }), a.attr("divisor"))
	},
	"sum_grad": func(a args, _ int) *big.Float { return over(a.at(0, 0), a.attr("divisor")) },
	"exp":      func(a args, i int) *big.Float { return exp(a.at(0, i)) },
	"log":      func(a args, i int) *big.Float { return log(a.at(0, i)) },
	"log_grad": func(a args, i int) *big.Float { return over(a.at(1, i), a.at(0, i)) },
	"one":      func(args, int) *big.Float { return num(1) },
	"velocity": func(a args, i int) *big.Float {
		return plus(times(a.attr("momentum"), a.at(0, i)),
			plus(a.at(1, i), times(a.attr("decay"), a.at(2, i))))
	},
	"nesterov": func(a args, i int) *big.Float {
		move := plus(plus(a.at(1, i), times(a.attr("decay"), a.at(0, i))),
			times(a.attr("momentum"), a.at(2, i)))
		return less(a.at(0, i), times(a.attr("rate"), move))
	},
}

// factor is the attribute scale times the scalar input, if there is one.
func (a args) factor(input int) *big.Float {
	if input < len(a.in) {
		return times(a.attr("scale"), a.at(input, 0))
	}
	return a.attr("scale")
}

// norm is that of size elements of the first input.
func (a args) norm(from, size int) *big.Float {
	return root(sum(size, func(k int) *big.Float { return times(a.at(0, from+k), a.at(0, from+k)) }))
}

func analysisElement(a args, at int) *big.Float {
	n, m, i, j := split(a.Shape, at)
	kh, kw := a.side(1, 2), a.side(1, 3)
	return sum(a.side(1, 1)*kh*kw, func(k int) *big.Float {
		c, u, v := k/(kh*kw), k/kw%kh, k%kw
		h, w := i*a.int("stride")-a.int("padding")+u*a.int("dilation"),
			j*a.int("stride")-a.int("padding")+v*a.int("dilation")
		return times(a.image(1, m, c, u, v), a.image(0, n, c, h, w))
	})
}

// synthesisElement looks for the codes that reach a pixel.
func synthesisElement(a args, at int) *big.Float {
	n, c, h, w := split(a.Shape, at)
	kh, kw, s := a.side(1, 2), a.side(1, 3), a.int("stride")
	return sum(a.side(1, 0)*kh*kw, func(k int) *big.Float {
		m, u, v := k/(kh*kw), k/kw%kh, k%kw
		i, j := h+a.int("padding")-u*a.int("dilation"), w+a.int("padding")-v*a.int("dilation")
		if i%s != 0 || j%s != 0 {
			return num(0)
		}
		return times(a.image(1, m, c, u, v), a.image(0, n, m, i/s, j/s))
	})
}

func filterElement(a args, at int) *big.Float {
	m, c, u, v := split(a.Shape, at)
	s := a.in[1].Shape
	return sum(s[0]*s[2]*s[3], func(k int) *big.Float {
		n, i, j := k/(s[2]*s[3]), k/s[3]%s[2], k%s[3]
		h, w := i*a.int("stride")-a.int("padding")+u*a.int("dilation"),
			j*a.int("stride")-a.int("padding")+v*a.int("dilation")
		return times(a.image(1, n, m, i, j), a.image(0, n, c, h, w))
	})
}

func proxElement(a args, i int) *big.Float {
	factor, threshold := a.shrink(1)
	u := times(factor, a.at(0, i))
	if above := less(u, threshold); above.Sign() > 0 {
		return above
	}
	if below := plus(u, threshold); below.Sign() < 0 && a.Attrs["nonnegative"] == 0 {
		return below
	}
	return num(0)
}
