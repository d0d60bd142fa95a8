package autodiff

import (
	"fmt"
	"math"
	"slices"

	"sdref/tensor"
)

// GradientCheck compares the gradients of a function of one's own, in float64, with differences of its values.
type GradientCheck struct {
	// F writes the function down: from its arguments, inputs of a new graph, to its value, of any shape.
	F func(arguments []*Node) *Node
	// At are the arguments' values. Keep them off places where a derivative jumps, by twice the Step.
	At []*tensor.Tensor[float64]
	// Constant lists arguments, by number, that have no gradient, such as labels.
	Constant []int
	// Step is the largest step of the differences; 0 means 1/64. Their errors in the second and fourth power of it cancel.
	Step float64
}

// directions is the number of random directions along which each gradient is compared.
const directions = 3

// Errors returns, for each argument that is not constant, the largest relative difference between the slope along a random direction
// and the inner product of direction and gradient. With y = F(x) the slope is that of <s, y> for fixed random s. A right gradient of
// a smooth function comes out below 1e-9; a wrong one stays where it is for any Step. It panics, as Backward does, if no gradient
// reaches an argument.
func (c GradientCheck) Errors() (list []float64) {
	g := NewGraph()
	var in, wanted []*Node
	s := &slopes{values: map[*Node]*tensor.Tensor[float64]{}, step: c.Step}
	for i, t := range c.At {
		n := g.Input(fmt.Sprintf("argument%d", i), t.Shape...)
		in, s.values[n] = append(in, n), t
		if !slices.Contains(c.Constant, i) {
			wanted = append(wanted, n)
		}
	}
	s.y = c.F(in)
	s.program = NewProgram(NewPlan(Wanted{Outputs: []*Node{s.y}}), tensor.NewArena[float64]())
	s.seed = tensor.New[float64](s.y.Shape...)
	tensor.FillUniform(s.seed, 1, 0.5, 1)
	if s.step == 0 {
		s.step = 1. / 64
	}
	seed := g.Input("seed of the check", s.y.Shape...)
	gradients := Backward(s.y, seed, wanted...)
	p := NewProgram(NewPlan(Wanted{Outputs: gradients}), tensor.NewArena[float64]())
	for n, t := range s.values {
		p.Set(n, t)
	}
	p.Set(seed, s.seed)
	p.Run()
	for i, n := range wanted {
		list = append(list, s.compare(n, p.Value(gradients[i])))
	}
	return list
}

// slopes computes the derivatives of <seed, y> along directions.
type slopes struct {
	y       *Node
	program *Program[float64] // of y
	values  map[*Node]*tensor.Tensor[float64]
	seed    *tensor.Tensor[float64]
	step    float64
}

// compare is the largest relative difference, over some random directions, between the slope along the direction and the inner
// product of direction and gradient.
func (s *slopes) compare(argument *Node, gradient *tensor.Tensor[float64]) (worst float64) {
	for k := range uint64(directions) {
		direction := tensor.New[float64](gradient.Shape...)
		tensor.FillUniform(direction, 100+k, 1, 0)
		want := s.along(argument, direction)
		if got := tensor.Dot(gradient, direction); got != want {
			worst = max(worst, math.Abs(got-want)/math.Abs(want))
		}
	}
	return worst
}

// along is the derivative as an argument moves along direction, from central differences D at steps h, h/2 and h/4, whose errors in
// h^2 and h^4 Richardson's extrapolation takes out. Where f is linear between kinks every D is exact but for rounding. Directions
// have elements below 1 in magnitude, so values move by at most h and approach each other by at most 2h.
func (s *slopes) along(argument *Node, direction *tensor.Tensor[float64]) float64 {
	at := func(step float64) float64 {
		moved := s.values[argument].Clone()
		tensor.AddScaled(moved, moved, direction, step)
		for n, t := range s.values {
			s.program.Set(n, t)
		}
		s.program.Set(argument, moved)
		s.program.Run()
		return tensor.Dot(s.program.Value(s.y), s.seed)
	}
	central := func(h float64) float64 { return float64(at(h)-at(-h)) / (2 * h) }
	d1, d2, d4 := central(s.step), central(s.step/2), central(s.step/4)
	r1, r2 := (float64(4*d2)-d1)/3, (float64(4*d4)-d2)/3
	return (float64(16*r2) - r1) / 15
}
