package graph

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/golden"
	"sdref/internal/random"
	"sdref/tensor"
)

// TestTable: every row is complete and every name its own.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, op := range Ops() {
		if seen[op.Name] || op.Formula == "" || op.Value == nil || op.Magnitude == nil || op.Terms == nil {
			t.Errorf("row %q is not complete, or there are two", op.Name)
		}
		seen[op.Name] = true
		if Lookup(op.Name).Formula != op.Formula {
			t.Errorf("Lookup(%q) is another row", op.Name)
		}
	}
	if Lookup("nonsense") != nil {
		t.Error("Lookup finds what is not there")
	}
}

// tiny is a network with every operator that has a derivative: loss of linear(pool(relu(bn(conv) + x))), with
// max-pool.
func tiny(training bool) (b *Builder, loss string, leaves []string) {
	b = New("tiny", "test", "")
	fill := func(name string, offset, scale float64, shape ...int) string {
		leaves = append(leaves, name)
		return b.Input(name, golden.Fill{Shape: shape, Seed: uint64(len(leaves)), Scale: scale,
			Offset: offset})
	}
	at := func(quantity string) Place { return Place{Quantity: quantity} }
	x, w := fill("x", 0, 1, 3, 4, 6, 5), fill("w", 0, 0.5, 4, 4, 3, 3)
	h := b.Node("analysis", at("h"), Convolution(conv.Geometry{Padding: 1}), x, w)
	state := b.Of(fill("gamma", 1, 0.5, 4), fill("beta", 0, 0.5, 4),
		b.Input("mean0", golden.Fill{Shape: []int{4}, Scale: 0.5}),
		b.Input("var0", golden.Fill{Shape: []int{4}, Scale: 0.5, Offset: 1}))
	y, _, _ := b.BatchNorm("bn", h, autodiff.Norm{Gamma: state[0], Beta: state[1], Mean: state[2],
		Variance: state[3], Epsilon: 1e-5, Momentum: 0.1}, training)
	h = b.Node("relu", at("relu"), nil, b.Node("add", at("sum"), nil, y, x))
	h = b.Node("max_pool", at("max"), Attrs{"size": 3, "stride": 2, "padding": 1}, h)
	t := b.Constant("t", 0.25)
	h = b.Node("prox", at("prox"), Attrs{"lambda": 0.5, "mu": 1},
		b.Node("axpy", at("axpy"), Attrs{"scale": 2}, h, h, t), t)
	h = b.Node("extrapolate", at("extrapolate"), Attrs{"ratio": 0.5}, h,
		b.Node("scale", at("scale"), Attrs{"scale": -0.5}, h))
	h = b.Node("average_pool", at("pool"), nil, h)
	logits := b.Node("linear", at("logits"), nil, h, fill("v", 0, 1, 5, 4), fill("bias", 0, 1, 5))
	return b, b.Node("cross_entropy", at("loss"), nil, logits, b.Labels("labels", 3, 5, 9)), leaves
}

// TestBackward: the gradient of every leaf, along a random direction, is the difference quotient.
func TestBackward(t *testing.T) {
	for _, training := range []bool{true, false} {
		b, loss, leaves := tiny(training)
		gradients := b.Backward(loss, "", leaves...)
		in := b.Generate()
		values, err := b.Evaluate(in)
		if err != nil {
			t.Fatal(err)
		}
		for i, leaf := range leaves {
			if gradients[i] != "grad/"+leaf || !slices.Equal(b.Shape(gradients[i]), in[leaf].Shape) {
				t.Errorf("the gradient of %s is %s %v", leaf, gradients[i], b.Shape(gradients[i]))
			}
			direction := tensor.New[float64](in[leaf].Shape...)
			for k := range direction.Data {
				direction.Data[k] = random.New(uint64(i)).Sub("direction").Unit(uint64(k))
			}
			const step = 1e-6
			at := func(s float64) float64 {
				moved := in[leaf].Clone()
				tensor.AddScaled(moved, moved, direction, s)
				there := Values{}
				for name, v := range in {
					there[name] = v
				}
				there[leaf] = moved
				values, err := b.Evaluate(there)
				if err != nil {
					t.Fatal(err)
				}
				return values[loss].Data[0]
			}
			want := (at(step) - at(-step)) / (2 * step)
			if got := tensor.Dot(values[gradients[i]],
				direction); !(math.Abs(got-want) <= 1e-6*math.Abs(want)+1e-9) {
				t.Errorf("training %t: the slope along %s is %g, the difference quotient %g", training, leaf,
					got, want)
			}
		}
	}
}

// TestGradientParts: a value that is used twice gets a gradient from each use and their sum; one that is used
// once gets no more than that.
func TestGradientParts(t *testing.T) {
	b, loss, _ := tiny(true)
	b.Backward(loss, "", "x", "w")
	sum := b.Case.Node("grad/x")
	if sum == nil || sum.Op != "add" || !slices.Equal(sum.Inputs, []string{"grad/sum", "grad/x/h"}) {
		t.Errorf("grad/x is %+v", sum)
	}
	if n := b.Case.Node("grad/w"); n == nil || n.Op != "filter" {
		t.Errorf("grad/w is %+v", n)
	}
	if b.Case.Node("grad/v") != nil {
		t.Error("there is a gradient that nobody asked for")
	}
}

func TestPlaces(t *testing.T) {
	for want, p := range map[string]Place{"y": {Quantity: "y"}, "a/y": {Layer: "a", Quantity: "y"},
		"3/y": {Iteration: 3, Quantity: "y"}, "a.b/3/y": {Layer: "a.b", Iteration: 3, Quantity: "y"}} {
		if p.String() != want {
			t.Errorf("%+v is %q, want %q", p, p, want)
		}
	}
}

func TestGenerate(t *testing.T) {
	b := New("inputs", "test", "")
	b.Input("x", golden.Fill{Shape: []int{2, 3, 2}, Seed: 7, Scale: 1})
	plain := b.Generate()["x"]
	x := b.Case.Input("x")
	x.Reversed = []int{1}
	turned := b.Generate()["x"]
	for i := range 2 {
		for j := range 3 {
			for k := range 2 {
				if turned.At(i, j, k) != plain.At(i, 2-j, k) {
					t.Fatalf("turned round: %v of %v", turned.Data, plain.Data)
				}
			}
		}
	}
	x.Reversed, x.NaN = []int{0, 2}, []int{4}
	both := b.Generate()["x"]
	if both.At(0, 0, 1) != plain.At(1, 0, 0) || !math.IsNaN(both.Data[4]) {
		t.Errorf("turned round twice, one element NaN: %v of %v", both.Data, plain.Data)
	}
}

func TestGaps(t *testing.T) {
	b := New("gaps", "test", "")
	u, step := b.Input("u", golden.Fill{Shape: []int{5}}), b.Constant("t", 0.5)
	// factor 1/2, threshold 1/4
	signed := b.Node("prox", Place{Quantity: "signed"}, Attrs{"lambda": 1, "mu": 2}, u, step)
	positive := b.Node("prox", Place{Quantity: "positive"}, Attrs{"lambda": 1, "mu": 2, "nonnegative": 1}, u,
		step)
	of := Values{"u": tensor.From([]float64{-2, -0.5, 0, 0.5, 2}, 5), "t": scalar(0.5)}
	for _, c := range []struct {
		node       string
		value, gap []float64
	}{
		{signed, []float64{-0.75, 0, 0, 0, 0.75}, []float64{0.75, 0, -0.25, 0, 0.75}},
		{positive, []float64{0, 0, 0, 0, 0.75}, []float64{-1.25, -0.5, -0.25, 0, 0.75}},
	} {
		v, err := b.Recompute(b.Case.Node(c.node), of)
		if err != nil || !slices.Equal(v.Data, c.value) || !slices.Equal(v.Gap, c.gap) {
			t.Errorf("%s: %v, gap %v, %v, want %v, %v", c.node, v.Data, v.Gap, err, c.value, c.gap)
		}
	}
}

func TestMistakesPanic(t *testing.T) {
	for says, f := range map[string]func(b *Builder){
		"no new name":          func(b *Builder) { b.Constant("a", 1) },
		"unknown operator":     func(b *Builder) { b.Node("nonsense", Place{Quantity: "y"}, nil, "a") },
		`there is no node "b"`: func(b *Builder) { b.Node("relu", Place{Quantity: "y"}, nil, "b") },
		`there is no node "a"`: func(b *Builder) { b.Require("a") },
		"no gradient reaches": func(b *Builder) {
			b.Backward(b.Node("relu", Place{Quantity: "y"}, nil, "a"), "a", "c")
		},
		`"a" is no new name`: func(b *Builder) { b.Node("relu", Place{Quantity: "a"}, nil, "a") },
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); !strings.Contains(got, says) {
					t.Errorf("panic %q, want one that says %s", got, says)
				}
			}()
			b := New("mistakes", "test", "")
			b.Constant("a", 1)
			b.Constant("c", 1)
			f(b)
		}()
	}
}
