package autodiff

import (
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

const usedAfter = "used after an operation had consumed it; call Keep"

func TestKeepSumsGradients(t *testing.T) {
	tape := newTape[float64]()
	x := tape.Leaf(vector(1.0, 2, 3))
	h := Scale(x, 2)
	y := Add(Scale(h.Keep(), 5), Add(Scale(h.Keep(), 7), h)) // 13h = 26x
	mustEqual(t, "value", y.Value(), vector(26.0, 52, 78))
	tape.Backward(y, vector(1.0, 10, 100))
	mustEqual(t, "gradient", x.Grad(), vector(26.0, 260, 2600))
}

func TestDiamonds(t *testing.T) {
	tape := newTape[float64]()
	x, seed := tape.Leaf(vector(1.0, -1)), vector(1.0, 1)
	h := Scale(x, 1)
	for range 10 { // ten diamonds in a row: 2^10 paths
		h = Add(ReLU(Scale(h.Keep(), -1)), ReLU(h)) // |h|
		h = Add(h.Keep(), h)
	}
	mustEqual(t, "value", h.Value(), vector(1024.0, 1024))
	tape.Backward(h, seed)
	mustEqual(t, "gradient", x.Grad(), vector(1024.0, -1024))
	mustEqual(t, "seed", seed, vector(1.0, 1))
}

// A leaf may be used any number of times; identities hand on one gradient tensor to several owners, none of whom may
// change it.
func TestSharedGradientsStayApart(t *testing.T) {
	tape := newTape[float64]()
	a, b, c := tape.Leaf(vector(1.0)), tape.Leaf(vector(2.0)), tape.Leaf(vector(3.0))
	y := Add(Add(a, b), AddScaled(Scale(Add(a, c), 2), b, 10)) // 3a + 11b + 2c
	tape.Backward(y, nil)
	mustEqual(t, "da", a.Grad(), vector(3.0))
	mustEqual(t, "db", b.Grad(), vector(11.0))
	mustEqual(t, "dc", c.Grad(), vector(2.0))
}

func TestUseAfterConsumptionPanics(t *testing.T) {
	tape := newTape[float64]()
	x := tape.Leaf(vector(1.0, 2))
	for name, f := range map[string]func(h *Var[float64]){
		"second operation": func(h *Var[float64]) { Scale(h, 2); Scale(h, 3) },
		"Value":            func(h *Var[float64]) { Scale(h, 2); h.Value() },
		"Keep too late":    func(h *Var[float64]) { Scale(h, 2); h.Keep() },
		"Drop":             func(h *Var[float64]) { Scale(h, 2); h.Drop() },
		"twice in one":     func(h *Var[float64]) { Add(h, h) },
		"after Drop":       func(h *Var[float64]) { h.Drop(); Scale(h, 2) },
		"one Keep, three":  func(h *Var[float64]) { Add(h.Keep(), h); ReLU(h) },
		"after Reset":      func(h *Var[float64]) { tape.Reset(); ReLU(h) },
	} {
		t.Run(name, func(t *testing.T) { mustPanic(t, usedAfter, func() { f(Scale(x, 1)) }) })
	}
}

func TestShapeOutlivesTheValue(t *testing.T) {
	tape := newTape[float32]()
	h := Scale(tape.Constant(normal[float32](1, 2, 3)), 2)
	Scale(h, 2)
	if s := h.Shape(); len(s) != 2 || s[0] != 2 || s[1] != 3 {
		t.Errorf("shape %v", s)
	}
}

func TestSeedWeighsTheResult(t *testing.T) {
	tape := newTape[float64]()
	x := tape.Leaf(vector(1.0, 2, 3))
	y := Scale(x, 4)
	mustShapePanic(t, "Backward", func() { tape.Backward(y, vector(1.0, 2)) })
	mustPanic(t, "one element, not shape [3]", func() { tape.Backward(y, nil) })
	seed := vector(1.0, 0, -0.5)
	tape.Backward(y, seed)
	mustEqual(t, "gradient", x.Grad(), vector(4.0, 0, -2))
	mustEqual(t, "seed", seed, vector(1.0, 0, -0.5))
}

func TestBackwardAccumulatesUntilReset(t *testing.T) {
	tape := newTape[float64]()
	x := tape.Leaf(vector(1.0, 2))
	tape.Backward(Scale(x, 3), vector(1.0, 1))
	tape.Backward(Scale(x, 5), vector(1.0, 10))
	mustEqual(t, "gradient", x.Grad(), vector(8.0, 53))
	tape.Backward(x, vector(0.5, 0.5)) // from the leaf itself
	mustEqual(t, "gradient", x.Grad(), vector(8.5, 53.5))
	tape.Reset()
	if x.Grad() != nil {
		t.Errorf("gradient %v after Reset", x.Grad())
	}
	if out := tape.arena.Out(); out != 0 {
		t.Errorf("%d tensors are out after Reset", out)
	}
}

// Backward uses the records up; to differentiate through them again would silently give nothing.
func TestBackwardThroughUsedRecordsPanics(t *testing.T) {
	tape := newTape[float64]()
	x := tape.Leaf(vector(1.0))
	h := Scale(x, 3)
	y := Scale(h.Keep(), 5)
	tape.Backward(y, nil)
	const used = "used up"
	mustPanic(t, used, func() { tape.Backward(y, nil) })
	mustPanic(t, used, func() { tape.Backward(h, nil) })
	mustPanic(t, used, func() { tape.Backward(Scale(h.Keep(), 2), nil) })
	mustEqual(t, "gradient", x.Grad(), vector(15.0))
	tape.Backward(Add(h, Scale(x, 2)), nil) // h is a constant now
	mustEqual(t, "gradient", x.Grad(), vector(17.0))
	tape.Reset()
	if out := tape.arena.Out(); out != 0 {
		t.Errorf("%d tensors are out after Reset", out)
	}
}

func TestBackwardNeedsALeaf(t *testing.T) {
	const noLeaf = "no leaf has an influence"
	tape := newTape[float64]()
	c := tape.Constant(vector(1.0))
	mustPanic(t, noLeaf, func() { tape.Backward(Scale(c, 2), nil) })
	mustPanic(t, noLeaf, func() { tape.Backward(c, nil) })
	quiet := NoGrad(tensor.NewArena[float64]())
	mustPanic(t, noLeaf, func() { quiet.Backward(Scale(quiet.Leaf(vector(1.0)), 2), nil) })
	x := tape.Leaf(vector(5.0))
	tape.Backward(Add(Scale(x, 2), c), nil)
	mustEqual(t, "gradient", x.Grad(), vector(2.0))
	if c.Grad() != nil {
		t.Errorf("a constant has the gradient %v", c.Grad())
	}
}

// product is a*b, an operation with two pullbacks that may both overwrite dy.
func product(a, b *Var[float64]) *Var[float64] {
	y := a.tape.result(a.Shape()...)
	av, bv := a.Value(), b.Value()
	times := func(dst, u, v *tensor.Tensor[float64]) {
		for i := range dst.Data {
			dst.Data[i] = u.Data[i] * v.Data[i]
		}
	}
	times(y.Value(), av, bv)
	da := func(dst, dy *tensor.Tensor[float64]) { times(dst, dy, bv) }
	db := func(dst, dy *tensor.Tensor[float64]) { times(dst, dy, av) }
	return a.tape.finish(y, op[float64]{args: []*Var[float64]{a, b}, pulls: []pullback[float64]{da, db},
		saves: []*Var[float64]{a, b}, elementwise: true})
}

// Only the last pullback of an operation that is wanted may overwrite dy.
func TestTwoElementwisePullbacks(t *testing.T) {
	tape := newTape[float64]()
	a, b := tape.Leaf(vector(2.0, 3)), tape.Leaf(vector(5.0, 7))
	tape.Backward(product(Scale(a, 1), Scale(b, 1)), vector(1.0, 10))
	mustEqual(t, "da", a.Grad(), vector(5.0, 70))
	mustEqual(t, "db", b.Grad(), vector(2.0, 30))
	tape.Reset()
	h := Scale(a, 1)
	tape.Backward(product(h.Keep(), h), vector(1.0, 10)) // the square
	mustEqual(t, "gradient of the square", a.Grad(), vector(4.0, 60))
	tape.Reset()
	tape.Backward(product(a, tape.Constant(vector(5.0, 7))), vector(1.0, 10))
	mustEqual(t, "da alone", a.Grad(), vector(5.0, 70))
}

// A loop may make its leaves once: Reset takes their gradients, and the next step starts from none.
func TestLeavesOutliveReset(t *testing.T) {
	for name, twice := range map[string]func(x *Var[float64]) *Var[float64]{
		"through an operation": func(x *Var[float64]) *Var[float64] { return Scale(x, 2) },
		"through an identity":  func(x *Var[float64]) *Var[float64] { return Add(x, x) },
	} {
		tape := newTape[float64]()
		x := tape.Leaf(vector(1.0))
		for range 3 {
			tape.Backward(twice(x), nil)
			mustEqual(t, name+": gradient", x.Grad(), vector(2.0))
			tape.Reset()
			if out := tape.arena.Out(); out != 0 || x.Grad() != nil {
				t.Fatalf("%s: after Reset %d tensors are out, the gradient is %v", name, out, x.Grad())
			}
		}
		mustEqual(t, "leaf", x.Value(), vector(1.0))
	}
}

// Values that do not lead to the result give no gradient and no trouble.
func TestSideBranches(t *testing.T) {
	tape := newTape[float64]()
	x, idle := tape.Leaf(vector(1.0, 2)), tape.Leaf(vector(3.0, 4))
	h := Scale(x, 2)
	ReLU(h.Keep()) // saves its value, leads nowhere
	ReLU(Add(idle, idle)).Drop()
	tape.Backward(h, vector(1.0, 1))
	mustEqual(t, "gradient", x.Grad(), vector(2.0, 2))
	if idle.Grad() != nil {
		t.Errorf("a leaf off the path has the gradient %v", idle.Grad())
	}
	tape.Reset()
	if out := tape.arena.Out(); out != 0 {
		t.Errorf("%d tensors are out after Reset", out)
	}
}

func TestDifferentTapesPanic(t *testing.T) {
	const different = "belong to different tapes"
	one, two := newTape[float64](), newTape[float64]()
	x, y := one.Leaf(vector(1.0)), two.Leaf(vector(2.0))
	mustPanic(t, different, func() { Add(x, y) })
	mustPanic(t, different, func() { AddScaled(Scale(x, 2), Scale(y, 2), 2) })
	w := two.Leaf(normal[float64](1, 1, 1, 1, 1))
	mustPanic(t, different, func() { Convolve(one.Leaf(normal[float64](2, 1, 1, 2, 2)), w, conv.Geometry{}) })
	mustPanic(t, "belongs to a different tape", func() { one.Backward(Scale(y, 2), nil) })
}

func TestDropGivesMemoryBack(t *testing.T) {
	arena := tensor.NewArena[float32]()
	tape := NewTape(arena)
	x := tape.Leaf(normal[float32](1, 2, 3))
	h := Scale(x, 2)
	h.Keep()
	h.Drop()
	if arena.Out() != 1 {
		t.Fatalf("one of two uses dropped: %d tensors are out, want 1", arena.Out())
	}
	h.Drop()
	if arena.Out() != 0 {
		t.Errorf("both uses dropped: %d tensors are out", arena.Out())
	}
	x.Drop() // a leaf is not the tape's to give back
	mustEqual(t, "leaf", x.Value(), normal[float32](1, 2, 3))
}
