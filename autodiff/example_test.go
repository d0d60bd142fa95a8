package autodiff_test

import (
	"fmt"
	"os"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// A line y = w*x + b through three points, by gradient descent on half the squared distance, whose gradient
// with respect to the residual r is r itself: the seed of Backward. The least squares solution is w = 2, b =
// 1. The plan lets the step overwrite the weights.
func Example() {
	g := autodiff.NewGraph()
	x, y := g.Input("x", 3, 1), g.Input("y", 3, 1)
	w, b := g.Input("w", 1, 1), g.Input("b", 1)
	r := autodiff.Axpy(autodiff.Linear(x, w, b), y, -1, nil)
	gradients := autodiff.Backward(r, r, w, b)
	nextW := autodiff.Axpy(w, gradients[0], -0.3, nil)
	nextB := autodiff.Axpy(b, gradients[1], -0.3, nil)

	plan := autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{nextW, nextB},
		Updates: map[*autodiff.Node]*autodiff.Node{nextW: w, nextB: b}})
	arena := tensor.NewArena[float64]() // memory that every step uses again
	p := autodiff.NewProgram(plan, arena)
	weights, bias := tensor.New[float64](1, 1), tensor.New[float64](1)
	p.Set(x, tensor.From([]float64{-1, 0, 1}, 3, 1))
	p.Set(y, tensor.From([]float64{-1.5, 2, 2.5}, 3, 1))
	p.Set(w, weights)
	p.Set(b, bias)
	for range 100 {
		p.Run()
	}
	fmt.Printf("w %.6f, b %.6f, tensors not given back: %d\n", weights.At(0, 0), bias.At(0), arena.Live())
	// Output: w 2.000000, b 1.000000, tensors not given back: 0
}

// show computes nodes and prints their elements; the graph's inputs have the values in order.
func show(inputs []*tensor.Tensor[float64], nodes ...*autodiff.Node) {
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: nodes}), tensor.NewArena[float64]())
	for i, in := range nodes[0].Graph().Inputs {
		p.Set(in, inputs[i])
	}
	p.Run()
	for _, n := range nodes {
		fmt.Println(n.Name, p.Value(n).Data)
	}
}

// list is the values of inputs.
func list(t ...*tensor.Tensor[float64]) []*tensor.Tensor[float64] { return t }

func vector(values ...float64) *tensor.Tensor[float64] { return tensor.From(values, len(values)) }

func number(value float64) *tensor.Tensor[float64] { return tensor.From([]float64{value}) }

// A graph is a list of names. The gradient is more of the same.
func ExampleBackward() {
	g := autodiff.NewGraph()
	x, w := g.Input("x", 1, 2, 4, 4), g.Input("w", 3, 2, 3, 3)
	u := autodiff.Analysis(x, w, conv.Geometry{Padding: 1}).At("layer", 1, "analysis")
	y := autodiff.Axpy(autodiff.ReLU(u), u, 0.5, nil).At("layer", 0, "y")
	dw := autodiff.Backward(y, g.Input("seed", y.Shape...), w)[0]
	for _, n := range g.Nodes {
		fmt.Println(n)
	}
	fmt.Println("the gradient of w is", dw.Name)
	// Output:
	// layer/1/analysis = analysis(x, w; dilation 1, padding 1, stride 1) [1 3 4 4]
	// relu_2 = relu(layer/1/analysis) [1 3 4 4]
	// layer/y = axpy(relu_2, layer/1/analysis; scale 0.5) [1 3 4 4]
	// grad/layer/1/analysis/layer/y = scale(seed; scale 0.5) [1 3 4 4]
	// grad/layer/1/analysis/relu_2 = relu_grad(relu_2, seed) [1 3 4 4]
	// grad/layer/1/analysis = add(grad/layer/1/analysis/layer/y, grad/layer/1/analysis/relu_2) [1 3 4 4]
	// grad/w = filter(x, grad/layer/1/analysis; dilation 1, kernel_height 3, kernel_width 3, padding 1, stride 1) [3 2 3 3]
	// the gradient of w is grad/w
}

// Two iterations of FISTA and the gradient of the atoms. "+" joins what is computed plane by plane in one
// pass. The first code waits packed, here with a tenth of its elements, and the residual is computed again.
func ExamplePlan_Print() {
	g := autodiff.NewGraph()
	x, w, t := g.Input("x", 1, 1, 8, 8), g.Input("w", 4, 1, 3, 3), g.Input("t")
	padded, s := conv.Geometry{Padding: 1}, autodiff.Shrinkage{Lambda: 0.5}
	u := autodiff.Scale(autodiff.Analysis(x, w, padded).At("", 1, "analysis"), 1, t).At("", 1, "prethreshold")
	z := autodiff.Prox(u, t, nil, s).At("", 1, "code")
	signal := autodiff.Synthesis(z, w, 8, 8, padded).At("", 2, "synthesis")
	r := autodiff.Axpy(x, signal, -1, nil).At("", 2, "residual")
	a := autodiff.Analysis(r, w, padded).At("", 2, "analysis")
	u = autodiff.Axpy(z, a, 1, t).At("", 2, "prethreshold")
	z = autodiff.Prox(u, t, nil, s).At("", 2, "code")
	dw := autodiff.Backward(z, g.Input("seed", z.Shape...), w)

	autodiff.NewPlan(autodiff.Wanted{Outputs: append(dw, z)}).Print(os.Stdout, 0.1)
	// Output:
	// step  computes
	// 0     1/analysis + 1/prethreshold + 1/code
	// 1     2/synthesis + 2/residual
	// 2     2/analysis + 2/prethreshold + 2/code + grad/2/prethreshold + grad/2/analysis
	// 3     1/code (packed)
	// 4     1/code (unpacked)
	// 5     2/synthesis (again) + 2/residual (again)
	// 6     grad/w/2/analysis
	// 7     grad/2/residual + grad/2/synthesis
	// 8     grad/w/2/synthesis
	// 9     grad/w
	// 10    grad/1/code/2/synthesis + grad/1/code + grad/1/prethreshold + grad/1/analysis
	// 11    grad/w/1/analysis
	// 12    grad/w
	//
	// buffer  elements  steps     holds
	// 0       256       0 to 3    1/analysis, 1/prethreshold, 1/code
	// 1       64        1 to 2    2/synthesis, 2/residual
	// 2       256       2 to end  2/analysis, 2/prethreshold, 2/code
	// 3       256       2 to 10   grad/2/prethreshold
	// 4       256       2 to 7    grad/2/analysis
	// 5       256       4 to 10   1/code (unpacked)
	// 6       64        5 to 6    2/synthesis (again), 2/residual (again)
	// 7       36        6 to end  grad/w/2/analysis, grad/w, grad/w
	// 8       64        7 to 10   grad/2/residual, grad/2/synthesis
	// 9       36        8 to 9    grad/w/2/synthesis
	// 10      256       10 to 11  grad/1/code/2/synthesis, grad/1/code, grad/1/prethreshold, grad/1/analysis
	// 11      36        11 to 12  grad/w/1/analysis
	//
	// most memory: 1124 elements at step 6 (grad/w/2/analysis), packed values holding 10 % of their elements:
	// 256  2/code
	// 256  grad/2/prethreshold
	// 256  grad/2/analysis
	// 256  1/code (unpacked)
	// 64   2/residual (again)
	// 36   grad/w
}

func ExampleAdd() {
	g := autodiff.NewGraph()
	a, b, seed := g.Input("a", 2), g.Input("b", 2), g.Input("seed", 2)
	y := autodiff.Add(a, b)
	d := autodiff.Backward(y, seed, a, b) // of <seed, y>
	show(list(vector(1, 2), vector(10, 20), vector(3, 5)), y, d[0], d[1])
	// Output:
	// add_1 [11 22]
	// grad/a [3 5]
	// grad/b [3 5]
}

func ExampleAxpy() {
	g := autodiff.NewGraph()
	a, b, seed := g.Input("a", 2), g.Input("b", 2), g.Input("seed", 2)
	y := autodiff.Axpy(a, b, -1, nil).At("", 0, "difference")
	d := autodiff.Backward(y, seed, a, b)
	show(list(vector(1, 2), vector(10, 20), vector(1, 1)), y, d[0], d[1])
	// Output:
	// difference [-9 -18]
	// grad/a [1 1]
	// grad/b [-1 -1]
}

// The factor may be a number times a scalar, which has a gradient too.
func ExampleScale() {
	g := autodiff.NewGraph()
	x, t, seed := g.Input("x", 2), g.Input("t"), g.Input("seed", 2)
	y := autodiff.Scale(x, 0.5, t)
	d := autodiff.Backward(y, seed, x, t)
	show(list(vector(1, 2), number(3), vector(1, 1)), y, d[0], d[1])
	// Output:
	// scale_1 [1.5 3]
	// grad/x [1.5 1.5]
	// grad/t [1.5]
}

// The derivative at 0 is taken as 0.
func ExampleReLU() {
	g := autodiff.NewGraph()
	x, seed := g.Input("x", 3), g.Input("seed", 3)
	y := autodiff.ReLU(x)
	show(list(vector(-2, 0, 3), vector(1, 1, 1)), y, autodiff.Backward(y, seed, x)[0])
	// Output:
	// relu_1 [0 0 3]
	// grad/x [0 0 1]
}

// Soft thresholding moves every element towards 0 by t*lambda and stops there. The two flavours differ for
// negative elements.
func ExampleProx() {
	g := autodiff.NewGraph()
	u, t, seed := g.Input("u", 4), g.Input("t"), g.Input("seed", 4)
	z := autodiff.Prox(u, t, nil, autodiff.Shrinkage{Lambda: 2})
	nonnegative := autodiff.Prox(u, t, nil, autodiff.Shrinkage{Lambda: 2, Nonnegative: true})
	d := autodiff.Backward(z, seed, u, t)
	show(list(vector(-3, -1, 0.5, 3), number(0.5), vector(1, 1, 1, 1)), z, nonnegative, d[0], d[1])
	// Output:
	// prox_1 [-2 0 0 2]
	// prox_2 [0 0 0 2]
	// grad/u [1 0 0 1]
	// grad/t [-0]
}

// For t = 0.5, lambda = 2, mu = 2 it scales by 1/(1+mu*t) = 0.5 and thresholds by lambda*t/(1+mu*t) = 0.5.
func ExampleProx_elasticNet() {
	g := autodiff.NewGraph()
	u, t := g.Input("u", 3), g.Input("t")
	show(list(vector(-3, 1, 5), number(0.5)), autodiff.Prox(u, t, nil, autodiff.Shrinkage{Lambda: 2, Mu: 2}))
	// Output: prox_1 [-1 0 2]
}

// The momentum point goes beyond the newer of two.
func ExampleExtrapolate() {
	g := autodiff.NewGraph()
	z, before := g.Input("z", 2), g.Input("before", 2)
	show(list(vector(3, 4), vector(1, 4)), autodiff.Extrapolate(z, before, 0.5))
	// Output: extrapolate_1 [4 4]
}
