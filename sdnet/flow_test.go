package sdnet_test

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/tensor"
)

// settle continues a network's power iterations until each takes one round, and returns how many each took last.
func settle[T tensor.Float](n *sdnet.Network[T]) (rounds []int) {
	for range 40 {
		rounds = nil
		for _, e := range n.UpdateSteps() {
			rounds = append(rounds, e.Rounds)
		}
		if slices.Max(rounds) == 1 {
			break
		}
	}
	return rounds
}

// TestPowerIsTheWholeWay: the graph that goes the whole way from raw weights, as golden cases have it, gives the bits of power
// iteration and normalising by themselves: atoms first in evaluation, step sizes first in training. A graph has one number of rounds
// for all layers, so the vectors are brought near their ends first, where each takes one.
func TestPowerIsTheWholeWay(t *testing.T) {
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow", "sdnet8_all_narrow_noshortcut"} {
		t.Run(kind, func(t *testing.T) { wholeWay[float32](t, kind); wholeWay[float64](t, kind) })
	}
}

func wholeWay[T tensor.Float](t *testing.T, kind string) {
	x, labels := noise[T](3, 1, 2, 3, 16, 16), []int{4, 1}
	for _, training := range []bool{false, true} {
		for _, near := range []bool{true, false} {
			raw := build[T](t, small(t, kind, 16), 1)
			stir(raw, 2)
			if !training { // the rounds are those of normalised atoms
				c := raw.Clone()
				c.NormalizeAtoms()
				if near {
					settle(c)
				}
				for i, l := range raw.Layers {
					copy(l.Vector.Data, c.Layers[i].Vector.Data)
				}
			} else if near {
				settle(raw)
			}
			by := raw.Clone()
			if !training {
				by.NormalizeAtoms()
			}
			estimates := by.UpdateSteps() // a training step normalises after that by itself
			rounds := estimates[0].Rounds
			same := !slices.ContainsFunc(estimates, func(e csc.Estimate) bool { return e.Rounds != rounds })
			if near && (!same || rounds != 1) {
				t.Fatalf("training %t: rounds %+v, want one each", training, estimates)
			}
			if !same {
				continue
			}
			want, after := forward(by.Clone(), x, labels, training)

			power := csc.PublishedPower(rounds)
			f := raw.Graph(sdnet.Options{Images: 2, Training: training, Power: &power})
			outputs := []*autodiff.Node{f.Logits}
			for _, s := range f.State {
				outputs = append(outputs, f.Now(s.Name))
			}
			for _, l := range f.Layers {
				outputs = append(outputs, f.Node(l.Name+"/eigenvalue"), f.Node(l.Name+"/step"), f.Node(l.Name+"/power/rounds"))
			}
			before := raw.Clone()
			p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[T]())
			raw.Bind(p, f)
			p.Set(f.X, x)
			p.Run()
			what := fmt.Sprintf("%T, training %t, %d rounds", x.Data, training, rounds)
			if got := p.Value(f.Logits); !tensor.SameBits(got, want) {
				t.Errorf("%s: logits %v, want %v", what, got.Data, want.Data)
			}
			for i, s := range f.State {
				if strings.HasSuffix(s.Name, ".step_size") {
					t.Errorf("%s: %s is an input", what, s.Name)
				}
				if got := p.Value(f.Now(s.Name)); !tensor.SameBits(got, state(t, after, s.Name)) {
					t.Errorf("%s: %s differs (%d)", what, s.Name, i)
				}
			}
			for i, l := range f.Layers {
				if got := p.Number(f.Node(l.Name + "/eigenvalue")); got != estimates[i].Value {
					t.Errorf("%s: %s has eigenvalue %g, want %g", what, l.Name, got, estimates[i].Value)
				}
				if got := p.Value(f.Node(l.Name + "/step")).Data[0]; got != by.Layers[i].StepSize.Data[0] {
					t.Errorf("%s: %s has step size %g, want %g", what, l.Name, got, by.Layers[i].StepSize.Data[0])
				}
				if got := p.Number(f.Node(l.Name + "/power/rounds")); estimates[i].Converged && got != float64(rounds) {
					t.Errorf("%s: %s converges after %g rounds, want %d", what, l.Name, got, rounds)
				}
			}
			sameState(t, what+", the weights that it started from", raw, before)
		}
	}
}

// forward is the logits of a network whose atoms and step sizes are in order, and the network as it is then.
func forward[T tensor.Float](n *sdnet.Network[T], x *tensor.Tensor[T], labels []int, training bool) (logits *tensor.Tensor[T], after *sdnet.Network[T]) {
	if !training {
		return sdnet.NewPredictor(n).Logits(x), n
	}
	trainer := sdnet.NewTrainer(n, 0.9, 0)
	trainer.Gradients(x, labels)
	return trainer.Logits().Clone(), n
}

// TestPowerOfFreeAtoms: atoms that the settings leave free are not normalised by the whole way either.
func TestPowerOfFreeAtoms(t *testing.T) {
	spec := small(t, "sdnet8_narrow", 16)
	spec.CSC.UnitNormAtoms = false
	for _, training := range []bool{false, true} {
		n := build[float64](t, spec, 1)
		stir(n, 2)
		by := n.Clone()
		rounds := by.UpdateSteps()[0].Rounds
		x, labels := noise[float64](3, 1, 2, 3, 16, 16), []int{4, 1}
		want, _ := forward(by, x, labels, training)
		power := csc.PublishedPower(rounds)
		f := n.Graph(sdnet.Options{Images: 2, Training: training, Power: &power})
		if got := logits(n, f, x, f.Logits); !tensor.SameBits(got, want) {
			t.Errorf("training %t: logits %v, want %v", training, got.Data, want.Data)
		}
	}
}

// TestBatchesOfOtherSizes: an image's logits do not depend on how many there are beside it, in a predictor that meets one size after
// the other, small and large, and comes back.
func TestBatchesOfOtherSizes(t *testing.T) {
	for _, kind := range kinds {
		n := build[float32](t, small(t, kind, 16), 1)
		stir(n, 2)
		all := noise[float32](3, 1, 7, 3, 16, 16)
		p := sdnet.NewPredictor(n)
		want := p.Logits(all).Clone()
		for _, size := range []int{1, 3, 7, 2, 5, 1, 7} {
			for at := 0; at+size <= 7; at++ {
				part := tensor.From(all.Data[at*3*16*16:(at+size)*3*16*16], size, 3, 16, 16)
				got := p.Logits(part)
				if part := tensor.From(want.Data[at*5:(at+size)*5], size, 5); !tensor.SameBits(got, part) {
					t.Errorf("%s: images %d to %d of 7 have other logits alone", kind, at, at+size-1)
				}
			}
		}
	}
}

// TestSettingsTakeEffect: a predictor and a trainer follow what is set in the layers between their calls.
func TestSettingsTakeEffect(t *testing.T) {
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		n := build[float32](t, small(t, kind, 16), 1)
		x, labels := noise[float32](3, 1, 2, 3, 16, 16), []int{4, 1}
		first := sdnet.NewTrainer(n, 0.9, 0)
		for range 40 { // running statistics come near the batch's, so that codes do not vanish in evaluation
			first.Gradients(x, labels)
		}
		trained := n.Clone()
		p, trainer := sdnet.NewPredictor(n), sdnet.NewTrainer(trained, 0.9, 0)
		last := len(n.Layers) - 1
		seen := map[string]bool{}
		for _, c := range []struct {
			name string
			set  func(s *csc.Settings)
		}{
			{"as built", func(*csc.Settings) {}},
			{"lambda", func(s *csc.Settings) { s.Lambda = 0.03 }},
			{"iterations", func(s *csc.Settings) { s.Iterations = 4 }},
			{"variant", func(s *csc.Settings) { s.Variant = csc.Paper }},
			{"mu", func(s *csc.Settings) { s.Mu = 0.3 }},
			{"signs", func(s *csc.Settings) { s.Nonnegative = false }},
			{"lambda again", func(s *csc.Settings) { s.Lambda = 0.02 }},
		} {
			c.set(&n.Layers[last].Settings)
			c.set(&trained.Layers[last].Settings)
			got := p.Logits(x).Clone()
			f := n.Graph(sdnet.Options{Images: 2}) // lambda is a constant here
			if want := logits(n, f, x, f.Logits); !tensor.SameBits(got, want) {
				t.Errorf("%s, %s: logits %v, want %v", kind, c.name, got.Data, want.Data)
			}
			if key := fmt.Sprint(got.Data); seen[key] {
				t.Errorf("%s, %s: nothing changed", kind, c.name)
			} else {
				seen[key] = true
			}
			other := trained.Clone() // has the specification's settings
			other.Layers[last].Settings = trained.Layers[last].Settings
			loss := trainer.Gradients(x, labels).Loss
			if again := sdnet.NewTrainer(other, 0.9, 0).Gradients(x, labels); again.Loss != loss {
				t.Errorf("%s, %s: loss %g, of a new trainer %g", kind, c.name, loss, again.Loss)
			}
		}
	}
}

// TestObservingChangesNothing: the names are pinned for each kind of network, and neither logits nor losses, gradients and running
// statistics change by a bit when they are looked at.
func TestObservingChangesNothing(t *testing.T) {
	for kind, want := range map[string]string{
		"resnet8_narrow":               "block0.0 layer0 block1.1 layer1 block2.1 layer2 block3.1 layer3",
		"sdnet8_narrow":                "layer0.0.dn block0.0 layer0 block1.1 layer1 block2.1 layer2 block3.1 layer3",
		"sdnet8_all_narrow":            allNames,
		"sdnet8_all_narrow_noshortcut": allNames,
	} {
		n := build[float32](t, small(t, kind, 16), 1)
		stir(n, 2)
		x, labels := noise[float32](3, 1, 3, 3, 16, 16), []int{4, 0, 2}
		plain := sdnet.NewPredictor(n)
		logits, loss := plain.Loss(x, labels)
		logits = logits.Clone()
		if !tensor.SameBits(plain.Logits(x), logits) {
			t.Errorf("%s: the loss changes the logits", kind)
		}
		var names, layers []string
		seen := sdnet.NewPredictor(n)
		seen.Observe = func(name string, _ *tensor.Tensor[float32]) { names = append(names, name) }
		seen.ObserveSignal = func(layer string, _ *tensor.Tensor[float32]) { layers = append(layers, layer) }
		for range 2 {
			names, layers = nil, nil
			got, same := seen.Loss(x, labels)
			if !tensor.SameBits(got, logits) || same != loss {
				t.Errorf("%s: observed, the loss is %g instead of %g", kind, same, loss)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s: observed %s, want %s", kind, got, want)
			}
			for i, l := range n.Layers {
				if len(layers) != len(n.Layers) || layers[i] != l.Name {
					t.Errorf("%s: signals of %v, want one of each layer", kind, layers)
				}
			}
		}
		other := n.Clone()
		a, b := sdnet.NewTrainer(n, 0.9, 5e-4), sdnet.NewTrainer(other, 0.9, 5e-4)
		b.Observe = func(name string, _ *tensor.Tensor[float32]) { names = append(names, name) }
		for range 3 {
			names = nil
			if want, got := a.Step(x, labels, 0.1), b.Step(x, labels, 0.1); got.Loss != want.Loss {
				t.Errorf("%s: observed, a step's loss is %g instead of %g", kind, got.Loss, want.Loss)
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("%s: a step shows %s, want %s", kind, got, want)
			}
		}
		sameState(t, kind+", trained and observed", other, n)
	}
}

const allNames = "layer0.0.dn block0.0 layer0 " +
	"layer1.layers.0.conv1.dn layer1.layers.0.conv2.dn block1.1 layer1 " +
	"layer2.layers.0.conv1.dn layer2.layers.0.conv2.dn block2.1 layer2 " +
	"layer3.layers.0.conv1.dn layer3.layers.0.conv2.dn block3.1 layer3"

// TestObservedValues: a value is shown as it is, although its memory serves others later: each is that of a program of which it is an
// output.
func TestObservedValues(t *testing.T) {
	for _, kind := range kinds {
		n := build[float64](t, small(t, kind, 16), 1)
		stir(n, 2)
		x := noise[float64](3, 1, 2, 3, 16, 16)
		values := observed(n, x)
		f := n.Graph(sdnet.Options{Images: 2})
		for _, m := range f.Marks {
			if want := logits(n, f, x, m.Node); !tensor.SameBits(values[m.Name], want) {
				t.Errorf("%s: %s was shown otherwise than it is", kind, m.Name)
			}
		}
		if len(values) != len(f.Marks) {
			t.Errorf("%s: %d values shown of %d", kind, len(values), len(f.Marks))
		}
	}
}

// TestStepsOfAFlow writes two training steps of SGD into one graph, as golden cases do, and compares them with a Trainer's, bit for
// bit: losses, weights, velocities, buffers. Where there are several CSC layers the rate is small, so that their power iterations go on
// taking one round each.
func TestStepsOfAFlow(t *testing.T) {
	for kind, rate := range map[string]float64{"resnet8_narrow": 0.05, "sdnet8_narrow": 0.05, "sdnet8_all_narrow": 0.0005} {
		spec := small(t, kind, 16)
		n := build[float32](t, spec, 1)
		stir(n, 2)
		if len(n.Layers) > 0 {
			n.NormalizeAtoms()
			settle(n)
		}
		by := n.Clone()
		descent := autodiff.Descent{Rate: rate, Momentum: 0.9, Decay: 5e-4}
		trainer := sdnet.NewTrainer(by, descent.Momentum, descent.Decay)
		var x [2]*tensor.Tensor[float32]
		labels := [2][]int{{4, 0, 2}, {1, 3, 3}}
		f := sdnet.NewFlow(spec, sdnet.Options{Images: 3, Training: true})
		velocities := map[string]*autodiff.Node{}
		set := map[*autodiff.Node]*tensor.Tensor[float32]{}
		var losses, outputs []*autodiff.Node
		var want []float64
		for step := range x {
			x[step] = noise[float32](uint64(step), 1, 3, 3, 16, 16)
			result := trainer.Step(x[step], labels[step], descent.Rate)
			want = append(want, result.Loss)
			f.Power = &csc.Power{}
			for _, e := range result.Estimates {
				if *f.Power = csc.PublishedPower(e.Rounds); e.Rounds != result.Estimates[0].Rounds {
					t.Fatalf("%s, step %d: %+v, the graph has one number of rounds", kind, step, result.Estimates)
				}
			}
			images := f.Input(fmt.Sprintf("x%d", step), 3, 3, 16, 16)
			classes := f.Input(fmt.Sprintf("labels%d", step), 3)
			set[images], set[classes] = x[step], numbers[float32](labels[step])
			s := f.Gradients(images, classes)
			if step == 0 {
				for _, p := range f.State {
					if !p.Buffer {
						velocities[p.Name] = f.Input("velocity/"+p.Name, p.Shape...)
						set[velocities[p.Name]] = tensor.New[float32](p.Shape...)
					}
				}
			}
			f.Descend(s, velocities, descent)
			losses = append(losses, s.Loss)
		}
		outputs = append(outputs, losses...)
		for _, s := range f.State {
			outputs = append(outputs, f.Now(s.Name))
			if !s.Buffer {
				outputs = append(outputs, velocities[s.Name])
			}
		}
		p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[float32]())
		for _, s := range f.State { // the flow has no step sizes
			p.Set(s.Node, state(t, n, s.Name))
		}
		for input, value := range set {
			p.Set(input, value)
		}
		p.Run()
		for step, loss := range losses {
			if got := float64(p.Value(loss).Data[0]); got != want[step] {
				t.Errorf("%s, step %d: loss %g, want %g", kind, step, got, want[step])
			}
		}
		i := 0
		for _, s := range f.State {
			if !tensor.SameBits(p.Value(f.Now(s.Name)), state(t, by, s.Name)) {
				t.Errorf("%s: after two steps %s differs", kind, s.Name)
			}
			if !s.Buffer {
				if !tensor.SameBits(p.Value(velocities[s.Name]), trainer.Optimizer.Velocity[i]) {
					t.Errorf("%s: after two steps the velocity of %s differs", kind, s.Name)
				}
				i++
			}
		}
	}
}

// TestSecondStepAllocatesNoValues: what a training step or a prediction allocates after the first of its size are tables and workspaces,
// which grow with the batch by much less than the dozens of values that it computes.
func TestSecondStepAllocatesNoValues(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2)) // every goroutine has a workspace
	const activation = 4 * 4 * 32 * 32              // bytes of an image at the stem's output
	for _, kind := range kinds {
		second := func(images int) map[string]uint64 {
			n := build[float32](t, small(t, kind, 32), 1)
			x, labels := noise[float32](3, 1, images, 3, 32, 32), make([]int, images)
			trainer, predictor := sdnet.NewTrainer(n, 0.9, 5e-4), sdnet.NewPredictor(n)
			bytes := map[string]uint64{}
			for name, f := range map[string]func(){
				"training step": func() { trainer.Step(x, labels, 0) }, // at rate 0 codes keep their size when packed
				"prediction":    func() { predictor.Logits(x) },
			} {
				for range 3 {
					f()
				}
				least := uint64(math.MaxUint64)
				for range 3 {
					allocated, _ := memory(f)
					least = min(least, allocated)
				}
				bytes[name] = least
			}
			return bytes
		}
		few, many := second(24), second(56)
		for name, bytes := range many {
			if bytes > few[name]+2*32*activation {
				t.Errorf("%s: a second %s allocates %d bytes for 56 images, %d for 24; two activations have %d more", kind, name, bytes, few[name], 2*32*activation)
			}
		}
	}
}
