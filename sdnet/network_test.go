package sdnet_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/autodiff"
	"sdref/csc"
	"sdref/sdnet"
	"sdref/tensor"
)

// A copy solves the problem that the layers pose now, not the one that the specification posed.
func TestCloneKeepsSettings(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_all_narrow", 8), 1)
	n.Layers[1].Lambda, n.Layers[2].Iterations = 0.7, 5
	c := n.Clone()
	if c.Layers[1].Lambda != 0.7 || c.Layers[2].Iterations != 5 {
		t.Errorf("lambda %g and %d iterations, want 0.7 and 5", c.Layers[1].Lambda, c.Layers[2].Iterations)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	for _, kind := range kinds {
		n := build[float32](t, small(t, kind, 16), 1)
		stir(n, 2)
		c := n.Clone()
		sameState(t, kind+", clone", c, n)
		before := n.Clone()
		for _, s := range c.State() {
			s.Fill(7)
		}
		sdnet.NewTrainer(c, 0.9, 0).Step(noise[float32](1, 1, 2, 3, 16, 16), []int{0, 1}, 0.1)
		sameState(t, kind+", after its clone was trained", n, before)
	}
}

func TestInitializeIsAFunctionOfTheSeed(t *testing.T) {
	for _, kind := range kinds {
		spec := small(t, kind, 16)
		n, again, other := build[float32](t, spec, 5), build[float32](t, spec, 6), build[float32](t, spec, 6)
		stir(again, 1)
		again.Initialize(5)
		sameState(t, kind+", initialised anew", again, n)
		for i, s := range other.State() {
			random := len(s.Shape) > 1 || s.Name == "linear.bias"
			if same := tensor.SameBits(s.Tensor, n.State()[i].Tensor); same == random && !strings.HasSuffix(s.Name, ".step_size") {
				t.Errorf("%s: %s is the same for seeds 5 and 6: %t", kind, s.Name, same)
			}
		}
	}
}

// TestInitializeByName checks that each tensor has a stream of its own: what other tensors there are does not matter.
func TestInitializeByName(t *testing.T) {
	sd, res := build[float64](t, small(t, "sdnet8_narrow", 16), 5), build[float64](t, small(t, "resnet8_narrow", 16), 5)
	for _, s := range sd.State() {
		if !strings.HasPrefix(s.Name, "layer0.0") && !tensor.SameBits(s.Tensor, state(t, res, s.Name)) {
			t.Errorf("%s differs between sdnet8 and resnet8", s.Name)
		}
	}
	single := build[float32](t, small(t, "resnet8_narrow", 16), 5)
	for _, s := range single.State() {
		if !tensor.SameBits(s.Tensor, tensor.Convert[float32](state(t, res, s.Name))) {
			t.Errorf("%s in float32 is not that in float64, rounded", s.Name)
		}
	}
}

func TestInitializeRanges(t *testing.T) {
	spec := small(t, "sdnet8_all_narrow", 16)
	spec.Widths = []int{16, 32, 64} // wide enough to come near the ends of the ranges
	spec.CSC.UnitNormAtoms = false
	n := build[float64](t, spec, 3)
	for _, s := range n.State() {
		low, high, sum := slices.Min(s.Data), slices.Max(s.Data), 0.0
		for _, v := range s.Data {
			sum += v
		}
		fan := float64(s.Len() / max(1, slices.Concat(s.Shape, []int{1})[0]))
		var bound float64
		switch {
		case strings.HasSuffix(s.Name, ".step_size"):
			continue
		case strings.HasSuffix(s.Name, ".v0"):
			continue // power iteration has improved it
		case strings.HasSuffix(s.Name, ".dn.weight"):
			bound = math.Sqrt(6 / fan)
		case s.Name == "linear.bias":
			bound = 1.0 / 8 // 64 inputs
		case len(s.Shape) > 1:
			bound = 1 / math.Sqrt(fan)
		case strings.HasSuffix(s.Name, ".running_var"), strings.HasSuffix(s.Name, ".weight"):
			if low != 1 || high != 1 {
				t.Errorf("%s is %g to %g, want 1", s.Name, low, high)
			}
			continue
		default:
			if low != 0 || high != 0 {
				t.Errorf("%s is %g to %g, want 0", s.Name, low, high)
			}
			continue
		}
		if s.Len() < 100 {
			low, high = -bound, bound // too few to come near: five biases
		}
		// The mean of n uniform numbers has the deviation bound/sqrt(3n); 5 of them are never seen.
		if mean := sum / float64(s.Len()); low < -bound || high > bound || low > -0.97*bound || high < 0.97*bound || math.Abs(mean) > 5*bound/math.Sqrt(float64(3*s.Len())) {
			t.Errorf("%s: %g to %g with mean %g, want uniform in +-%g", s.Name, low, high, mean, bound)
		}
	}
}

// TestInitializeLeavesAtomsAndSteps checks that a new network is ready: atoms of norm 1, step sizes theirs.
func TestInitializeLeavesAtomsAndSteps(t *testing.T) {
	n := build[float64](t, small(t, "sdnet8_all_narrow", 16), 3)
	if len(n.Layers) != 7 {
		t.Fatalf("%d CSC layers, want the stem and two in each of three blocks", len(n.Layers))
	}
	for _, l := range n.Layers {
		for m := range l.Weight.Shape[0] {
			if norm := tensor.SumSquares(l.Weight.Row(m)); math.Abs(norm-1) > 1e-14 {
				t.Errorf("%s: atom %d has squared norm %g", l.Name, m, norm)
			}
		}
		vector := l.Vector.Clone()
		e := csc.PowerIteration(vector, l.Weight, l.Height, l.Width, l.Geometry)
		// The vector is where the iteration stopped; going on may only raise the value, by little.
		if want := csc.StepShare / e.Value; l.StepSize.Data[0] < want*(1-1e-12) || l.StepSize.Data[0] > want*1.05 {
			t.Errorf("%s: step size %g, going on gives %g", l.Name, l.StepSize.Data[0], want)
		}
	}
}

func TestEvaluableLeavesTheNetworkAlone(t *testing.T) {
	for _, kind := range kinds {
		n := build[float64](t, small(t, kind, 16), 1)
		stir(n, 2)
		before := n.Clone()
		c := n.Evaluable()
		for _, s := range c.State() {
			if tensor.SameBits(s.Tensor, state(t, before, s.Name)) == (strings.Contains(s.Name, ".dn.")) {
				t.Errorf("%s: %s changed, or did not", kind, s.Name)
			}
		}
		by := before.Clone()
		by.UpdateSteps() // from the weights as they are,
		by.NormalizeAtoms()
		sameState(t, kind+", evaluable", c, by)
		for _, s := range c.State() {
			s.Fill(7)
		}
		sameState(t, kind, n, before)
	}
}

// TestPredictorIsForward compares a Predictor, whose memory is reused, with fresh programs of the network's graph, one that computes
// gradients too and one that does not.
func TestPredictorIsForward(t *testing.T) {
	for _, kind := range kinds {
		n := build[float32](t, small(t, kind, 16), 1)
		stir(n, 2)
		before := n.Clone()
		p := sdnet.NewPredictor(n)
		for seed := range uint64(3) {
			images := int(seed) + 1
			x := noise[float32](seed, 1, images, 3, 16, 16)
			got := p.Logits(x)
			for _, gradients := range []bool{true, false} {
				f := n.Graph(sdnet.Options{Images: images})
				outputs := []*autodiff.Node{f.Logits}
				if gradients {
					loss := f.Loss(f.Logits, f.Input("labels", images))
					outputs = append(outputs, autodiff.Backward(loss, nil, f.Parameters()...)...)
				}
				want := logits(n, f, x, outputs...)
				if !slices.Equal(got.Shape, []int{images, 5}) || !tensor.SameBits(got, want) {
					t.Errorf("%s, gradients %t: logits %v, want %v", kind, gradients, got, want)
				}
			}
		}
		sameState(t, kind+", after prediction", n, before)
	}
}

// logits runs a flow of n with the given outputs, its logits the first.
func logits[T tensor.Float](n *sdnet.Network[T], f *sdnet.Flow, x *tensor.Tensor[T], outputs ...*autodiff.Node) *tensor.Tensor[T] {
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[T]())
	n.Bind(p, f)
	p.Set(f.X, x)
	if labels := f.Node("labels"); labels != nil {
		p.Set(labels, numbers[T](make([]int, x.Shape[0])))
	}
	p.Run()
	return p.Value(outputs[0])
}

// TestObserveSignalShowsWhatLayersCode: from the signal shown, the layer computes the code shown next.
func TestObserveSignalShowsWhatLayersCode(t *testing.T) {
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} { // the stem's signal is the images themselves
		n := build[float32](t, small(t, kind, 16), 1)
		var signal *tensor.Tensor[float32]
		var of string
		coded := 0
		p := sdnet.NewPredictor(n)
		p.ObserveSignal = func(layer string, x *tensor.Tensor[float32]) { of, signal = layer, x.Clone() }
		p.Observe = func(name string, z *tensor.Tensor[float32]) {
			for _, l := range n.Layers {
				if l.Name != name {
					continue
				}
				if of != name {
					t.Errorf("%s: the last signal shown is that of %s", name, of)
				}
				if again := csc.Solve(signal, l.Weight, l.Step(), l.Current()); !tensor.SameBits(again, z) {
					t.Errorf("%s: the code is not that of the signal", name)
				}
				coded++
			}
		}
		p.Logits(noise[float32](1, 1, 2, 3, 16, 16))
		if coded != len(n.Layers) {
			t.Errorf("%s: %d layers coded, want %d", kind, coded, len(n.Layers))
		}
	}
}

// TestObserveShowsAllInOrder pins what an observer is shown.
func TestObserveShowsAllInOrder(t *testing.T) {
	n := build[float32](t, small(t, "sdnet8_all_narrow", 16), 1)
	var names []string
	p := sdnet.NewPredictor(n)
	p.Observe = func(name string, value *tensor.Tensor[float32]) { names = append(names, fmt.Sprint(name, value.Shape)) }
	p.Logits(noise[float32](1, 1, 2, 3, 16, 16))
	want := []string{
		"layer0.0.dn[2 4 16 16]", "block0.0[2 4 16 16]", "layer0[2 4 16 16]",
		"layer1.layers.0.conv1.dn[2 4 16 16]", "layer1.layers.0.conv2.dn[2 4 16 16]", "block1.1[2 4 16 16]", "layer1[2 4 16 16]",
		"layer2.layers.0.conv1.dn[2 6 8 8]", "layer2.layers.0.conv2.dn[2 6 8 8]", "block2.1[2 6 8 8]", "layer2[2 6 8 8]",
		"layer3.layers.0.conv1.dn[2 10 4 4]", "layer3.layers.0.conv2.dn[2 10 4 4]", "block3.1[2 10 4 4]", "layer3[2 10 4 4]",
	}
	if !slices.Equal(names, want) {
		t.Errorf("observed\n%v, want\n%v", names, want)
	}
}

// TestPredictorBelongsToOneGoroutine: a call during another one panics, and the one under way is not disturbed. Two predictors of
// one network work at the same time.
func TestPredictorBelongsToOneGoroutine(t *testing.T) {
	net := build[float32](t, small(t, "sdnet8_narrow", 16), 1).Evaluable()
	x := noise[float32](1, 1, 2, 3, 16, 16)
	want := sdnet.NewPredictor(net).Logits(x).Clone()
	p, other := sdnet.NewPredictor(net), sdnet.NewPredictor(net)
	second := func() (recovered any) {
		defer func() { recovered = recover() }()
		p.Logits(x)
		return nil
	}
	var during any
	p.Observe = func(string, *tensor.Tensor[float32]) {
		if during == nil {
			during = second()
			if got := other.Logits(x); !tensor.SameBits(got, want) {
				t.Error("another predictor of the same network gives other logits")
			}
		}
	}
	if got := p.Logits(x); !tensor.SameBits(got, want) {
		t.Error("the call that was under way gives other logits")
	}
	if err, ok := during.(*sdnet.MisuseError); !ok || !strings.Contains(err.Error(), "Predictor was called by two goroutines") {
		t.Errorf("a second call: %v", during)
	}
	if after := second(); after != nil {
		t.Errorf("after both calls: %v", after)
	}
}
