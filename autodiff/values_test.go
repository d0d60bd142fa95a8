package autodiff

import (
	"errors"
	"math"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// gradientOf applies an operation to one leaf and returns its value and the gradient for a seed of ones.
func gradientOf(x *tensor.Tensor[float64], op func(v *Var[float64]) *Var[float64]) (y, dx *tensor.Tensor[float64]) {
	tape := newTape[float64]()
	leaf := tape.Leaf(x)
	out := op(leaf)
	y = out.Value().Clone()
	seed := tensor.New[float64](out.Shape()...)
	seed.Fill(1)
	tape.Backward(out, seed)
	return y, leaf.Grad().Clone()
}

// Where the derivative jumps it is taken as 0.
func TestKinks(t *testing.T) {
	above, below := math.Nextafter(0.5, 1), math.Nextafter(0.5, 0)
	shrink := func(nonnegative bool) func(v *Var[float64]) *Var[float64] {
		return func(v *Var[float64]) *Var[float64] { return Shrink(v, 1, 0.5, nonnegative) }
	}
	for _, c := range []struct {
		name     string
		op       func(v *Var[float64]) *Var[float64]
		x, y, dx []float64
	}{
		{"ReLU", ReLU[float64], []float64{-1, math.Copysign(0, -1), 0, 5e-324, 1},
			[]float64{0, math.Copysign(0, -1), 0, 5e-324, 1}, []float64{0, 0, 0, 1, 1}},
		{"Shrink", shrink(false), []float64{-above, -0.5, -below, 0, below, 0.5, above},
			[]float64{0.5 - above, 0, 0, 0, 0, 0, above - 0.5}, []float64{1, 0, 0, 0, 0, 0, 1}},
		{"Shrink nonnegative", shrink(true), []float64{-2, -0.5, 0, below, 0.5, above},
			[]float64{0, 0, 0, 0, 0, above - 0.5}, []float64{0, 0, 0, 0, 0, 1}},
	} {
		y, dx := gradientOf(vector(c.x...), c.op)
		mustEqual(t, c.name, y, vector(c.y...))
		mustEqual(t, c.name+" gradient", dx, vector(c.dx...))
	}
}

func TestNaNPropagates(t *testing.T) {
	nan := math.NaN()
	image := tensor.From([]float64{1, 2, nan, 4}, 1, 1, 2, 2)
	for name, op := range map[string]func(v *Var[float64]) *Var[float64]{
		"ReLU":               ReLU[float64],
		"Shrink":             func(v *Var[float64]) *Var[float64] { return Shrink(v, 0.5, 100, false) },
		"Shrink nonnegative": func(v *Var[float64]) *Var[float64] { return Shrink(v, 0.5, 100, true) },
		"MaxPool":            func(v *Var[float64]) *Var[float64] { return MaxPool(v, 2, 2, 0) },
		"AveragePool":        AveragePool[float64],
	} {
		y, _ := gradientOf(image, op)
		if at := min(2, y.Len()-1); !math.IsNaN(y.Data[at]) {
			t.Errorf("%s hides a NaN: %v", name, y.Data)
		}
	}
}

// Channel 0 holds 1, 2, 3, 6: mean 3, squares about it 4+1+0+9 = 14. Channel 1 holds 0, 0, 4, 4: mean 2, squares 16.
var batch = tensor.From([]float64{1, 2, 0, 0, 3, 6, 4, 4}, 2, 2, 1, 2)

func TestBatchNormByHand(t *testing.T) {
	tape := newTape[float64]()
	running := Running[float64]{Mean: vector(10.0, -1), Var: vector(2.0, 5)}
	y := BatchNorm(tape.Leaf(batch), tape.Leaf(vector(2.0, 1)), tape.Leaf(vector(0.5, 0)), running, true)
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-15*math.Abs(want) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	near("running mean 0", running.Mean.Data[0], 0.9*10+0.1*3)
	near("running mean 1", running.Mean.Data[1], 0.9*-1+0.1*2)
	near("running variance 0", running.Var.Data[0], 0.9*2+0.1*14/3) // unbiased: over n-1
	near("running variance 1", running.Var.Data[1], 0.9*5+0.1*16/3)
	near("y of 6", y.Value().At(1, 0, 0, 1), 2*3/math.Sqrt(14./4+1e-5)+0.5) // biased: over n
	near("y of 0", y.Value().At(0, 1, 0, 0), -2/math.Sqrt(16./4+1e-5))
}

func TestEvaluationUsesTheRunningStatistics(t *testing.T) {
	running := Running[float64]{Mean: vector(1.0, 4), Var: vector(4.0, 9)}
	before := Running[float64]{Mean: running.Mean.Clone(), Var: running.Var.Clone()}
	tape := newTape[float64]()
	x := tape.Leaf(batch)
	y := BatchNorm(x, tape.Leaf(vector(2.0, 1)), tape.Leaf(vector(0.5, 0)), running, false)
	for c, want := range []float64{2*5/math.Sqrt(4+1e-5) + 0.5, 0} { // of 6 and of 4
		if got := y.Value().At(1, c, 0, 1); math.Abs(got-want) > 1e-15*want {
			t.Errorf("channel %d: %v, want %v", c, got, want)
		}
	}
	seed := tensor.New[float64](batch.Shape...)
	seed.Fill(1)
	tape.Backward(y, seed)
	mustEqual(t, "running mean", running.Mean, before.Mean)
	mustEqual(t, "running variance", running.Var, before.Var)
}

func TestCrossEntropyOfHugeLogits(t *testing.T) {
	for _, c := range []struct {
		logits []float64
		loss   float64
		dx     []float64
	}{
		{[]float64{1e300, 0, -1e300}, 0, []float64{0, 0, 0}},
		{[]float64{0, 1e6, 0}, 1e6, []float64{-1, 1, 0}},
		{[]float64{-1e300, -1e300, -1e300}, math.Log(3), nil},
		{[]float64{1e308, 1e308, math.Inf(-1)}, math.Log(2), []float64{-0.5, 0.5, 0}},
	} {
		loss, dx := gradientOf(tensor.From(c.logits, 1, 3), func(v *Var[float64]) *Var[float64] { return CrossEntropy(v, []int{0}) })
		if math.Abs(loss.Data[0]-c.loss) > 1e-15*c.loss {
			t.Errorf("loss of %v is %v, want %v", c.logits, loss.Data[0], c.loss)
		}
		if c.dx != nil {
			mustEqual(t, "gradient", dx, tensor.From(c.dx, 1, 3))
		}
	}
}

func TestCrossEntropyKeepsItsLabels(t *testing.T) {
	labels := []int{1}
	_, want := gradientOf(tensor.From([]float64{1, 2}, 1, 2), func(v *Var[float64]) *Var[float64] { return CrossEntropy(v, labels) })
	_, got := gradientOf(tensor.From([]float64{1, 2}, 1, 2), func(v *Var[float64]) *Var[float64] {
		loss := CrossEntropy(v, labels)
		labels[0] = 0 // the next batch
		return loss
	})
	mustEqual(t, "gradient", got, want)
}

// Of equal elements the first in row-major order wins, and padding never does.
func TestMaxPoolTies(t *testing.T) {
	equal := tensor.From([]float64{-5, -5, -5, -5}, 1, 1, 2, 2)
	y, dx := gradientOf(equal, func(v *Var[float64]) *Var[float64] { return MaxPool(v, 3, 2, 1) })
	mustEqual(t, "value", y, tensor.From([]float64{-5}, 1, 1, 1, 1))
	mustEqual(t, "gradient", dx, tensor.From([]float64{1, 0, 0, 0}, 1, 1, 2, 2))
}

func TestShapesThatDoNotFit(t *testing.T) {
	tape := newTape[float32]()
	leaf := func(shape ...int) *Var[float32] { return tape.Leaf(tensor.New[float32](shape...)) }
	stats := func(n int) Running[float32] {
		return Running[float32]{Mean: tensor.New[float32](n), Var: tensor.New[float32](n)}
	}
	x, c := leaf(2, 3, 4, 5), leaf(3)
	for _, m := range []struct {
		op string
		f  func()
	}{
		{"AddScaled", func() { Add(x, c) }},
		{"AddScaled", func() { AddScaled(c, x, 2) }},
		{"AddScaled", func() { Add(Scale(c, 1), Scale(leaf(4), 1)) }},
		{"BatchNorm", func() { BatchNorm(leaf(2, 3, 4), c, c, stats(3), true) }},
		{"BatchNorm", func() { BatchNorm(x, leaf(4), c, stats(3), true) }},
		{"BatchNorm", func() { BatchNorm(x, c, leaf(2), stats(3), true) }},
		{"BatchNorm (channels", func() { BatchNorm(x, c, c, stats(4), false) }},
		{"BatchNorm in training", func() { BatchNorm(leaf(1, 3, 1, 1), c, c, stats(3), true) }},
		{"MaxPool", func() { MaxPool(leaf(2, 3, 4), 2, 2, 0) }},
		{"MaxPool", func() { MaxPool(x, 6, 1, 0) }},
		{"MaxPool", func() { MaxPool(x, 3, 0, 1) }},
		{"MaxPool", func() { MaxPool(x, 2, 2, 2) }},
		{"AveragePool", func() { AveragePool(c) }},
		{"Linear", func() { Linear(leaf(2, 3), leaf(5, 4), leaf(5)) }},
		{"Linear", func() { Linear(leaf(2, 3), leaf(5, 3), leaf(3)) }},
		{"Linear", func() { Linear(x, leaf(5, 3), leaf(5)) }},
		{"CrossEntropy", func() { CrossEntropy(leaf(2, 3), []int{0}) }},
		{"CrossEntropy", func() { CrossEntropy(leaf(3), []int{0, 1, 2}) }},
		{"conv", func() { Convolve(leaf(3, 4, 5), leaf(2, 3, 3, 3), conv.Geometry{}) }},
		{"conv", func() { ConvolveTransposed(x, leaf(3, 3), 0, 0, conv.Geometry{}) }},
	} {
		mustShapePanic(t, m.op, m.f)
	}
	mustPanic(t, "label 3 of image 1 is not one of 3 classes", func() { CrossEntropy(leaf(2, 3), []int{0, 3}) })
	mustPanic(t, "label -1 of image 0", func() { CrossEntropy(leaf(2, 3), []int{-1, 0}) })
}

func TestGeometriesThatDoNotFit(t *testing.T) {
	tape := newTape[float32]()
	leaf := func(shape ...int) *Var[float32] { return tape.Leaf(tensor.New[float32](shape...)) }
	x := leaf(2, 3, 4, 5)
	for name, f := range map[string]func(){
		"channels":            func() { Convolve(x, leaf(2, 4, 3, 3), conv.Geometry{}) },
		"kernel too large":    func() { Convolve(x, leaf(2, 3, 7, 7), conv.Geometry{}) },
		"transposed channels": func() { ConvolveTransposed(x, leaf(4, 2, 3, 3), 0, 0, conv.Geometry{}) },
		"transposed size":     func() { ConvolveTransposed(x, leaf(3, 2, 3, 3), 9, 11, conv.Geometry{Stride: 2, Padding: 1}) },
	} {
		func() {
			defer func() {
				err, _ := recover().(error)
				var geometry *conv.GeometryError
				if !errors.As(err, &geometry) {
					t.Errorf("%s: recovered %v, want a *conv.GeometryError", name, err)
				}
			}()
			f()
		}()
	}
}
