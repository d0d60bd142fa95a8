package onnx

import "sdref/autodiff"

// The operators that losses of one's own are made of.

func mul(_ *speaker, _ *autodiff.Node, in []string) call { return apply("Mul", in[0], in[1]) }

func sumAll(s *speaker, n *autodiff.Node, in []string) call {
	return apply("Div", sum(s, in[0]), s.number(n.Attrs["divisor"]))
}

func sumGrad(s *speaker, n *autodiff.Node, in []string) call {
	share := s.get(apply("Div", in[0], s.number(n.Attrs["divisor"])))
	if len(n.Shape) == 0 {
		return apply("Identity", share)
	}
	return apply("Expand", share, s.ints(n.Shape...))
}

func exp(_ *speaker, _ *autodiff.Node, in []string) call { return apply("Exp", in[0]) }

func log(_ *speaker, _ *autodiff.Node, in []string) call { return apply("Log", in[0]) }

func logGrad(_ *speaker, _ *autodiff.Node, in []string) call { return apply("Div", in[1], in[0]) }

func one(s *speaker, _ *autodiff.Node, _ []string) call { return apply("Identity", s.number(1)) }
