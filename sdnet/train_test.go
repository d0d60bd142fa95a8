package sdnet_test

import (
	"math"
	"runtime"
	"testing"

	"sdref/csc"
	"sdref/sdnet"
	"sdref/tensor"
)

// TestStepIsThePublishedOrder writes a training step out: step sizes from the weights as the optimiser left them, then atoms
// normalised, forward with the batch's statistics, mean cross-entropy, backward, SGD on every parameter.
func TestStepIsThePublishedOrder(t *testing.T) {
	for _, kind := range kinds {
		n := build[float64](t, small(t, kind, 16), 1)
		stir(n, 2)
		trainer, manual := sdnet.NewTrainer(n, 0.9, 0.01), n.Clone()
		velocity := map[string][]float64{}
		for step := range 3 {
			x, labels := noise[float64](uint64(step), 1, 4, 3, 16, 16), []int{4, 0, 2, step}
			result := trainer.Step(x, labels, 0.1)

			estimates := manual.UpdateSteps()
			manual.NormalizeAtoms()
			l := &lossOf{Network: manual, x: x, labels: labels, training: true}
			r := l.run(true)
			if loss := r.Value(r.loss).Data[0]; result.Loss != loss {
				t.Errorf("%s, step %d: loss %g, want %g", kind, step, result.Loss, loss)
			}
			for i, p := range manual.Parameters() {
				if velocity[p.Name] == nil {
					velocity[p.Name] = make([]float64, p.Len())
				}
				nesterov(p.Data, velocity[p.Name], r.Value(r.gradients[i]).Data, 0.1, 0.9, 0.01)
			}
			for i, e := range estimates {
				if e != result.Estimates[i] {
					t.Errorf("%s, step %d: estimate %+v, want %+v", kind, step, result.Estimates[i], e)
				}
			}
			for i, s := range manual.State() {
				// The optimiser here rounds differently; the next step may start from the trainer's numbers.
				if got := n.State()[i]; !near(got.Data, s.Data, 1e-12) {
					t.Errorf("%s, step %d: %s differs", kind, step, s.Name)
				}
				copy(s.Data, n.State()[i].Data)
			}
		}
	}
}

// nesterov is SGD as PyTorch's documentation writes it, on plain slices.
func nesterov(w, velocity, gradient []float64, rate, momentum, decay float64) {
	for i := range w {
		g := gradient[i] + decay*w[i]
		velocity[i] = momentum*velocity[i] + g
		w[i] -= rate * (g + momentum*velocity[i])
	}
}

// near tells whether all elements agree to a share of the largest.
func near(got, want []float64, share float64) bool {
	largest, off := 0.0, 0.0
	for i, v := range want {
		largest, off = max(largest, math.Abs(v)), max(off, math.Abs(got[i]-v))
	}
	return off <= share*largest
}

// TestOrderMatters shows that the other order, atoms normalised before the step sizes are computed, gives other numbers, and
// that Step's sizes are those of the weights as they were.
func TestOrderMatters(t *testing.T) {
	n := build[float64](t, small(t, "sdnet8_all_narrow", 16), 1)
	stir(n, 2)
	other, raw := n.Clone(), n.Clone()
	x, labels := noise[float64](1, 1, 4, 3, 16, 16), []int{0, 1, 2, 3}
	result := sdnet.NewTrainer(n, 0.9, 5e-4).Step(x, labels, 0.1)

	other.NormalizeAtoms()
	late := other.UpdateSteps()
	trainer := sdnet.NewTrainer(other, 0.9, 5e-4)
	reversed := trainer.Gradients(x, labels)
	trainer.Apply(0.1)
	if result.Loss == reversed.Loss {
		t.Error("both orders give one loss")
	}
	for i, l := range raw.Layers {
		e := csc.PowerIteration(l.Vector, l.Weight, l.Height, l.Width, l.Geometry)
		if result.Estimates[i] != e || n.Layers[i].StepSize.Data[0] != csc.StepShare/e.Value {
			t.Errorf("%s: step %g from %+v, want that of the raw weights, %+v", l.Name, n.Layers[i].StepSize.Data[0], result.Estimates[i], e)
		}
		if math.Abs(late[i].Value/e.Value-1) < 1e-3 {
			t.Errorf("%s: both orders give the eigenvalue %g", l.Name, e.Value)
		}
		if near(other.Layers[i].Weight.Data, n.Layers[i].Weight.Data, 1e-6) {
			t.Errorf("%s: both orders give the same weights", l.Name)
		}
	}
}

// TestStepIsItsParts compares Step with what it is made of, bit for bit.
func TestStepIsItsParts(t *testing.T) {
	for _, kind := range kinds {
		whole := build[float32](t, small(t, kind, 16), 1)
		parts := whole.Clone()
		a, b := sdnet.NewTrainer(whole, 0.9, 5e-4), sdnet.NewTrainer(parts, 0.9, 5e-4)
		for step := range 3 {
			x, labels := noise[float32](uint64(step), 1, 3, 3, 16, 16), []int{4, 1, step}
			want := a.Step(x, labels, 0.05)
			parts.UpdateSteps()
			got := b.Gradients(x, labels)
			if top := sdnet.TopK(b.Logits(), labels, 1); got.Correct != top || got.Loss != want.Loss || got.Correct != want.Correct {
				t.Errorf("%s, step %d: %+v, want %+v", kind, step, got, want)
			}
			b.Apply(0.05)
			sameState(t, kind, parts, whole)
			for i, v := range a.Optimizer.Velocity {
				if !tensor.SameBits(b.Optimizer.Velocity[i], v) {
					t.Errorf("%s, step %d: velocity %d differs", kind, step, i)
				}
			}
		}
	}
}

// TestGradientsWithoutApply checks that gradients can be asked for again, and what Apply ends.
func TestGradientsWithoutApply(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_all_narrow", 32), 1)
	trainer := sdnet.NewTrainer(n, 0.9, 5e-4)
	x, labels := noise[float32](1, 1, 16, 3, 32, 32), make([]int, 16)
	gradients := func() { trainer.Gradients(x, labels) }
	gradients()
	var first []*tensor.Tensor[float32]
	for _, p := range n.Parameters() {
		first = append(first, trainer.Grad(p.Tensor).Clone())
	}
	_, held := memory(gradients)
	for range 40 {
		gradients()
	}
	if _, now := memory(gradients); now > held+4*16*4*32*32/2 {
		t.Errorf("gradients hold %d bytes, at first %d", now, held)
	}
	for i, p := range n.Parameters() {
		if !tensor.SameBits(trainer.Grad(p.Tensor), first[i]) {
			t.Errorf("the gradient of %s differs the second time", p.Name)
		}
	}
	trainer.Apply(0.1)
	for _, p := range n.Parameters() {
		if trainer.Grad(p.Tensor) != nil {
			t.Errorf("Apply left a gradient of %s", p.Name)
		}
	}
}

// TestTrainingLearns fits 64 drawn images.
func TestTrainingLearns(t *testing.T) {
	x, labels := drawn[float32](64)
	spec, err := sdnet.Lookup("sdnet8_narrow", "shapes")
	if err != nil {
		t.Fatal(err)
	}
	trainer := sdnet.NewTrainer(build[float32](t, spec, 1), 0.9, 5e-4)
	var losses []float64
	for step := range 30 {
		at := step % 4 * 16
		batch := tensor.From(x.Data[at*3*32*32:(at+16)*3*32*32], 16, 3, 32, 32)
		losses = append(losses, trainer.Step(batch, labels[at:at+16], 0.1).Loss)
	}
	first, last := mean(losses[:4]), mean(losses[26:])
	if !(last < 0.75*first) { // it is 0.5 of it
		t.Errorf("losses %.3g: from %g to %g", losses, first, last)
	}
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// TestStepReusesMemory checks that a step takes its values from the memory of the step before: it allocates little itself (the
// power iteration's vectors, the convolutions' tables and workspaces), and what the trainer holds does not grow.
func TestStepReusesMemory(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // every goroutine has a workspace
	const activation = 4 * 16 * 16 * 32 * 32        // bytes of the stem's output
	x, labels := drawn[float32](16)
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		spec, err := sdnet.Lookup(kind, "shapes")
		if err != nil {
			t.Fatal(err)
		}
		trainer := sdnet.NewTrainer(build[float32](t, spec, 1), 0.9, 5e-4)
		step := func() { trainer.Step(x, labels, 0.1) }
		first, _ := memory(step)
		for range 7 { // codes are kept packed, so that how much room they take changes with them: the arena may still grow once
			step()
		}
		_, held := memory(step)
		for range 6 {
			again, now := memory(step)
			if again > first/3 || now > held+activation/2 {
				t.Errorf("%s: a step allocates %d bytes, the first %d; held are %d after it, %d after the ninth", kind, again, first, now, held)
			}
		}
		runtime.KeepAlive(trainer)
	}
}

// TestPredictorReusesMemory is the same for predictions.
func TestPredictorReusesMemory(t *testing.T) {
	x, _ := drawn[float32](16)
	predictor := sdnet.NewPredictor(build[float32](t, small(t, "sdnet8_all_narrow", 32), 1))
	_, held := memory(func() { predictor.Logits(x) })
	for range 4 {
		if _, now := memory(func() { predictor.Logits(x) }); now > held+4*16*4*32*32/2 {
			t.Errorf("predictions hold %d bytes, the first %d", now, held)
		}
	}
	runtime.KeepAlive(predictor)
}

// memory is the number of bytes that f allocates, and of those that are in use afterwards.
func memory(f func()) (allocated, held uint64) {
	var before, after, settled runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	runtime.GC()
	runtime.GC() // a sync.Pool empties in two rounds
	runtime.ReadMemStats(&settled)
	return after.TotalAlloc - before.TotalAlloc, settled.HeapAlloc
}

func TestTopK(t *testing.T) {
	nan := math.NaN()
	logits := tensor.From([]float64{
		3, 1, 2, 1,
		0, 0, 0, 0,
		1, nan, 2, 0,
		nan, nan, nan, nan,
		math.Inf(1), math.Inf(-1), 0, math.Inf(1),
	}, 5, 4)
	for _, c := range []struct {
		labels []int
		want   [4]int // for k = 1, 2, 3, 4
	}{
		{[]int{0, 0, 2, 0, 0}, [4]int{3, 4, 4, 4}}, // a NaN stands above the label's 2
		{[]int{2, 1, 0, 1, 3}, [4]int{0, 3, 4, 4}},
		{[]int{1, 2, 3, 2, 2}, [4]int{0, 0, 3, 4}}, // of equal logits the lower class comes first
		{[]int{3, 3, 1, 3, 1}, [4]int{0, 0, 0, 3}}, // a NaN is never right
		{nil, [4]int{}},
	} {
		for i, want := range c.want {
			if got := sdnet.TopK(logits, c.labels, i+1); got != want {
				t.Errorf("labels %v, k = %d: %d, want %d", c.labels, i+1, got, want)
			}
		}
	}
}
