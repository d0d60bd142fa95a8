package autodiff_test

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// A line y = w*x + b through three points, by gradient descent on half the squared distance, whose gradient with respect to
// the residual r is r itself: the seed of Backward. The least squares solution is w = 2, b = 1.
func Example() {
	x := tensor.From([]float64{-1, 0, 1}, 3, 1)
	y := tensor.From([]float64{-1.5, 2, 2.5}, 3, 1)
	w, b := tensor.New[float64](1, 1), tensor.New[float64](1)

	arena := tensor.NewArena[float64]() // memory that every step uses again
	tape := autodiff.NewTape(arena)
	for range 100 {
		wv, bv := tape.Leaf(w), tape.Leaf(b)
		r := autodiff.AddScaled(autodiff.Linear(tape.Constant(x), wv, bv), tape.Constant(y), -1)
		tape.Backward(r, r.Value())
		tensor.AddScaled(w, w, wv.Grad(), -0.3)
		tensor.AddScaled(b, b, bv.Grad(), -0.3)
		tape.Reset()
	}
	fmt.Printf("w %.6f, b %.6f, tensors not given back: %d\n", w.At(0, 0), b.At(0), arena.Out())
	// Output: w 2.000000, b 1.000000, tensors not given back: 0
}

// ones is a seed: with it, Backward differentiates the sum of all elements.
func ones(shape ...int) *tensor.Tensor[float64] {
	t := tensor.New[float64](shape...)
	t.Fill(1)
	return t
}

func vector(values ...float64) *tensor.Tensor[float64] { return tensor.From(values, len(values)) }

func newTape() *autodiff.Tape[float64] { return autodiff.NewTape(tensor.NewArena[float64]()) }

func ExampleAdd() {
	tape := newTape()
	a, b := tape.Leaf(vector(1, 2)), tape.Leaf(vector(10, 20))
	y := autodiff.Add(a, b)
	fmt.Println(y.Value().Data)
	tape.Backward(y, vector(3, 5)) // of 3*y[0] + 5*y[1]
	fmt.Println(a.Grad().Data, b.Grad().Data)
	// Output:
	// [11 22]
	// [3 5] [3 5]
}

func ExampleAddScaled() {
	tape := newTape()
	a, b := tape.Leaf(vector(1, 2)), tape.Leaf(vector(10, 20))
	y := autodiff.AddScaled(a, b, -1) // the difference
	fmt.Println(y.Value().Data)
	tape.Backward(y, ones(2))
	fmt.Println(a.Grad().Data, b.Grad().Data)
	// Output:
	// [-9 -18]
	// [1 1] [-1 -1]
}

func ExampleScale() {
	tape := newTape()
	x := tape.Leaf(vector(1, 2))
	y := autodiff.Scale(x, 0.5)
	fmt.Println(y.Value().Data)
	tape.Backward(y, ones(2))
	fmt.Println(x.Grad().Data)
	// Output:
	// [0.5 1]
	// [0.5 0.5]
}

// The derivative at 0 is taken as 0.
func ExampleReLU() {
	tape := newTape()
	x := tape.Leaf(vector(-2, 0, 3))
	y := autodiff.ReLU(x)
	fmt.Println(y.Value().Data)
	tape.Backward(y, ones(3))
	fmt.Println(x.Grad().Data)
	// Output:
	// [0 0 3]
	// [0 0 1]
}

// Soft thresholding moves every element towards 0 by the threshold and stops there. The two flavours differ for negative
// elements.
func ExampleShrink() {
	tape := newTape()
	u := tape.Leaf(vector(-3, -1, 0.5, 3))
	z := autodiff.Shrink(u, 1, 1, false)
	fmt.Println(z.Value().Data)
	fmt.Println(autodiff.Shrink(u, 1, 1, true).Value().Data)
	tape.Backward(z, ones(4))
	fmt.Println(u.Grad().Data)
	// Output:
	// [-2 0 0 2]
	// [0 0 0 2]
	// [1 0 0 1]
}

// The proximal operator of t*(lambda*|z|_1 + mu/2*|z|^2), for t = 0.5, lambda = 2, mu = 2: it scales by 1/(1+mu*t) = 0.5
// and thresholds by lambda*t/(1+mu*t) = 0.5.
func ExampleShrink_elasticNet() {
	tape := newTape()
	z := autodiff.Shrink(tape.Leaf(vector(-3, 1, 5)), 0.5, 0.5, false)
	fmt.Println(z.Value().Data)
	// Output: [-1 0 2]
}

// The kernel is not flipped: y[i,j] = sum of w[u,v] x[i+u,j+v], as PyTorch's conv2d.
func ExampleConvolve() {
	tape := newTape()
	x := tape.Leaf(tensor.From([]float64{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9}, 1, 1, 3, 3)) // image, channel, row, column
	w := tape.Leaf(tensor.From([]float64{
		1, 0,
		0, 10}, 1, 1, 2, 2)) // output channel, input channel, row, column
	y := autodiff.Convolve(x, w, conv.Geometry{})
	fmt.Println(y.Shape(), y.Value().Data)
	tape.Backward(y, ones(1, 1, 2, 2))
	fmt.Println(w.Grad().Data) // the sums of x that each tap saw
	fmt.Println(x.Grad().Data) // the taps that each pixel met
	// Output:
	// [1 1 2 2] [51 62 84 95]
	// [12 16 24 28]
	// [1 1 0 1 11 10 0 10 10]
}

func ExampleConvolve_stride() {
	tape := newTape()
	g := conv.Geometry{Stride: 2, Padding: 1}
	w := tape.Leaf(tensor.New[float64](8, 3, 3, 3))
	for _, side := range []int{31, 32} { // two sizes of x, one size of y
		y := autodiff.Convolve(tape.Constant(tensor.New[float64](10, 3, side, side)), w, g)
		fmt.Println(side, "->", y.Shape())
	}
	// Output:
	// 31 -> [10 8 16 16]
	// 32 -> [10 8 16 16]
}

// Each element of the code puts a copy of its atom into the signal.
func ExampleConvolveTransposed() {
	tape := newTape()
	y := tape.Leaf(tensor.From([]float64{1, 0, 2}, 1, 1, 1, 3))
	w := tape.Leaf(tensor.From([]float64{1, 10, 100}, 1, 1, 1, 3)) // one atom
	g := conv.Geometry{Stride: 2}
	fmt.Println(autodiff.ConvolveTransposed(y, w, 0, 0, g).Value().Data)

	// With a stride, the next larger signal would give a code of the same size: ask for it by its height and width.
	x := autodiff.ConvolveTransposed(y, w, 1, 8, g)
	fmt.Println(x.Value().Data)
	tape.Backward(x, ones(1, 1, 1, 8))
	fmt.Println(y.Grad().Data, w.Grad().Data)
	// Output:
	// [1 10 100 0 2 20 200]
	// [1 10 100 0 2 20 200 0]
	// [111 111 111] [3 3 3]
}

// Training normalises by the batch's statistics and moves the running ones a tenth of the way towards them; evaluation
// normalises by the running ones and leaves them alone.
func ExampleBatchNorm() {
	tape := newTape()
	x := tape.Leaf(tensor.From([]float64{1, 3, 5, 7}, 4, 1, 1, 1)) // mean 4, variance 5, unbiased 20/3
	gamma, beta := tape.Leaf(vector(1)), tape.Leaf(vector(0))
	running := autodiff.Running[float64]{Mean: vector(0), Var: vector(1)}

	y := autodiff.BatchNorm(x, gamma, beta, running, true)
	fmt.Printf("training   %.4f, running mean %.2f, variance %.4f\n", y.Value().Data, running.Mean.At(0), running.Var.At(0))
	tape.Backward(y, tensor.From([]float64{1, 0, 0, 0}, 4, 1, 1, 1))
	fmt.Printf("gradients  %.4f, gamma %.4f, beta %.0f\n", x.Grad().Data, gamma.Grad().At(0), beta.Grad().At(0))

	y = autodiff.BatchNorm(x, gamma, beta, running, false)
	fmt.Printf("evaluation %.4f\n", y.Value().Data)
	// Output:
	// training   [-1.3416 -0.4472 0.4472 1.3416], running mean 0.40, variance 1.5667
	// gradients  [0.1342 -0.1789 -0.0447 0.0894], gamma -1.3416, beta 1
	// evaluation [0.4794 2.0772 3.6751 5.2730]
}

// The gradient goes to the pixel that won; of equal ones the first.
func ExampleMaxPool() {
	tape := newTape()
	x := tape.Leaf(tensor.From([]float64{
		1, 2, 0, 0,
		4, 3, 0, 5}, 1, 1, 2, 4))
	y := autodiff.MaxPool(x, 2, 2, 0)
	fmt.Println(y.Shape(), y.Value().Data)
	tape.Backward(y, ones(1, 1, 1, 2))
	fmt.Println(x.Grad().Data)
	// Output:
	// [1 1 1 2] [4 5]
	// [0 0 0 0 1 0 0 1]
}

func ExampleAveragePool() {
	tape := newTape()
	x := tape.Leaf(tensor.From([]float64{1, 2, 3, 6}, 1, 1, 2, 2))
	y := autodiff.AveragePool(x)
	fmt.Println(y.Shape(), y.Value().Data)
	tape.Backward(y, nil) // a single element needs no seed
	fmt.Println(x.Grad().Data)
	// Output:
	// [1 1] [3]
	// [0.25 0.25 0.25 0.25]
}

func ExampleLinear() {
	tape := newTape()
	x := tape.Leaf(tensor.From([]float64{1, 2, 3}, 1, 3)) // one image, three inputs
	w := tape.Leaf(tensor.From([]float64{
		1, 0, 0,
		0, 1, 1}, 2, 3)) // two outputs
	b := tape.Leaf(vector(10, 20))
	y := autodiff.Linear(x, w, b)
	fmt.Println(y.Value().Data)
	tape.Backward(y, ones(1, 2))
	fmt.Println(x.Grad().Data, w.Grad().Data, b.Grad().Data)
	// Output:
	// [11 25]
	// [1 1 1] [1 2 3 1 2 3] [1 1]
}

// With equal logits every class has probability 1/K and the loss is log K.
func ExampleCrossEntropy() {
	tape := newTape()
	logits := tape.Leaf(tensor.From([]float64{0, 0, 0, 0}, 1, 4))
	loss := autodiff.CrossEntropy(logits, []int{2})
	fmt.Printf("%.6f\n", loss.Value().At())
	tape.Backward(loss, nil)
	fmt.Println(logits.Grad().Data) // probabilities, less 1 at the label
	// Output:
	// 1.386294
	// [0.25 0.25 -0.75 0.25]
}

// An operation consumes its arguments; Keep allows one more. Here is x -> relu(h) - h with h = 2x.
func ExampleVar_Keep() {
	tape := newTape()
	x := tape.Leaf(vector(-1, 1))
	h := autodiff.Scale(x, 2)
	y := autodiff.AddScaled(autodiff.ReLU(h.Keep()), h, -1)
	fmt.Println(y.Value().Data)
	tape.Backward(y, ones(2))
	fmt.Println(x.Grad().Data)
	// Output:
	// [2 0]
	// [-2 0]
}

// The same code computes values only, in as little memory as it can: the chain below reuses one tensor.
func ExampleNoGrad() {
	arena := tensor.NewArena[float64]()
	tape := autodiff.NoGrad(arena)
	h := autodiff.Scale(tape.Leaf(vector(-1, 1)), 2)
	for range 10 {
		h = autodiff.Scale(autodiff.ReLU(h), 0.5)
	}
	fmt.Println(h.Value().Data, "tensors of the arena in use:", arena.Out())
	// Output: [0 0.001953125] tensors of the arena in use: 1
}
