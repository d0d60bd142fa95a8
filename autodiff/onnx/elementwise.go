package onnx

import "sdref/autodiff"

func identity(_ *speaker, _ *autodiff.Node, in []string) call { return apply("Identity", in[0]) }

func add(s *speaker, _ *autodiff.Node, in []string) call {
	if len(in) == 1 {
		return apply("Identity", in[0])
	}
	sum := in[0]
	for _, term := range in[1 : len(in)-1] {
		sum = s.get(apply("Add", sum, term))
	}
	return apply("Add", sum, in[len(in)-1])
}

// factor is the setting scale, times the scalar input at, if there is one.
func factor(s *speaker, n *autodiff.Node, in []string, at int) string {
	if len(in) > at {
		return s.times(in[at], n.Attrs["scale"])
	}
	return s.number(n.Attrs["scale"])
}

func scale(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Mul", in[0], factor(s, n, in, 1))
}

func axpy(s *speaker, n *autodiff.Node, in []string) call {
	step := n.Attrs["scale"]
	if len(in) == 3 {
		op := "Add"
		if step < 0 {
			op, step = "Sub", -step
		}
		return apply(op, in[0], s.get(apply("Mul", in[1], s.times(in[2], step))))
	}
	switch step {
	case 1:
		return apply("Add", in[0], in[1])
	case -1:
		return apply("Sub", in[0], in[1])
	}
	return apply("Add", in[0], s.times(in[1], step))
}

func dot(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Mul", sum(s, s.get(apply("Mul", in[0], in[1]))), s.number(n.Attrs["scale"]))
}

// sum is the sum of all elements, a number.
func sum(s *speaker, v string) string { return s.get(apply("ReduceSum", v).with("keepdims", 0)) }

func extrapolate(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Add", in[0], s.times(s.get(apply("Sub", in[0], in[1])), n.Attrs["ratio"]))
}

func relu(_ *speaker, _ *autodiff.Node, in []string) call { return apply("Relu", in[0]) }

func reluGrad(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("Where", s.get(apply("Greater", in[0], s.number(0))), in[1], s.number(0))
}

// geluTanh returns x^2 and tanh(x (a + b x^2)), a = sqrt(2/pi), b = 0.044715 a. Operator set 20 has a Gelu of its own, this one
// its parts.
func geluTanh(s *speaker, x string) (square, tanh string) {
	square = s.get(apply("Mul", x, x))
	return square, s.get(apply("Tanh", s.get(apply("Mul", x, geluSlope(s, square, 1)))))
}

// geluSlope is a + c b x^2, with c = 3 the derivative of tanh's argument.
func geluSlope(s *speaker, square string, c float64) string {
	const a, b = 0.797884560802865355879892119869, 0.044715
	return s.get(apply("Add", s.times(square, c*b*a), s.number(a)))
}

// gelu is x/2 (1 + tanh).
func gelu(s *speaker, _ *autodiff.Node, in []string) call {
	_, tanh := geluTanh(s, in[0])
	return apply("Mul", s.times(in[0], 0.5), s.get(apply("Add", tanh, s.number(1))))
}

// geluGrad is dy/2 (1 + tanh + x (1 - tanh^2) (a + 3 b x^2)).
func geluGrad(s *speaker, _ *autodiff.Node, in []string) call {
	square, tanh := geluTanh(s, in[0])
	rest := s.get(apply("Sub", s.number(1), s.get(apply("Mul", tanh, tanh))))
	along := s.get(apply("Mul", s.get(apply("Mul", in[0], rest)), geluSlope(s, square, 3)))
	slope := s.get(apply("Add", s.get(apply("Add", tanh, s.number(1))), along))
	return apply("Mul", s.times(in[1], 0.5), slope)
}

// penalty is lambda: the scalar input at, or the setting.
func penalty(s *speaker, n *autodiff.Node, in []string, at int) string {
	if len(in) > at {
		return in[at]
	}
	return s.number(n.Attrs["lambda"])
}

// damp returns value/(1 + mu t): the value itself where mu is 0.
func damp(s *speaker, n *autodiff.Node, value, t string) string {
	if n.Attrs["mu"] == 0 {
		return value
	}
	above := s.get(apply("Add", s.times(t, n.Attrs["mu"]), s.number(1)))
	return s.get(apply("Mul", value, s.get(apply("Div", s.number(1), above))))
}

// prox is max(v - b, 0), or v - clip(v, -b, b) = sign(v) max(|v| - b, 0), with v = u/(1 + mu t) and b =
// lambda t/(1 + mu t).
func prox(s *speaker, n *autodiff.Node, in []string) call {
	v := damp(s, n, in[0], in[1])
	b := damp(s, n, s.get(apply("Mul", penalty(s, n, in, 2), in[1])), in[1])
	if n.Attrs["nonnegative"] != 0 {
		return apply("Relu", s.get(apply("Sub", v, b)))
	}
	return apply("Sub", v, s.get(apply("Clip", v, s.get(apply("Neg", b)), b)))
}

// proxGrad is dz/(1 + mu t) where z is not 0, else 0.
func proxGrad(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Where", s.get(apply("Equal", in[0], s.number(0))), s.number(0), damp(s, n, in[1], in[2]))
}

// proxDStep is -<lambda sign(z) + mu z, dz>/(1 + mu t).
func proxDStep(s *speaker, n *autodiff.Node, in []string) call {
	along := s.get(apply("Mul", s.get(apply("Sign", in[0])), penalty(s, n, in, 3)))
	if n.Attrs["mu"] != 0 {
		along = s.get(apply("Add", along, s.times(in[0], n.Attrs["mu"])))
	}
	return apply("Neg", damp(s, n, sum(s, s.get(apply("Mul", along, in[1]))), in[2]))
}

// proxDLambda is -t <sign(z), dz>/(1 + mu t).
func proxDLambda(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Neg", damp(s, n, s.get(apply("Mul", signs(s, in), in[2])), in[2]))
}

// signs is <sign(a), b>.
func signs(s *speaker, in []string) string {
	return sum(s, s.get(apply("Mul", s.get(apply("Sign", in[0])), in[1])))
}

func solutionDLambda(s *speaker, _ *autodiff.Node, in []string) call {
	return apply("Neg", signs(s, in))
}

// move is g + decay w + momentum v.
func move(s *speaker, n *autodiff.Node, v, g, w string) call {
	d := s.get(apply("Add", g, s.times(w, n.Attrs["decay"])))
	return apply("Add", d, s.times(v, n.Attrs["momentum"]))
}

func velocity(s *speaker, n *autodiff.Node, in []string) call {
	return move(s, n, in[0], in[1], in[2])
}

func nesterov(s *speaker, n *autodiff.Node, in []string) call {
	rate := s.number(n.Attrs["rate"])
	if len(in) > 3 {
		rate = in[3]
	}
	return apply("Sub", in[0], s.get(apply("Mul", s.get(move(s, n, in[2], in[1], in[0])), rate)))
}
