package autodiff

import (
	"fmt"
	"math"
	"testing"

	"sdref/tensor"
)

// An input is the tensor itself, read when the program runs.
func TestInputsAreReadWhenTheProgramRuns(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2)
	y := Scale(x, 2, nil)
	p := programOf[float64](y, x)
	in := vector(1.0, 2)
	p.Set(x, in)
	p.Run()
	in.Data[0] = 5
	mustEqual(t, "before the next run", p.Value(y), vector(2.0, 4))
	p.Run()
	mustEqual(t, "after it", p.Value(y), vector(10.0, 4))
	mustEqual(t, "an input that is an output", p.Value(x), vector(5.0, 2))
	p.Set(x, vector(7.0, 8))
	p.Run()
	mustEqual(t, "another tensor", p.Value(y), vector(14.0, 16))
}

// A number keeps every digit for operators that use them, and the last of Set and SetNumber holds.
func TestNumbers(t *testing.T) {
	const digits = 1 + 0x1p-40 // 1 in float32
	g := NewGraph()
	x, lambda, step := g.Input("x"), g.Input("lambda", 1), g.Input("t")
	s := StepSize(x, 1)
	y := Scale(step, 2, x)
	rounds := Rounds(1, x)
	p := programOf[float32](y, rounds, s)
	p.Set(step, number[float32](3))
	p.SetNumber(x, digits)
	p.SetNumber(lambda, 5) // not needed, ignored
	p.Set(lambda, vector[float32](5))
	p.Run()
	mustEqual(t, "in float32", p.Value(y), number[float32](6))
	p.Run()

	wide := Rounds(1, x, step)
	q := programOf[float32](wide)
	q.SetNumber(x, digits)
	q.SetNumber(step, 0)
	q.Run()
	mustEqual(t, "a number that is above 1 with every digit only", q.Value(wide), number[float32](2))
	mine := number[float32](1)
	q.Set(x, mine)
	q.Run()
	mustEqual(t, "after Set", q.Value(wide), number[float32](1))
	q.SetNumber(x, digits)
	q.Run()
	mustEqual(t, "after SetNumber", q.Value(wide), number[float32](2))
	q.SetNumber(x, 7)
	mustEqual(t, "the tensor that was set before", mine, number[float32](1))
	v := g.Input("v", 2)
	mustShapePanic(t, "input", func() { programOf[float32](v).SetNumber(v, 1) })
}

// Wide values have more digits than the type, for other operators and for Number.
func TestWideValues(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2)
	s := SumSquares(x)
	d := Distance(x, g.Input("y", 2))
	p := programOf[float32](s, d)
	p.Set(x, vector[float32](1, 0x1p-15)) // 1 + 2^-30 is 1 in float32
	p.Set(g.Node("y"), vector[float32](0, 0))
	p.Run()
	for _, n := range []*Node{s, d} {
		if got := p.Number(n); got != 1+0x1p-30 {
			t.Errorf("%s is %v, want %v", n, got, 1+0x1p-30)
		}
		mustEqual(t, n.String(), p.Value(n), number[float32](1))
	}
	if p.arena.Live() != 0 {
		t.Errorf("%d tensors are out: wide values have memory of their own, Distance gives back its own",
			p.arena.Live())
	}
	one := programOf[float64](Scale(g.Input("z"), 2, nil))
	one.SetNumber(g.Node("z"), 1.5)
	one.Run()
	if got := one.Number(one.Plan.outputs[0].Node); got != 3 {
		t.Errorf("the number of a value that is not wide is %v", got)
	}
}

// The running statistics, by hand. Channel 0 holds 1, 2, 3, 6: mean 3, squares about it 4+1+0+9 = 14. Channel
// 1 holds 0, 0, 4, 4: mean 2, squares 16. The variance that is kept is over n-1, the one that normalises over
// n.
func TestRunningStatistics(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2, 2, 1, 2)
	list := []*Node{g.Input("gamma", 2), g.Input("beta", 2), g.Input("mean", 2), g.Input("variance", 2)}
	y, mean, variance := BatchNorm("bn", x,
		Norm{list[0], list[1], list[2], list[3], BatchNormEpsilon, BatchNormMomentum}, true)
	v := values[float64]{x: tensor.From([]float64{1, 2, 0, 0, 3, 6, 4, 4}, 2, 2, 1, 2),
		list[0]: vector(2.0, 1), list[1]: vector(0.5, 0),
		list[2]: vector(10.0, -1), list[3]: vector(2.0, 5)}
	out := evaluate(v, y, mean, variance)
	for name, c := range map[string][2]float64{
		"running mean 0":     {out[1].Data[0], 0.9*10 + 0.1*3},
		"running mean 1":     {out[1].Data[1], 0.9*-1 + 0.1*2},
		"running variance 0": {out[2].Data[0], 0.9*2 + 0.1*14/3},
		"running variance 1": {out[2].Data[1], 0.9*5 + 0.1*16/3},
		"y of 6":             {out[0].At(1, 0, 0, 1), 2*3/math.Sqrt(14./4+1e-5) + 0.5},
		"y of 0":             {out[0].At(0, 1, 0, 0), -2 / math.Sqrt(16./4+1e-5)},
	} {
		if d := c[0] - c[1]; d > 2e-15 || d < -2e-15 {
			t.Errorf("%s is %v, want %v", name, c[0], c[1])
		}
	}
	if y, mean, variance := BatchNorm("evaluation", x, Norm{list[0], list[1], list[2], list[3], 1e-5, 0.1},
		false); mean != list[2] || variance != list[3] {
		t.Errorf("%s changes running statistics", y)
	}
}

// Velocity and weights in one pass have the bits that they have one after the other, and both overwrite their
// inputs.
func TestDescentInPlace(t *testing.T) {
	t.Run("float32", testDescent[float32])
	t.Run("float64", testDescent[float64])
}

func testDescent[T tensor.Float](t *testing.T) {
	const n = 3*tensor.Grain + 1234 // several ranges, the last one short
	d := Descent{Rate: 0.25, Momentum: 0.875, Decay: 0.0625}
	for _, input := range []bool{false, true} {
		g := NewGraph()
		w, dw, v, rate := g.Input("w", n), g.Input("dw", n), g.Input("v", n), (*Node)(nil)
		if input {
			rate = g.Input("rate")
		}
		velocity := Velocity(v, dw, w, d)
		after := Nesterov(w, dw, velocity, rate, d)
		in := drawn[T](g, 7)
		want := naively(g, in)
		p := NewProgram(NewPlan(Wanted{Outputs: []*Node{velocity, after},
			Updates: map[*Node]*Node{velocity: v, after: w}}), tensor.NewArena[T]())
		if len(p.Plan.Steps) != 1 || p.Plan.Steps[0].Pair != descentPair {
			t.Fatalf("the steps are %v", p.Plan.Steps)
		}
		kept := in.clone()
		everywhere(t, func(where string) {
			for node, x := range kept {
				copy(in[node].Data, x.Data)
			}
			in.set(p)
			p.Run()
			for _, c := range [][2]*Node{{velocity, v}, {after, w}} {
				what := fmt.Sprintf("%s on %s", c[0], where)
				mustEqual(t, what, p.Value(c[0]), want.value[c[0]])
				mustEqual(t, what+", where its input was", in[c[1]], want.value[c[0]])
			}
			mustEqual(t, "gradient", in[dw], kept[dw])
		})
		if p.arena.Capacity() != 0 {
			t.Errorf("the arena holds %d elements", p.arena.Capacity())
		}
	}
}

// An optimiser's step in the program that computes its gradient overwrites the weights behind their last use.
func TestUpdatesAfterTheGradient(t *testing.T) {
	g := NewGraph()
	x, w, b, y := g.Input("x", 3, 2), g.Input("w", 1, 2), g.Input("b", 1), g.Input("y", 3, 1)
	r := Axpy(Linear(x, w, b), y, -1, nil)
	dw := Backward(r, r, w)[0] // of |r|^2/2
	after := Axpy(w, dw, -0.25, nil)
	in := drawn[float64](g, 1)
	p := NewProgram(NewPlan(Wanted{Outputs: []*Node{after}, Updates: map[*Node]*Node{after: w}}),
		tensor.NewArena[float64]())
	in.set(p)
	for range 3 {
		want := naively(g, in).value[after]
		p.Run()
		mustEqual(t, "weights", in[w], want)
	}
}

func TestUpdatesThatCannotBe(t *testing.T) {
	g := NewGraph()
	x, other := g.Input("x", 3), g.Input("other", 3)
	unit, y := Unit(x), Axpy(x, other, -1, nil)
	z := ReLU(x)
	late := Add(x, ReLU(y))
	plan := func(out, in *Node, outputs ...*Node) func() {
		return func() { NewPlan(Wanted{Outputs: outputs, Updates: map[*Node]*Node{out: in}}) }
	}
	const cannot = "cannot overwrite"
	mustPanic(t, cannot+" x",
		plan(unit, x, unit)) // its operator reads all before it writes
	mustPanic(t, cannot+" x", plan(y, x, y, late))   // x is read later
	mustPanic(t, cannot+" x", plan(y, x, y, z))      // and here too
	mustPanic(t, cannot+" other", plan(z, other, z)) // z is not made of it
	mustPanic(t, cannot+" x",
		plan(z, x, z, x)) // x itself is asked for
	mustPanic(t, cannot+" x", plan(z, x, y))                                            // z is not computed
	mustPanic(t, cannot+" x", plan(Extrapolate(x, x, 0.5), x, g.Nodes[len(g.Nodes)-1])) // x is read twice
	plan(y, x, y)()
	plan(y, other, y)()
	plan(late, x, late)()
}

// Watched nodes are shown as soon as they are there, also those whose memory the next operator takes, and
// with every term.
func TestWatchedNodes(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 2, 1, 1, 2)
	h := Scale(x, 2, nil)
	r := ReLU(h)
	s := Add(r, h, x, x)
	norm := SumSquares(s)
	y := Scale(Axpy(s, h, -1, nil), 1, norm)
	p := NewProgram(NewPlan(Wanted{Outputs: []*Node{y}, Watched: []*Node{h, r, s, norm, y}}),
		tensor.NewArena[float64]())
	in := values[float64]{x: tensor.From([]float64{-1, 2, 3, -4}, 2, 1, 1, 2)}
	in.set(p)
	p.Run() // nobody watches
	want := naively(g, in)
	for range 2 {
		var order []*Node
		p.Observe = func(n *Node, value *tensor.Tensor[float64]) {
			order = append(order, n)
			mustEqual(t, n.String(), value, want.value[n])
		}
		p.Run()
		if fmt.Sprint(order) != fmt.Sprint([]*Node{h, r, s, norm, y}) {
			t.Errorf("shown %v", order)
		}
	}
}
