package cases

import (
	"math"
	"math/big"

	"sdref/golden/graph"
)

// The operators once more, element by element, from their formulas, in numbers of 256 bits. Nothing is shared
// with package graph.

func num(v float64) *big.Float { return new(big.Float).SetPrec(256).SetFloat64(v) }

func plus(a, b *big.Float) *big.Float  { return num(0).Add(a, b) }
func less(a, b *big.Float) *big.Float  { return num(0).Sub(a, b) }
func times(a, b *big.Float) *big.Float { return num(0).Mul(a, b) }
func over(a, b *big.Float) *big.Float  { return num(0).Quo(a, b) }
func root(a *big.Float) *big.Float     { return num(0).Sqrt(a) }

// sum adds up term(0) to term(n-1).
func sum(n int, term func(i int) *big.Float) *big.Float {
	s := num(0)
	for i := range n {
		s.Add(s, term(i))
	}
	return s
}

// exp is the Taylor series at x/2^k, squared k times.
func exp(x *big.Float) *big.Float {
	const halvings = 40
	small := times(x, num(math.Ldexp(1, -halvings)))
	s, term := num(1), num(1)
	for i := 1; i < 12; i++ { // the rest is below 2^-400, x being below 2^10
		term = over(times(term, small), num(float64(i)))
		s = plus(s, term)
	}
	for range halvings {
		s = times(s, s)
	}
	return s
}

// log is Newton's method on exp.
func log(x *big.Float) *big.Float {
	f, _ := x.Float64()
	y := num(math.Log(f))
	for range 3 { // correct digits double: 15, 30, 60, 120
		y = plus(y, over(less(x, exp(y)), exp(y)))
	}
	return y
}

// args are one application of an operator.
type args struct {
	*graph.Node
	in []*graph.Tensor
}

func (a args) at(input, i int) *big.Float  { return num(a.in[input].Data[i]) }
func (a args) attr(name string) *big.Float { return num(a.Attrs[name]) }
func (a args) int(name string) int         { return int(a.Attrs[name]) }
func (a args) side(input, axis int) int    { return a.in[input].Shape[axis] }
func (a args) channels() int               { return a.side(0, 1) }
func (a args) area() int                   { return a.side(0, 2) * a.side(0, 3) }
func (a args) channel(i int) int           { return i / a.area() % a.channels() }
func (a args) perChannel() *big.Float      { return num(float64(a.side(0, 0) * a.area())) }

// image is element (n, c, i, j) of an input, 0 outside.
func (a args) image(input, n, c, i, j int) *big.Float {
	s := a.in[input].Shape
	if i < 0 || j < 0 || i >= s[2] || j >= s[3] {
		return num(0)
	}
	return a.at(input, ((n*s[1]+c)*s[2]+i)*s[3]+j)
}

// split is the index of element i of a tensor of four axes.
func split(shape []int, i int) (n, c, h, w int) {
	return i / (shape[1] * shape[2] * shape[3]), i / (shape[2] * shape[3]) % shape[1],
		i / shape[3] % shape[2], i % shape[3]
}

// channelSum adds term up over a channel's elements.
func (a args) channelSum(c int, term func(i int) *big.Float) *big.Float {
	return sum(a.side(0, 0)*a.area(), func(k int) *big.Float {
		return term((k/a.area()*a.channels()+c)*a.area() + k%a.area())
	})
}

// inverse is 1/sqrt(var + epsilon) of channel c.
func (a args) inverse(input, c int) *big.Float {
	return over(num(1), root(plus(a.at(input, c), a.attr("epsilon"))))
}

// shrink returns prox's factor and threshold, t being an input.
func (a args) shrink(t int) (factor, threshold *big.Float) {
	factor = over(num(1), plus(num(1), times(a.attr("mu"), a.at(t, 0))))
	return factor, times(times(a.attr("lambda"), a.at(t, 0)), factor)
}

// softmax returns the probability of class k of an image and the loss if it is the label.
func (a args) softmax(image, k int) (p, loss *big.Float) {
	classes := a.side(0, 1)
	total := sum(classes, func(j int) *big.Float { return exp(a.at(0, image*classes+j)) })
	x := a.at(0, image*classes+k)
	return over(exp(x), total), less(log(total), x)
}

// gelu returns (1 + tanh u)/2 = 1/(1 + exp(-2u)) and 2 du/dx, with u = sqrt(2/pi) (x + 0.044715 x^3), of element i.
func (a args) gelu(i int) (s, slope *big.Float) {
	pi, _, err := big.ParseFloat("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899", 10, 256, big.ToNearestEven)
	if err != nil {
		panic(err)
	}
	scale, cubic, square := times(num(2), root(over(num(2), pi))), over(num(44715), num(1e6)), times(a.at(0, i), a.at(0, i))
	u := times(times(scale, a.at(0, i)), plus(num(1), times(cubic, square)))
	return over(num(1), plus(num(1), exp(less(num(0), u)))), times(scale, plus(num(1), times(num(3), times(cubic, square))))
}

func (a args) label(image int) int { return int(a.in[1].Data[image]) }

// winner tells whether element i of the first input is the first largest of window q.
func (a args) winner(q int) (best int) {
	n, c, i, j := split(a.windows(), q)
	best = -1
	for u := range a.int("size") {
		for v := range a.int("size") {
			h, w := i*a.int("stride")-a.int("padding")+u, j*a.int("stride")-a.int("padding")+v
			if h < 0 || w < 0 || h >= a.side(0, 2) || w >= a.side(0, 3) {
				continue
			}
			at := ((n*a.channels()+c)*a.side(0, 2)+h)*a.side(0, 3) + w
			if best < 0 || a.in[0].Data[at] > a.in[0].Data[best] {
				best = at
			}
		}
	}
	return best
}

// windows is the shape of a max-pool's result.
func (a args) windows() []int {
	if len(a.in) > 1 {
		return a.in[1].Shape
	}
	return a.Shape
}
