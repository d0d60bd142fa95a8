package autodiff

import (
	"math"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// network is a small one with every operation; each of its parameters comes from a call of parameter.
func network[T tensor.Float](x *Var[T], labels []int, parameter func(shape ...int) *Var[T], running Running[T],
	training bool) *Var[T] {
	c := running.Mean.Len()
	down := conv.Geometry{Stride: 2, Padding: 1}
	gamma, beta := parameter(c), parameter(c)
	h := Convolve(x, parameter(c, x.Shape()[1], 3, 3), conv.Geometry{Padding: 1})
	h = ReLU(BatchNorm(h, gamma, beta, running, training))
	w := parameter(c+1, c, 3, 3)
	z := Shrink(Scale(Convolve(h.Keep(), w, down), 0.5), 0.9, 0.05, true)
	r := AddScaled(h, ConvolveTransposed(z.Keep(), w, h.Shape()[2], h.Shape()[3], down), -1)
	z = Shrink(Add(z, Convolve(r, w, down)), 1, 0.02, false)
	pooled := AveragePool(MaxPool(z, 3, 2, 1))
	return CrossEntropy(Linear(pooled, parameter(5, c+1), parameter(5)), labels)
}

// step runs network once, backwards too if the tape records, and returns loss, running statistics and gradients. The
// parameters are drawn anew from the same seeds.
func step[T tensor.Float](tape *Tape[T], images, channels, height, width int, training bool) []*tensor.Tensor[T] {
	running := Running[T]{Mean: tensor.New[T](channels), Var: tensor.New[T](channels)}
	running.Var.Fill(1)
	labels := make([]int, images)
	for i := range labels {
		labels[i] = i * 3 % 5
	}
	var parameters []*Var[T]
	parameter := func(shape ...int) *Var[T] {
		value := normal[T](uint64(len(parameters)), shape...)
		tensor.Scale(value, value, 0.25)
		parameters = append(parameters, tape.Leaf(value))
		return parameters[len(parameters)-1]
	}
	loss := network(tape.Constant(normal[T](99, images, 3, height, width)), labels, parameter, running, training)
	results := []*tensor.Tensor[T]{loss.Value().Clone(), running.Mean, running.Var}
	if tape.recording {
		tape.Backward(loss, nil)
		for _, p := range parameters {
			results = append(results, p.Grad().Clone())
		}
	}
	return results
}

func TestSecondStepAllocatesNothing(t *testing.T) {
	for _, recording := range []bool{true, false} {
		arena := tensor.NewArena[float32]()
		tape := NewTape(arena)
		if !recording {
			tape = NoGrad(arena)
		}
		first := step(tape, 3, 4, 9, 8, true)
		held := arena.Held()
		if held == 0 || arena.Out() == 0 {
			t.Fatal("the step took nothing from the arena")
		}
		for range 3 {
			tape.Reset()
			if arena.Out() != 0 {
				t.Fatalf("recording %v: %d tensors are out after Reset", recording, arena.Out())
			}
			for i, r := range step(tape, 3, 4, 9, 8, true) {
				mustEqual(t, "a later step's result", r, first[i])
			}
			if arena.Held() != held {
				t.Fatalf("recording %v: the arena holds %d elements, %d after the first step", recording, arena.Held(), held)
			}
		}
	}
}

// A step given up at any point, for instance after a panic, leaves nothing behind.
func TestResetWithoutBackward(t *testing.T) {
	arena := tensor.NewArena[float32]()
	tape := NewTape(arena)
	x := tape.Leaf(normal[float32](1, 2, 3))
	h := ReLU(Scale(x, 2))
	mustShapePanic(t, "AddScaled", func() { Add(Scale(h.Keep(), 3), tape.Leaf(normal[float32](2, 3, 2))) })
	h.Keep()
	tape.Reset()
	if arena.Out() != 0 {
		t.Errorf("%d tensors are out after Reset", arena.Out())
	}
}

func TestNoGradGivesTheSameBits(t *testing.T) {
	for _, training := range []bool{true, false} {
		recorded := step(newTape[float32](), 3, 4, 9, 8, training)
		arena := tensor.NewArena[float32]()
		for i, r := range step(NoGrad(arena), 3, 4, 9, 8, training) {
			mustEqual(t, "loss or running statistics", r, recorded[i])
		}
		if arena.Out() != 1 {
			t.Errorf("training %v: %d tensors are out, want only the loss", training, arena.Out())
		}
	}
}

// What BatchNorm and ReLU give is computed again for the pullbacks; only the convolutions' results are kept.
func TestCheapResultsAreNotKept(t *testing.T) {
	arena := tensor.NewArena[float32]()
	tape := NewTape(arena)
	running := Running[float32]{Mean: tensor.New[float32](3), Var: tensor.New[float32](3)}
	g := conv.Geometry{Padding: 1}
	w, ones := tape.Leaf(normal[float32](2, 3, 3, 3, 3)), tape.Leaf(vector[float32](1, 1, 1))
	h := Convolve(tape.Leaf(normal[float32](1, 2, 3, 6, 5)), w, g)
	y := Convolve(ReLU(BatchNorm(h, ones, ones, running, true)), w, g)
	if arena.Out() != 3 {
		t.Errorf("before y is computed %d tensors are out, want both convolutions' and ReLU's", arena.Out())
	}
	y.Value()
	if arena.Out() != 2 {
		t.Errorf("after y was computed %d tensors are out, want both convolutions'", arena.Out())
	}
}

// Elementwise operations wait for a convolution, whoever asks first, and nobody asks for what was dropped.
func TestDeferredOperations(t *testing.T) {
	arena := tensor.NewArena[float32]()
	tape := NoGrad(arena)
	x, w := normal[float32](1, 2, 3, 6, 5), normal[float32](2, 3, 3, 3, 3)
	g := conv.Geometry{Padding: 1}
	want := tensor.New[float32](x.Shape...)
	conv.Forward(want, x, w, g)
	h := Convolve(tape.Constant(x), tape.Constant(w), g)
	if h.buf.todo == nil {
		t.Fatal("the convolution did not wait")
	}
	y := AddScaled(Scale(h.Keep(), 2), h.Keep(), 1)
	mustEqual(t, "the convolution, asked for by Scale", h.Value(), want)
	tensor.AddScaled(want, want, want, 2)
	mustEqual(t, "their sum", y.Value(), want)
	h.Drop()
	Convolve(y, tape.Constant(w), g).Drop()
	if arena.Out() != 0 {
		t.Errorf("%d tensors are out after all were consumed or dropped", arena.Out())
	}
}

// Pullbacks read nothing but what their operation saves, and read that where it then is: here all arguments are consumed and, if
// saved, evicted, the result is overwritten by the next operation if nobody needs it, and whatever the arena has free is filled
// with NaN before Backward.
func TestPullbacksReadWhatTheySave(t *testing.T) {
	for _, r := range table[float64]() {
		values := r.draw(4)
		seed := seedFor(r, values)
		_, want := evaluate(r, values, all, seed, nil)
		tape := newTape[float64]()
		var leaves, computed []*Var[float64]
		for _, v := range values {
			leaves = append(leaves, tape.Leaf(v))
			x := Scale(leaves[len(leaves)-1], 1)
			x.buf.again = &deferred[float64]{compute: func(conv.Then) { copy(x.buf.Data, v.Data) }}
			computed = append(computed, x)
		}
		y := Scale(r.apply(computed), 1)
		for _, v := range append(values, y.Value()) {
			poison(tape.arena, v.Len())
		}
		tape.Backward(y, seed)
		for i, v := range leaves {
			mustEqual(t, r.title()+": gradient", v.Grad(), want[i])
		}
	}
}

// poison fills the arena's free tensors of n elements with NaN; there are at most a handful.
func poison(arena *tensor.Arena[float64], n int) {
	var list []*tensor.Tensor[float64]
	for range 8 {
		x := arena.Get(n)
		x.Fill(math.NaN())
		list = append(list, x)
	}
	for _, x := range list {
		arena.Put(x)
	}
}

// An inference chain of any length needs the memory of its two largest neighbours, one where it works in place.
func TestNoGradWorksInPlace(t *testing.T) {
	arena := tensor.NewArena[float32]()
	tape := NoGrad(arena)
	running := Running[float32]{Mean: tensor.New[float32](3), Var: tensor.New[float32](3)}
	ones := tape.Leaf(vector[float32](1, 1, 1))
	x := tape.Constant(normal[float32](1, 2, 3, 4, 5))
	h := Scale(x, 2)
	for range 5 {
		h = Add(Shrink(ReLU(AddScaled(h, x, 1)), 1, 0.1, false), x)
		h = BatchNorm(h, ones, ones, running, false)
	}
	one := tensor.NewArena[float32]()
	one.Get(2, 3, 4, 5)
	if arena.Held() != one.Held() {
		t.Errorf("the arena holds %d elements, want the %d of one value", arena.Held(), one.Held())
	}
	if len(tape.kept) != 1 {
		t.Errorf("the tape remembers %d values, want only the last", len(tape.kept))
	}
	mustEqual(t, "input", x.Value(), normal[float32](1, 2, 3, 4, 5))
}
