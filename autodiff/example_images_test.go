package autodiff_test

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

func ones(shape ...int) *tensor.Tensor[float64] {
	t := tensor.New[float64](shape...)
	t.Fill(1)
	return t
}

// The kernel is not flipped: y[i,j] = sum of w[u,v] x[i+u,j+v], as PyTorch's conv2d. Of a sum of y, the
// gradient of w is what each tap saw, and that of x which taps each pixel met.
func ExampleAnalysis() {
	g := autodiff.NewGraph()
	x := g.Input("x", 1, 1, 3, 3) // images, channels, rows, columns
	w := g.Input("w", 1, 1, 2, 2) // atoms, channels, rows, columns
	y := autodiff.Analysis(x, w, conv.Geometry{})
	d := autodiff.Backward(y, g.Input("seed", y.Shape...), w, x)
	show(list(tensor.From([]float64{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9}, 1, 1, 3, 3), tensor.From([]float64{
		1, 0,
		0, 10}, 1, 1, 2, 2), ones(1, 1, 2, 2)), y, d[0], d[1])
	// Output:
	// analysis_1 [51 62 84 95]
	// grad/w [12 16 24 28]
	// grad/x [1 1 0 1 11 10 0 10 10]
}

func ExampleAnalysis_stride() {
	g := autodiff.NewGraph()
	w := g.Input("w", 8, 3, 3, 3)
	for _, side := range []int{31, 32} { // two sizes of x, one size of y
		x := g.Input(fmt.Sprint("x", side), 10, 3, side, side)
		fmt.Println(autodiff.Analysis(x, w, conv.Geometry{Stride: 2, Padding: 1}))
	}
	// Output:
	// analysis_1 = analysis(x31, w; dilation 1, padding 1, stride 2) [10 8 16 16]
	// analysis_2 = analysis(x32, w; dilation 1, padding 1, stride 2) [10 8 16 16]
}

// Each element of the code puts a copy of its atom into the signal. With a stride, codes of one size belong
// to signals of several: height and width say which.
func ExampleSynthesis() {
	g := autodiff.NewGraph()
	z, w := g.Input("z", 1, 1, 1, 3), g.Input("w", 1, 1, 1, 3) // one atom
	geometry := conv.Geometry{Stride: 2}
	short, x := autodiff.Synthesis(z, w, 1, 7, geometry), autodiff.Synthesis(z, w, 1, 8, geometry)
	d := autodiff.Backward(x, g.Input("seed", x.Shape...), z, w)
	show(list(tensor.From([]float64{1, 0, 2}, 1, 1, 1, 3), tensor.From([]float64{1, 10, 100}, 1, 1, 1, 3),
		ones(1, 1, 1, 8)),
		short, x, d[0], d[1])
	// Output:
	// synthesis_1 [1 10 100 0 2 20 200]
	// synthesis_2 [1 10 100 0 2 20 200 0]
	// grad/z [111 111 111]
	// grad/w [3 3 3]
}

// Training normalises by the batch's statistics and gives the running ones moved a tenth of the way towards
// them; evaluation normalises by the running ones.
func ExampleBatchNorm() {
	g := autodiff.NewGraph()
	x := g.Input("x", 4, 1, 1, 1)
	norm := autodiff.Norm{Gamma: g.Input("gamma", 1), Beta: g.Input("beta", 1), Mean: g.Input("mean", 1),
		Variance: g.Input("variance", 1),
		Epsilon:  autodiff.BatchNormEpsilon, Momentum: autodiff.BatchNormMomentum}
	y, mean, variance := autodiff.BatchNorm("training", x, norm, true)
	z, _, _ := autodiff.BatchNorm("evaluation", x, norm, false)
	d := autodiff.Backward(y, g.Input("seed", 4, 1, 1, 1), x, norm.Gamma, norm.Beta)

	inputs := list(tensor.From([]float64{1, 3, 5, 7}, 4, 1, 1, 1), // mean 4, variance 5, unbiased 20/3
		vector(1), vector(0), vector(0), vector(1), tensor.From([]float64{1, 0, 0, 0}, 4, 1, 1, 1))
	outputs := append([]*autodiff.Node{y, z, mean, variance}, d...)
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[float64]())
	for i, in := range g.Inputs {
		p.Set(in, inputs[i])
	}
	p.Run()
	for _, n := range outputs {
		fmt.Printf("%s %.4f\n", n.Name, p.Value(n).Data)
	}
	// Output:
	// training/y [-1.3416 -0.4472 0.4472 1.3416]
	// evaluation/y [1.0000 3.0000 5.0000 7.0000]
	// training/new_running_mean [0.4000]
	// training/new_running_var [1.5667]
	// grad/x [0.1342 -0.1789 -0.0447 0.0894]
	// grad/gamma [-1.3416]
	// grad/beta [1.0000]
}

// The gradient goes to the pixel that won; of equal ones the first.
func ExampleMaxPool() {
	g := autodiff.NewGraph()
	x := g.Input("x", 1, 1, 2, 4)
	y := autodiff.MaxPool(x, 2, 2, 0)
	dx := autodiff.Backward(y, g.Input("seed", y.Shape...), x)[0]
	show(list(tensor.From([]float64{
		1, 2, 0, 0,
		4, 3, 0, 5}, 1, 1, 2, 4), ones(1, 1, 1, 2)), y, dx)
	// Output:
	// max_pool_1 [4 5]
	// grad/x [0 0 0 0 1 0 0 1]
}

func ExampleAveragePool() {
	g := autodiff.NewGraph()
	x := g.Input("x", 1, 1, 2, 2)
	y := autodiff.AveragePool(x)
	dx := autodiff.Backward(y, g.Input("seed", y.Shape...), x)[0]
	show(list(tensor.From([]float64{1, 2, 3, 6}, 1, 1, 2, 2), ones(1, 1)), y, dx)
	// Output:
	// average_pool_1 [3]
	// grad/x [0.25 0.25 0.25 0.25]
}

func ExampleLinear() {
	g := autodiff.NewGraph()
	x, w, b := g.Input("x", 1, 3), g.Input("w", 2, 3), g.Input("b", 2) // one image, three inputs, two outputs
	y := autodiff.Linear(x, w, b)
	d := autodiff.Backward(y, g.Input("seed", 1, 2), x, w, b)
	show(list(tensor.From([]float64{1, 2, 3}, 1, 3), tensor.From([]float64{
		1, 0, 0,
		0, 1, 1}, 2, 3), vector(10, 20), ones(1, 2)), y, d[0], d[1], d[2])
	// Output:
	// linear_1 [11 25]
	// grad/x [1 1 1]
	// grad/w [1 2 3 1 2 3]
	// grad/b [1 1]
}

// With equal logits every class has probability 1/K and the loss is log K. A loss needs no seed. The gradient
// is the probabilities, less 1 at the label.
func ExampleCrossEntropy() {
	g := autodiff.NewGraph()
	logits, labels := g.Input("logits", 1, 4), g.Input("labels", 1)
	loss := autodiff.CrossEntropy(logits, labels)
	show(list(tensor.New[float64](1, 4), vector(2)), loss, autodiff.Backward(loss, nil, logits)[0])
	// Output:
	// cross_entropy_1 [1.3862943611198906]
	// grad/logits [0.25 0.25 -0.75 0.25]
}

// A value that is used twice is a name that is used twice. Here is x -> relu(h) - h with h = 2x.
func ExampleGraph() {
	g := autodiff.NewGraph()
	x := g.Input("x", 2)
	h := autodiff.Scale(x, 2, nil).At("", 0, "h")
	y := autodiff.Axpy(autodiff.ReLU(h), h, -1, nil).At("", 0, "y")
	show(list(vector(-1, 1), vector(1, 1)), y, autodiff.Backward(y, g.Input("seed", 2), x)[0])
	// Output:
	// y [2 0]
	// grad/x [-2 0]
}

// Without a gradient nothing waits: the chain below works in one tensor.
func ExampleProgram() {
	g := autodiff.NewGraph()
	h := autodiff.Scale(g.Input("x", 2), 2, nil)
	for range 10 {
		h = autodiff.Scale(autodiff.ReLU(h), 0.5, nil)
	}
	arena := tensor.NewArena[float64]()
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{h}}), arena)
	p.Set(g.Node("x"), vector(-1, 1))
	p.Run()
	fmt.Println(p.Value(h).Data, "tensors of the arena in use:", arena.Live())
	// Output: [0 0.001953125] tensors of the arena in use: 1
}
