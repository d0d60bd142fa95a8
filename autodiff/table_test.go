package autodiff

import (
	"math"
	"math/rand/v2"

	"sdref/conv"
	"sdref/tensor"
)

// A row is one operation with arguments to try it on. Every exported operation has at least one row: the tests of gradients
// and of bits run over the table.
type row[T tensor.Float] struct {
	op    string // the function's name
	name  string // what is special about this row
	args  []argument
	apply func(v []*Var[T]) *Var[T]
}

// argument is the shape and the values of one argument. All values are exact in float32, so that both element types compute
// from the same numbers.
type argument struct {
	shape []int
	fill  func(r *rand.Rand, dst []float64)
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

// kinkDistance is how far every value is from a place where a derivative jumps: more than the gradient test moves it.
const kinkDistance = 1. / 8

// offKinks returns a fill with normal numbers, each pushed away from 0 and from both signs of kink by kinkDistance.
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

// apart fills with numbers in random order that are all at least kinkDistance from each other, so that no maximum changes hands.
func apart(r *rand.Rand, dst []float64) {
	for i, p := range r.Perm(len(dst)) {
		dst[i] = (float64(p) - float64(len(dst))/2) * kinkDistance
	}
}

func plain(shape ...int) argument { return argument{shape, plainly} }

func convolution[T tensor.Float](name string, x, w []int, g conv.Geometry) row[T] {
	return row[T]{"Convolve", name, []argument{plain(x...), plain(w...)},
		func(v []*Var[T]) *Var[T] { return Convolve(v[0], v[1], g) }}
}

func transposed[T tensor.Float](name string, y, w []int, height, width int, g conv.Geometry) row[T] {
	return row[T]{"ConvolveTransposed", name, []argument{plain(y...), plain(w...)},
		func(v []*Var[T]) *Var[T] { return ConvolveTransposed(v[0], v[1], height, width, g) }}
}

func normalization[T tensor.Float](name string, x []int, training bool) row[T] {
	c := x[1]
	return row[T]{"BatchNorm", name, []argument{plain(x...), {[]int{c}, around1}, plain(c)},
		func(v []*Var[T]) *Var[T] {
			running := Running[T]{Mean: tensor.New[T](c), Var: tensor.New[T](c)}
			for i := range c {
				running.Mean.Data[i], running.Var.Data[i] = T(i)/4, 1+T(i)/8
			}
			return BatchNorm(v[0], v[1], v[2], running, training)
		}}
}

func shrinkage[T tensor.Float](name string, scale, threshold float64, nonnegative bool) row[T] {
	return row[T]{"Shrink", name, []argument{{[]int{2, 3, 5, 4}, offKinks(threshold / scale)}},
		func(v []*Var[T]) *Var[T] { return Shrink(v[0], T(scale), T(threshold), nonnegative) }}
}

// shrinkageBy has the kink at 0.375, which moves by 1/64 at most as t or lambda does.
func shrinkageBy[T tensor.Float](name string, mu float64, nonnegative bool) row[T] {
	return row[T]{"ShrinkBy", name, []argument{{[]int{2, 3, 5, 4}, offKinks(0.375)}, always(0.75), always(0.5)},
		func(v []*Var[T]) *Var[T] { return ShrinkBy(v[0], v[1], v[2], mu, nonnegative) }}
}

// always is a scalar of that value.
func always(value float64) argument {
	return argument{[]int{}, func(_ *rand.Rand, dst []float64) { dst[0] = value }}
}

// productOf is a*b, as a Custom operation.
func productOf[T tensor.Float](a, b *Var[T]) *Var[T] {
	y := ScaleBy(a.Keep().Detach(), a.tape.Constant(tensor.From([]T{1}, 1)))
	times(y.Value(), y.Value(), b.Value())
	return Custom(y, func(dst []*tensor.Tensor[T], dy, _ *tensor.Tensor[T], args []*tensor.Tensor[T], _ *tensor.Arena[T]) {
		for i, d := range dst {
			if d != nil {
				times(d, dy, args[1-i])
			}
		}
	}, a, b)
}

func times[T tensor.Float](dst, a, b *tensor.Tensor[T]) {
	for i := range dst.Data {
		dst.Data[i] = a.Data[i] * b.Data[i]
	}
}

func pooling[T tensor.Float](name string, x []int, size, stride, padding int) row[T] {
	return row[T]{"MaxPool", name, []argument{{x, apart}},
		func(v []*Var[T]) *Var[T] { return MaxPool(v[0], size, stride, padding) }}
}

// table returns all rows.
func table[T tensor.Float]() []row[T] {
	shape := []int{2, 3, 5, 4}
	return append(convolutions[T](), []row[T]{
		{"Add", "", []argument{plain(shape...), plain(shape...)}, func(v []*Var[T]) *Var[T] { return Add(v[0], v[1]) }},
		{"Add", "to itself", []argument{plain(shape...)}, func(v []*Var[T]) *Var[T] { return Add(v[0].Keep(), v[0]) }},
		{"AddScaled", "", []argument{plain(shape...), plain(shape...)},
			func(v []*Var[T]) *Var[T] { return AddScaled(v[0], v[1], T(-0.75)) }},
		{"AddScaled", "to itself", []argument{plain(shape...)},
			func(v []*Var[T]) *Var[T] { return AddScaled(v[0].Keep(), v[0], T(-0.75)) }},
		{"Scale", "", []argument{plain(shape...)}, func(v []*Var[T]) *Var[T] { return Scale(v[0], T(-1.25)) }},
		{"ScaleBy", "", []argument{plain(shape...), plain()}, func(v []*Var[T]) *Var[T] { return ScaleBy(v[0], v[1]) }},
		{"ScaleBy", "itself", []argument{plain(1)}, func(v []*Var[T]) *Var[T] { return ScaleBy(v[0].Keep(), v[0]) }},
		{"AddScaledBy", "", []argument{plain(shape...), plain(shape...), plain()},
			func(v []*Var[T]) *Var[T] { return AddScaledBy(v[0], v[1], v[2]) }},
		{"AddScaledBy", "to itself", []argument{plain(shape...), plain()},
			func(v []*Var[T]) *Var[T] { return AddScaledBy(v[0].Keep(), v[0], v[1]) }},
		shrinkageBy[T]("signed", 0, false),
		shrinkageBy[T]("nonnegative, elastic", 0.625, true),
		{"Custom", "", []argument{plain(shape...), plain(shape...)}, func(v []*Var[T]) *Var[T] { return productOf(v[0], v[1]) }},
		{"Custom", "of one value twice", []argument{plain(shape...)}, func(v []*Var[T]) *Var[T] { return productOf(v[0].Keep(), v[0]) }},
		{"ReLU", "", []argument{{shape, offKinks(0)}}, func(v []*Var[T]) *Var[T] { return ReLU(v[0]) }},
		shrinkage[T]("signed", 1, 0.5, false),
		shrinkage[T]("nonnegative", 1, 0.5, true),
		shrinkage[T]("signed, elastic", 0.625, 0.375, false), // mu*t = 0.6, lambda*t = 0.6
		shrinkage[T]("nonnegative, elastic", 0.625, 0.375, true),
		normalization[T]("training", []int{4, 3, 5, 2}, true),
		normalization[T]("training, one pixel", []int{6, 5, 1, 1}, true),
		normalization[T]("evaluation", []int{4, 3, 5, 2}, false),
		pooling[T]("3/2/1, odd", []int{2, 3, 7, 5}, 3, 2, 1),
		pooling[T]("3/2/1, even", []int{2, 3, 6, 8}, 3, 2, 1),
		pooling[T]("2/2/0", []int{2, 3, 7, 6}, 2, 2, 0),
		pooling[T]("3/1/1", []int{1, 2, 4, 5}, 3, 1, 1),
		pooling[T]("2/3/0, gaps between windows", []int{1, 2, 8, 9}, 2, 3, 0),
		{"AveragePool", "", []argument{plain(3, 4, 5, 2)}, func(v []*Var[T]) *Var[T] { return AveragePool(v[0]) }},
		{"Linear", "", []argument{plain(5, 7), plain(3, 7), plain(3)},
			func(v []*Var[T]) *Var[T] { return Linear(v[0], v[1], v[2]) }},
		{"Linear", "one image", []argument{plain(1, 6), plain(4, 6), plain(4)},
			func(v []*Var[T]) *Var[T] { return Linear(v[0], v[1], v[2]) }},
		{"CrossEntropy", "", []argument{plain(4, 10)}, func(v []*Var[T]) *Var[T] { return CrossEntropy(v[0], []int{0, 9, 3, 3}) }},
	}...)
}

// convolutions has every setting of a geometry, and each size where one more row of x would give the same y.
func convolutions[T tensor.Float]() []row[T] {
	three, stride := conv.Geometry{Padding: 1}, conv.Geometry{Stride: 2, Padding: 1}
	open := conv.Geometry{Stride: 2, Padding: 1, OutputPadding: 1}
	return []row[T]{
		convolution[T]("3x3, padding 1", []int{2, 3, 5, 4}, []int{6, 3, 3, 3}, three),
		convolution[T]("no padding, 2x3", []int{2, 3, 6, 5}, []int{4, 3, 2, 3}, conv.Geometry{}),
		convolution[T]("1x1", []int{3, 5, 2, 4}, []int{2, 5, 1, 1}, conv.Geometry{}),
		convolution[T]("stride 2, odd", []int{2, 3, 7, 5}, []int{4, 3, 3, 3}, stride),
		convolution[T]("stride 2, even", []int{2, 3, 6, 8}, []int{4, 3, 3, 3}, stride),
		convolution[T]("stride 2, 1x1, even", []int{2, 3, 6, 4}, []int{4, 3, 1, 1}, conv.Geometry{Stride: 2}),
		convolution[T]("stride 3, dilation 2", []int{1, 2, 11, 12}, []int{3, 2, 3, 2}, conv.Geometry{Stride: 3, Padding: 2, Dilation: 2}),
		convolution[T]("one axis, stride 2, padding 2", []int{2, 3, 8}, []int{4, 3, 5}, conv.Geometry{Stride: 2, Padding: 2}),
		convolution[T]("no axis", []int{4, 5}, []int{7, 5}, conv.Geometry{}),
		transposed[T]("one axis, stride 2, size given", []int{2, 4, 4}, []int{4, 3, 5}, 1, 8, conv.Geometry{Stride: 2, Padding: 2}),
		transposed[T]("no axis", []int{4, 7}, []int{7, 5}, 1, 1, conv.Geometry{}),
		transposed[T]("3x3, padding 1", []int{2, 6, 5, 4}, []int{6, 3, 3, 3}, 0, 0, three),
		transposed[T]("1x1", []int{3, 2, 4, 5}, []int{2, 5, 1, 1}, 0, 0, conv.Geometry{}),
		transposed[T]("stride 2", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 0, 0, stride),
		transposed[T]("stride 2, output padding", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 0, 0, open),
		transposed[T]("stride 2, size given, odd and even", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 7, 6, stride),
		transposed[T]("stride 2, size given, even and odd", []int{2, 4, 4, 3}, []int{4, 3, 3, 3}, 8, 5, stride),
		transposed[T]("stride 3, dilation 2", []int{1, 3, 3, 4}, []int{3, 2, 3, 2}, 0, 0, conv.Geometry{Stride: 3, Padding: 2, Dilation: 2}),
	}
}

// title names the row in messages.
func (r row[T]) title() string {
	if r.name == "" {
		return r.op
	}
	return r.op + " " + r.name
}

// draw returns the row's arguments, the same numbers for both element types.
func (r row[T]) draw(seed uint64) []*tensor.Tensor[T] {
	source := rand.New(rand.NewPCG(seed, 1))
	list := make([]*tensor.Tensor[T], len(r.args))
	for i, a := range r.args {
		t := tensor.New[float64](a.shape...)
		a.fill(source, t.Data)
		list[i] = tensor.Convert[T](t)
	}
	return list
}
