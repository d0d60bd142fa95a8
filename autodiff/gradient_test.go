package autodiff

import (
	"math"
	"slices"
	"testing"

	"sdref/tensor"
)

// gradients returns a row's value and the gradients of <seed, value> with respect to the wanted arguments;
// spoil, if it is not nil, may change the row's node before that.
func gradients[T tensor.Float](r row, seed uint64, wanted func(in []*Node) []*Node,
	spoil func(y *Node)) (y *tensor.Tensor[T], list []*tensor.Tensor[T]) {
	in, node := r.start()
	if spoil != nil {
		spoil(node)
	}
	v := draw[T](r, seed, in)
	weights := node.Graph().Input("seed", node.Shape...)
	v[weights] = normal[T](7, node.Shape...)
	list = evaluate(v, append([]*Node{node}, Backward(node, weights, wanted(in)...)...)...)
	return list[0], list[1:]
}

// newSlopes are the slopes of a row. With this step values approach each other by a quarter of the distance that the table keeps
// from kinks.
func newSlopes(r row, seed uint64) (in []*Node, s *slopes) {
	in, y := r.start()
	return in, &slopes{y, programOf[float64](y), draw[float64](r, seed, in), normal[float64](7, y.Shape...), kinkDistance / 8}
}

// gradientError is the largest relative difference, over three random directions for each argument, between
// the slope along the direction and the inner product of direction and gradient. spoil may change the row's
// operator, damage a gradient.
func gradientError(r row, spoil func(y *Node),
	damage func(i int, g *tensor.Tensor[float64])) (worst float64) {
	in, s := newSlopes(r, 1)
	_, list := gradients[float64](r, 1, r.wanted, spoil)
	for i, argument := range r.wanted(in) {
		g := list[i]
		if damage != nil {
			damage(i, g)
		}
		worst = max(worst, s.compare(argument, g))
	}
	return worst
}

// gradientTolerance bounds gradientError. The table's rows stay below 2e-11, and an error in one element of a
// gradient that is a hundred thousandth of the whole shows (TestGradientTestCanFail).
const gradientTolerance = 1e-10

func TestGradients(t *testing.T) {
	worst, seen := 0.0, map[string]bool{}
	for _, r := range table() {
		in, y := r.start()
		if len(r.wanted(in)) == 0 {
			continue
		}
		seen[y.Op.Name] = true
		e := gradientError(r, nil, nil)
		if !(e <= gradientTolerance) {
			t.Errorf("%s: relative error %.1e", r.name, e)
		}
		worst = max(worst, e)
	}
	for _, op := range Ops() {
		if op.Pull != nil && !seen[op.Name] {
			t.Errorf("no row has the gradient of %s", op.Name)
		}
	}
	t.Logf("largest relative error %.1e", worst)
}

// Every gradient of every row in turn is made wrong in one element, by a hundred thousandth of its norm.
func TestGradientTestCanFail(t *testing.T) {
	for _, r := range table() {
		in, _ := r.start()
		for which := range r.wanted(in) {
			e := gradientError(r, nil, func(i int, g *tensor.Tensor[float64]) {
				if i == which {
					g.Data[len(g.Data)/2] += 1e-5 * math.Sqrt(tensor.SumSquares(g))
				}
			})
			if e <= gradientTolerance {
				t.Errorf("%s: the test does not see a wrong gradient of argument %d: relative error %.1e",
					r.name, which, e)
			}
		}
	}
}

// rowOf finds a row by its name.
func rowOf(name string) row {
	rows := table()
	return rows[slices.IndexFunc(rows, func(r row) bool { return r.name == name })]
}

// Mistakes that keep shapes and sizes plausible.
func TestGradientTestSeesTypicalMistakes(t *testing.T) {
	type pull = func(b *Gradient, n *Node, i int, dy *Node) *Node
	for _, c := range []struct {
		name, mistake string
		spoil         func(right pull) pull
	}{
		{"axpy", "pullbacks exchanged", func(pull) pull {
			return func(_ *Gradient, n *Node, i int, dy *Node) *Node {
				if i == 0 {
					return Scale(dy, n.Attrs["scale"], nil)
				}
				return dy
			}
		}},
		{"batchnorm training", "the batch's statistics taken for constants", func(right pull) pull {
			return func(b *Gradient, n *Node, i int, dy *Node) *Node {
				evaluation := *n
				evaluation.Attrs = Attrs{"epsilon": n.Attrs["epsilon"]}
				return right(b, &evaluation, i, dy)
			}
		}},
		{"scale", "factor forgotten", func(pull) pull {
			return func(_ *Gradient, _ *Node, _ int, dy *Node) *Node { return dy }
		}},
		{"prox elastic", "factor forgotten", func(pull) pull {
			return func(b *Gradient, n *Node, i int, dz *Node) *Node {
				if i == 1 {
					return Apply(proxDStepOp, n.Attrs, n, dz, n.Inputs[1])
				}
				return Apply(proxGradOp, nil, n, dz, n.Inputs[1])
			}
		}},
	} {
		e := gradientError(rowOf(c.name), func(y *Node) {
			op := *y.Op
			op.Pull = c.spoil(op.Pull)
			y.Op = &op
		}, nil)
		if e < 1e-3 {
			t.Errorf("%s, %s: relative error only %.1e", c.name, c.mistake, e)
		}
	}
}

// A gradient is the same whether or not those of the other arguments are wanted.
func TestUnwantedGradients(t *testing.T) {
	for _, r := range table() {
		in, _ := r.start()
		n := len(r.wanted(in))
		if n < 2 {
			continue
		}
		y, want := gradients[float32](r, 2, r.wanted, nil)
		for i := range n {
			alone := func(in []*Node) []*Node { return r.wanted(in)[i : i+1] }
			only, got := gradients[float32](r, 2, alone, nil)
			mustEqual(t, r.name, only, y)
			mustEqual(t, r.name+": gradient wanted alone", got[0], want[i])
		}
	}
}

// singleTolerance bounds the difference between float32 and float64 gradients of the same numbers, relative
// to the largest element: some ten roundings of 2^-24 = 6e-8 each.
const singleTolerance = 1e-6

func TestSinglePrecisionGradients(t *testing.T) {
	worst := 0.0
	for _, r := range table() {
		in, _ := r.start()
		if len(r.wanted(in)) == 0 {
			continue
		}
		_, got := gradients[float32](r, 3, r.wanted, nil)
		_, want := gradients[float64](r, 3, r.wanted, nil)
		for i := range got {
			difference, largest := 0.0, 0.0
			for at, w := range want[i].Data {
				difference = max(difference, math.Abs(float64(got[i].Data[at])-w))
				largest = max(largest, math.Abs(w))
			}
			if !(difference <= singleTolerance*largest) {
				t.Errorf("%s, argument %d: float32 and float64 differ by %.1e of the largest element", r.name,
					i, difference/largest)
			}
			worst = max(worst, difference/largest)
		}
	}
	t.Logf("largest difference %.1e of the largest element", worst)
}
