package autodiff

import (
	"testing"

	"sdref/tensor"
)

// square returns x*x with the derivative 2x, its value computed from a detached x. If seen is not nil, it counts the rule's calls.
func square(x *Var[float64], seen *int) *Var[float64] {
	y := Scale(x.Keep().Detach(), 1)
	times(y.Value(), y.Value(), y.Value())
	return Custom(y, func(dst []*tensor.Tensor[float64], dy, _ *tensor.Tensor[float64], args []*tensor.Tensor[float64], _ *tensor.Arena[float64]) {
		*seen++
		times(dst[0], dy, args[0])
		tensor.Scale(dst[0], dst[0], 2)
	}, x)
}

// In a chain with other operations, on both sides, and with values that Backward has to compute again.
func TestCustomInAChain(t *testing.T) {
	arena := tensor.NewArena[float64]()
	tape := NewTape(arena)
	x, calls := tape.Leaf(vector(1, -2, 3.0)), 0
	y := Scale(square(Scale(x, 2), &calls), 0.5) // 2 x^2
	mustEqual(t, "value", y.Value(), vector(2, 8, 18.0))
	tape.Backward(y, vector(1, 10, 100.0))
	mustEqual(t, "gradient", x.Grad(), vector(4, -80, 1200.0))
	if calls != 1 {
		t.Errorf("the rule was called %d times", calls)
	}
	tape.Reset()
	if arena.Out() != 0 {
		t.Errorf("%d tensors are out after Reset", arena.Out())
	}
}

// The rule is called once for all arguments, and not asked for what nobody wants.
func TestCustomAsksForWhatIsWanted(t *testing.T) {
	for _, wanted := range [][2]bool{{true, true}, {true, false}, {false, true}} {
		arena := tensor.NewArena[float64]()
		tape := NewTape(arena)
		var args [2]*Var[float64]
		for i, w := range wanted {
			args[i] = tape.Constant(vector(1.0, 2))
			if w {
				args[i] = tape.Leaf(vector(1.0, 2))
			}
		}
		calls := 0
		y := Custom(Scale(args[0].Detach(), 1), func(dst []*tensor.Tensor[float64], dy, _ *tensor.Tensor[float64], _ []*tensor.Tensor[float64], _ *tensor.Arena[float64]) {
			calls++
			for i, d := range dst {
				if (d != nil) != wanted[i] {
					t.Errorf("wanted %v, asked for %v", wanted, dst)
				}
				if d != nil {
					tensor.Scale(d, dy, float64(i+1))
				}
			}
		}, args[0], args[1])
		tape.Backward(y, vector(1.0, 1))
		for i, w := range wanted {
			if w {
				mustEqual(t, "gradient", args[i].Grad(), vector(float64(i+1), float64(i+1)))
			}
		}
		tape.Reset()
		if calls != 1 || arena.Out() != 0 {
			t.Errorf("wanted %v: %d calls, %d tensors out", wanted, calls, arena.Out())
		}
	}
}

// What is computed from a detached value leaves no record and no gradient, and its memory is free again at once.
func TestDetach(t *testing.T) {
	arena := tensor.NewArena[float64]()
	tape := NewTape(arena)
	x := tape.Leaf(vector(1.0, 2))
	h := Scale(x, 3)
	for range 4 {
		Scale(Scale(h.Keep().Detach(), 2), 2).Drop()
	}
	Scale(x.Detach(), 2).Drop()
	if len(tape.records) != 1 || arena.Out() != 1 {
		t.Errorf("%d records, %d tensors out, want 1 and 1", len(tape.records), arena.Out())
	}
	y := Add(h.Keep(), Scale(h.Detach(), 5))
	mustEqual(t, "value", y.Value(), vector(18.0, 36))
	tape.Backward(y, vector(1.0, 1))
	mustEqual(t, "gradient, of the first summand alone", x.Grad(), vector(3.0, 3))
	gone := Scale(x, 1)
	gone.Drop()
	mustPanic(t, "consumed", func() { gone.Detach() })
}

func TestCustomOfAValueWithAGradient(t *testing.T) {
	tape := newTape[float64]()
	x := tape.Leaf(vector(1.0))
	mustPanic(t, "detached", func() { Custom(Scale(x, 1), nil, x) })
}

// A scalar that is a constant changes neither bits nor what is saved.
func TestConstantScalars(t *testing.T) {
	x, y := normal[float32](1, 2, 3, 5, 4), normal[float32](2, 2, 3, 5, 4)
	run := func(op func(a, b *Var[float32]) *Var[float32]) (value, da, db *tensor.Tensor[float32], out int) {
		arena := tensor.NewArena[float32]()
		tape := NewTape(arena)
		a, b := tape.Leaf(x), tape.Leaf(y)
		z := op(Scale(a, 1), Scale(b, 1))
		value, out = z.Value().Clone(), arena.Out()
		tape.Backward(z, normal[float32](3, 2, 3, 5, 4))
		return value, a.Grad().Clone(), b.Grad().Clone(), out
	}
	number := func(v *Var[float32], s float32) *Var[float32] { return v.tape.Constant(tensor.From([]float32{s})) }
	const lambda, step, mu = 0.5, 0.75, 0.625
	c := 1 / (1 + mu*step)
	value, da, db, out := run(func(a, b *Var[float32]) *Var[float32] {
		return Shrink(AddScaled(a, Scale(b, -0.375), step), float32(c), float32(lambda*step*c), false)
	})
	value2, da2, db2, out2 := run(func(a, b *Var[float32]) *Var[float32] {
		return ShrinkBy(AddScaledBy(a, ScaleBy(b, number(b, -0.375)), number(a, step)), number(a, step), number(a, lambda), mu, false)
	})
	mustEqual(t, "value", value2, value)
	mustEqual(t, "da", da2, da)
	mustEqual(t, "db", db2, db)
	if out != out2 {
		t.Errorf("%d tensors are out, %d with numbers", out2, out)
	}
}

// Where the gradient of a scalar is wanted, what it multiplies is not overwritten, even if nobody else needs it.
func TestScalarsKeepWhatTheyMultiply(t *testing.T) {
	tape := newTape[float64]()
	a, b, s := tape.Leaf(vector(1.0, 2)), tape.Leaf(vector(3.0, 5)), tape.Leaf(tensor.From([]float64{2}))
	tape.Backward(ScaleBy(Scale(a, 10), s), vector(1, 100.0))
	mustEqual(t, "ScaleBy: gradient of s", s.Grad(), tensor.From([]float64{10 + 2000}))
	tape.Reset()
	tape.Backward(AddScaledBy(a, Scale(b, 10), s), vector(1, 100.0)) // a is a leaf: only b's memory could be taken
	mustEqual(t, "AddScaledBy: gradient of s", s.Grad(), tensor.From([]float64{30 + 5000}))
}

func TestScalarsHaveOneElement(t *testing.T) {
	tape := newTape[float64]()
	x, one := tape.Leaf(vector(1.0, 2)), tape.Constant(vector(1.0))
	mustShapePanic(t, "ScaleBy", func() { ScaleBy(x, x) })
	mustShapePanic(t, "AddScaledBy", func() { AddScaledBy(x, x, x) })
	mustShapePanic(t, "AddScaledBy", func() { AddScaledBy(x, one, one) })
	mustShapePanic(t, "ShrinkBy", func() { ShrinkBy(x, x, one, 0, false) })
	mustShapePanic(t, "ShrinkBy", func() { ShrinkBy(x, one, x, 0, false) })
}
