package autodiff

import (
	"math"
	"math/rand/v2"

	"sdref/conv"
	"sdref/tensor"
)

// A row is one operator with arguments to try it on. Every operator has at least one row, or appears in the
// gradient of one: the tests of values, of gradients and of bits run over the table.
type row struct {
	name  string
	args  []argument
	build func(v []*Node) *Node
}

// argument is the shape and the values of one argument. All values are exact in float32, so that both element
// types compute from the same numbers.
type argument struct {
	shape    []int
	fill     func(r *rand.Rand, dst []float64)
	constant bool // no gradient reaches it
}

// plainly fills with normal numbers.
func plainly(r *rand.Rand, dst []float64) {
	for i := range dst {
		dst[i] = float64(float32(r.NormFloat64()))
	}
}

// around1 fills with positive numbers in [0.5, 1.5).
func around1(r *rand.Rand, dst []float64) {
	for i := range dst {
		dst[i] = float64(0.5 + r.Float32())
	}
}

// kinkDistance is how far every value is from a place where a derivative jumps: more than the gradient test
// moves it.
const kinkDistance = 1. / 8

// offKinks returns a fill with normal numbers, each pushed away from 0 and from both signs of kink by
// kinkDistance.
func offKinks(kink float64) func(r *rand.Rand, dst []float64) {
	return func(r *rand.Rand, dst []float64) {
		for i := range dst {
			v := r.NormFloat64()
			for math.Abs(v) < kinkDistance || math.Abs(math.Abs(v)-kink) < kinkDistance {
				v = r.NormFloat64()
			}
			dst[i] = float64(float32(v))
		}
	}
}

// apart fills with numbers in random order that are all at least kinkDistance from each other, so that no
// maximum changes hands.
func apart(r *rand.Rand, dst []float64) {
	for i, p := range r.Perm(len(dst)) {
		dst[i] = (float64(p) - float64(len(dst))/2) * kinkDistance
	}
}

// exactly is those values.
func exactly(values ...float64) func(r *rand.Rand, dst []float64) {
	return func(_ *rand.Rand, dst []float64) { copy(dst, values) }
}

func plain(shape ...int) argument { return argument{shape: shape, fill: plainly} }

// fixed is plain without a gradient.
func fixed(shape ...int) argument { return argument{shape: shape, fill: plainly, constant: true} }

// always is a scalar of that value.
func always(value float64) argument { return argument{shape: []int{}, fill: exactly(value)} }

// start returns a graph with the row's arguments as inputs and the row's result.
func (r row) start() (in []*Node, y *Node) {
	g := NewGraph()
	for i, a := range r.args {
		in = append(in, g.Input(string(rune('a'+i)), a.shape...))
	}
	return in, r.build(in)
}

// wanted lists the arguments that have a gradient.
func (r row) wanted(in []*Node) (list []*Node) {
	for i, a := range r.args {
		if !a.constant {
			list = append(list, in[i])
		}
	}
	return list
}

// draw returns the row's arguments, the same numbers for both element types.
func draw[T tensor.Float](r row, seed uint64, in []*Node) values[T] {
	source := rand.New(rand.NewPCG(seed, 1))
	v := values[T]{}
	for i, a := range r.args {
		t := tensor.New[float64](a.shape...)
		a.fill(source, t.Data)
		v[in[i]] = tensor.Convert[T](t)
	}
	return v
}

var odd = []int{2, 3, 5, 7}

// table returns all rows.
func table() (list []row) {
	list = append(list, convolutions()...)
	list = append(list, linearRows()...)
	list = append(list, proxRows()...)
	list = append(list, imageRows()...)
	list = append(list, lossRows()...)
	return append(list, measures()...)
}

// convolutions has every setting of a geometry, and each size where one more row of x would give the same y.
func convolutions() []row {
	analysis := func(name string, x, w []int, g conv.Geometry) row {
		return row{"analysis " + name, []argument{plain(x...), plain(w...)},
			func(v []*Node) *Node { return Analysis(v[0], v[1], g) }}
	}
	synthesis := func(name string, z, w []int, height, width int, g conv.Geometry) row {
		return row{"synthesis " + name, []argument{plain(z...), plain(w...)},
			func(v []*Node) *Node { return Synthesis(v[0], v[1], height, width, g) }}
	}
	three, stride := conv.Geometry{Padding: 1}, conv.Geometry{Stride: 2, Padding: 1}
	gaps := conv.Geometry{Stride: 3, Padding: 2, Dilation: 2}
	return []row{
		analysis("3x3, padding 1", []int{2, 3, 5, 4}, []int{6, 3, 3, 3}, three),
		analysis("no padding, 2x3", []int{2, 3, 6, 5}, []int{4, 3, 2, 3}, conv.Geometry{}),
		analysis("1x1", []int{3, 5, 2, 4}, []int{2, 5, 1, 1}, conv.Geometry{}),
		analysis("stride 2, odd", []int{2, 3, 7, 5}, []int{4, 3, 3, 3}, stride),
		analysis("stride 2, even", []int{2, 3, 6, 8}, []int{4, 3, 3, 3}, stride),
		analysis("stride 2, 1x1, even", []int{2, 3, 6, 4}, []int{4, 3, 1, 1}, conv.Geometry{Stride: 2}),
		analysis("stride 3, dilation 2", []int{1, 2, 11, 12}, []int{3, 2, 3, 2}, gaps),
		analysis("one axis, stride 2, padding 2", []int{2, 3, 8}, []int{4, 3, 5},
			conv.Geometry{Stride: 2, Padding: 2}),
		analysis("no axis", []int{4, 5}, []int{7, 5}, conv.Geometry{}),
		{"analysis of the kernel itself", []argument{plain(3, 3, 3, 3)},
			func(v []*Node) *Node { return Analysis(v[0], v[0], conv.Geometry{Padding: 1}) }},
		synthesis("one axis, stride 2", []int{2, 4, 4}, []int{4, 3, 5}, 1, 8,
			conv.Geometry{Stride: 2, Padding: 2}),
		synthesis("no axis", []int{4, 7}, []int{7, 5}, 1, 1, conv.Geometry{}),
		synthesis("3x3, padding 1", []int{2, 6, 5, 4}, []int{6, 3, 3, 3}, 5, 4, three),
		synthesis("1x1", []int{3, 2, 4, 5}, []int{2, 5, 1, 1}, 4, 5, conv.Geometry{}),
		synthesis("stride 2, odd", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 7, 5, stride),
		synthesis("stride 2, odd and even", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 7, 6, stride),
		synthesis("stride 2, even and odd", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 8, 5, stride),
		synthesis("stride 3, dilation 2", []int{1, 3, 3, 4}, []int{3, 2, 3, 2}, 7, 8, gaps),
	}
}

func linearRows() []row {
	return []row{
		{"linear", []argument{plain(5, 7), plain(3, 7), plain(3)},
			func(v []*Node) *Node { return Linear(v[0], v[1], v[2]) }},
		{"linear, one image", []argument{plain(1, 6), plain(4, 6), plain(4)},
			func(v []*Node) *Node { return Linear(v[0], v[1], v[2]) }},
		{"linear of itself", []argument{plain(3, 7), plain(3)},
			func(v []*Node) *Node { return Linear(v[0], v[0], v[1]) }},
		{"add", []argument{plain(odd...), plain(odd...)}, func(v []*Node) *Node { return Add(v[0], v[1]) }},
		{"add to itself", []argument{plain(odd...)}, func(v []*Node) *Node { return Add(v[0], v[0]) }},
		{"add four, one twice", []argument{plain(odd...), plain(odd...), plain(odd...)},
			func(v []*Node) *Node { return Add(v[0], v[1], v[2], v[1]) }},
		{"add alone", []argument{plain(odd...)}, func(v []*Node) *Node { return Add(v[0]) }},
		{"axpy", []argument{plain(odd...), plain(odd...)},
			func(v []*Node) *Node { return Axpy(v[0], v[1], -0.75, nil) }},
		{"axpy, 1", []argument{plain(odd...), plain(odd...)},
			func(v []*Node) *Node { return Axpy(v[0], v[1], 1, nil) }},
		{"axpy to itself", []argument{plain(odd...)},
			func(v []*Node) *Node { return Axpy(v[0], v[0], -0.75, nil) }},
		{"axpy by t", []argument{plain(odd...), plain(odd...), plain()},
			func(v []*Node) *Node { return Axpy(v[0], v[1], 1.5, v[2]) }},
		{"axpy to itself by t", []argument{plain(odd...), plain()},
			func(v []*Node) *Node { return Axpy(v[0], v[0], 1, v[1]) }},
		{"axpy of numbers by itself", []argument{always(0.75)},
			func(v []*Node) *Node { return Axpy(v[0], v[0], 1, v[0]) }},
		{"scale", []argument{plain(odd...)}, func(v []*Node) *Node { return Scale(v[0], -1.25, nil) }},
		{"scale by t", []argument{plain(odd...), plain()},
			func(v []*Node) *Node { return Scale(v[0], 1.5, v[1]) }},
		{"scale itself", []argument{plain()}, func(v []*Node) *Node { return Scale(v[0], -2, v[0]) }},
		{"extrapolate", []argument{plain(odd...), plain(odd...)},
			func(v []*Node) *Node { return Extrapolate(v[0], v[1], 0.375) }},
		{"extrapolate itself", []argument{plain(odd...)},
			func(v []*Node) *Node { return Extrapolate(v[0], v[0], 0.375) }},
	}
}

// proxRows have the kink of u at 0.375, which moves by 1/64 at most as t or lambda does, or at 0.5.
func proxRows() []row {
	prox := func(name string, input bool, s Shrinkage) row {
		args := []argument{{shape: odd, fill: offKinks(0.375)}, always(0.75)}
		if input {
			args, s.Lambda = append(args, always(0.5)), 0
		}
		return row{"prox " + name, args, func(v []*Node) *Node {
			if input {
				return Prox(v[0], v[1], v[2], s)
			}
			return Prox(v[0], v[1], nil, s)
		}}
	}
	return []row{
		prox("signed", false, Shrinkage{Lambda: 0.5}),
		prox("nonnegative", false, Shrinkage{Lambda: 0.5, Nonnegative: true}),
		prox("elastic", false, Shrinkage{Lambda: 0.5, Mu: 0.625}),
		prox("nonnegative, elastic", false, Shrinkage{Lambda: 0.5, Mu: 0.625, Nonnegative: true}),
		prox("signed, by lambda", true, Shrinkage{}),
		prox("nonnegative, elastic, by lambda", true, Shrinkage{Mu: 0.625, Nonnegative: true}),
		{"relu", []argument{{shape: odd, fill: offKinks(0)}}, func(v []*Node) *Node { return ReLU(v[0]) }},
		{"gelu", []argument{plain(odd...)}, func(v []*Node) *Node { return GELU(v[0]) }},
	}
}

func imageRows() []row {
	norm := func(name string, x []int, training bool) row {
		c := x[1]
		args := []argument{plain(x...), {shape: []int{c}, fill: around1}, plain(c), fixed(c),
			{[]int{c}, around1, true}}
		return row{"batchnorm " + name, args, func(v []*Node) *Node {
			y, _, _ := BatchNorm("bn", v[0], Norm{v[1], v[2], v[3], v[4], 1e-5, 0.1}, training)
			return y
		}}
	}
	pool := func(name string, x []int, size, stride, padding int) row {
		return row{"max_pool " + name, []argument{{shape: x, fill: apart}},
			func(v []*Node) *Node { return MaxPool(v[0], size, stride, padding) }}
	}
	return []row{
		{"bias", []argument{plain(3, 4, 2, 5), plain(4)}, func(v []*Node) *Node { return Bias(v[0], v[1]) }},
		norm("training", []int{4, 3, 5, 2}, true),
		norm("training, one pixel", []int{6, 5, 1, 1}, true),
		norm("evaluation", []int{4, 3, 5, 2}, false),
		{"batchnorm, gamma is beta",
			[]argument{plain(4, 3, 5, 2), plain(3), fixed(3), {[]int{3}, around1, true}},
			func(v []*Node) *Node {
				y, _, _ := BatchNorm("bn", v[0], Norm{v[1], v[1], v[2], v[3], 1e-5, 0.1}, true)
				return y
			}},
		pool("3/2/1, odd", []int{2, 3, 7, 5}, 3, 2, 1),
		pool("3/2/1, even", []int{2, 3, 6, 8}, 3, 2, 1),
		pool("2/2/0", []int{2, 3, 7, 6}, 2, 2, 0),
		pool("3/1/1", []int{1, 2, 4, 5}, 3, 1, 1),
		pool("2/3/0, gaps between windows", []int{1, 2, 8, 9}, 2, 3, 0),
		{"average_pool", []argument{plain(3, 4, 5, 2)}, func(v []*Node) *Node { return AveragePool(v[0]) }},
		{"cross_entropy", []argument{plain(4, 10), {[]int{4}, exactly(0, 9, 3, 3), true}},
			func(v []*Node) *Node { return CrossEntropy(v[0], v[1]) }},
	}
}

// lossRows are what losses are made of.
func lossRows() []row {
	positive := argument{shape: odd, fill: around1}
	return []row{
		{"mul", []argument{plain(odd...), plain(odd...)}, func(v []*Node) *Node { return Mul(v[0], v[1]) }},
		{"mul by itself", []argument{plain(odd...)}, func(v []*Node) *Node { return Mul(v[0], v[0]) }},
		{"sum", []argument{plain(odd...)}, func(v []*Node) *Node { return Sum(v[0]) }},
		{"sum of a number", []argument{plain()}, func(v []*Node) *Node { return Sum(v[0]) }},
		{"mean", []argument{plain(odd...)}, func(v []*Node) *Node { return Mean(v[0]) }},
		{"exp", []argument{positive}, func(v []*Node) *Node { return Exp(v[0]) }},
		{"log", []argument{positive}, func(v []*Node) *Node { return Log(v[0]) }},
	}
}

// measures are the operators that have no gradient.
func measures() []row {
	d := Descent{Rate: 0.375, Momentum: 0.875, Decay: 0.0625}
	return []row{
		{"one", []argument{{[]int{}, around1, true}}, func(v []*Node) *Node { return Apply(oneOp, nil, v[0]) }},
		{"dot", []argument{fixed(odd...), fixed(odd...)},
			func(v []*Node) *Node { return Dot(v[0], v[1], -1.5) }},
		{"sum_squares", []argument{fixed(odd...)}, func(v []*Node) *Node { return SumSquares(v[0]) }},
		{"distance", []argument{fixed(odd...), fixed(odd...)},
			func(v []*Node) *Node { return Distance(v[0], v[1]) }},
		{"unit", []argument{fixed(odd...)}, func(v []*Node) *Node { return Unit(v[0]) }},
		{"unit of zero", []argument{{[]int{3}, exactly(0, 0, 0), true}},
			func(v []*Node) *Node { return Unit(v[0]) }},
		{"unit_atoms", []argument{fixed(9, 3, 5, 3)}, func(v []*Node) *Node { return UnitAtoms(v[0]) }},
		{"unit_atoms, one is zero", []argument{{[]int{2, 2}, exactly(3, 4, 0, 0), true}},
			func(v []*Node) *Node { return UnitAtoms(v[0]) }},
		{"step", []argument{{[]int{}, around1, true}}, func(v []*Node) *Node { return StepSize(v[0], 0.9) }},
		{"step of a wide value", []argument{fixed(odd...)},
			func(v []*Node) *Node { return StepSize(SumSquares(v[0]), 0.9) }},
		{"rounds", []argument{{[]int{}, exactly(2), true}, {[]int{}, exactly(0.5), true},
			{[]int{}, exactly(0.25), true}},
			func(v []*Node) *Node { return Rounds(0.5, v...) }},
		{"rounds, all", []argument{{[]int{}, exactly(2), true}, {[]int{}, exactly(3), true}},
			func(v []*Node) *Node { return Rounds(0.5, v...) }},
		{"velocity", []argument{fixed(37, 41), fixed(37, 41), fixed(37, 41)},
			func(v []*Node) *Node { return Velocity(v[0], v[1], v[2], d) }},
		{"nesterov", []argument{fixed(37, 41), fixed(37, 41), fixed(37, 41)},
			func(v []*Node) *Node { return Nesterov(v[0], v[1], v[2], nil, d) }},
		{"nesterov by rate", []argument{fixed(7), fixed(7), fixed(7), fixed()},
			func(v []*Node) *Node { return Nesterov(v[0], v[1], v[2], v[3], d) }},
		{"nesterov after velocity", []argument{fixed(37, 41), fixed(37, 41), fixed(37, 41)},
			func(v []*Node) *Node { return Nesterov(v[2], v[1], Velocity(v[0], v[1], v[2], d), nil, d) }},
	}
}
