package sdnet_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"sdref/csc"
	"sdref/sdnet"
	"sdref/tensor"
)

// learning is a specification of small whose CSC layers learn lambda and the step's factor.
func learning(t testing.TB, network string) sdnet.Spec {
	spec := small(t, network, 16)
	spec.CSC.LearnLambda, spec.CSC.LearnStep = true, true
	return spec
}

// TestLearnedScalarsAreParameters: each CSC layer has two parameters more, under its name and behind its weight; all else is as it
// was, in names, order and bits.
func TestLearnedScalarsAreParameters(t *testing.T) {
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		plain, learned := build[float32](t, small(t, kind, 16), 1), build[float32](t, learning(t, kind), 1)
		var names []string
		for _, s := range learned.State() {
			names = append(names, s.Name)
		}
		for _, l := range learned.Layers {
			at := slices.Index(names, l.Name+".weight")
			if got := names[at+1 : at+3]; got[0] != l.Name+".lambda" || got[1] != l.Name+".step" {
				t.Errorf("%s: behind the weight of %s come %v", kind, l.Name, got)
			}
			if l.Penalty.Data[0] != 0.1 || l.StepFactor.Data[0] != 1 {
				t.Errorf("%s: %s starts at lambda %g, factor %g", kind, l.Name, l.Penalty.Data[0], l.StepFactor.Data[0])
			}
		}
		rest := slices.DeleteFunc(slices.Clone(learned.State()), func(s sdnet.Named[float32]) bool {
			return strings.HasSuffix(s.Name, ".lambda") || strings.HasSuffix(s.Name, ".step")
		})
		for i, s := range plain.State() {
			if rest[i].Name != s.Name || rest[i].Buffer != s.Buffer || !tensor.SameBits(rest[i].Tensor, s.Tensor) {
				t.Errorf("%s: %s is %s, or another", kind, s.Name, rest[i].Name)
			}
		}
		if more := learned.CountParameters() - plain.CountParameters(); more != 2*len(learned.Layers) {
			t.Errorf("%s: %d parameters more, for %d layers", kind, more, len(learned.Layers))
		}
		described := 0
		for _, l := range learned.Describe() {
			described += l.Parameters
		}
		if described != learned.CountParameters() {
			t.Errorf("%s: Describe counts %d parameters of %d", kind, described, learned.CountParameters())
		}
	}
}

// TestLearnedGradientsOfNetworks checks the gradients of whole networks that learn lambda and step factors, in each parameter.
func TestLearnedGradientsOfNetworks(t *testing.T) {
	for _, kind := range []string{"sdnet8_narrow", "sdnet8_all_narrow"} {
		spec := learning(t, kind)
		spec.Data.Image, spec.CSC.Iterations, spec.CSC.Mu, spec.CSC.Variant = 8, 3, 0.2, csc.Paper
		n := build[float64](t, spec, 1)
		stir(n, 2)
		n.NormalizeAtoms()
		n.UpdateSteps()
		l := &lossOf{Network: n, x: noise[float64](3, 1, 3, 3, 8, 8), labels: []int{4, 0, 2}, training: true}
		gradients, scalars := l.gradients(), 0
		for i, p := range n.Parameters() {
			direction := noise[float64](uint64(i), 1, p.Shape...)
			if p.Len() == 1 {
				scalars++
				direction.Fill(1)
			}
			l.check(t, kind+", "+p.Name, []*tensor.Tensor[float64]{p.Tensor}, []*tensor.Tensor[float64]{direction}, dot(gradients[i], direction), norm(gradients[i])*norm(direction))
		}
		if scalars != 2*len(n.Layers) {
			t.Errorf("%s: %d scalars", kind, scalars)
		}
	}
}

// TestTrainingLearnsScalars: a step moves lambda and the factor by the optimiser's rule, and never below 0.
func TestTrainingLearnsScalars(t *testing.T) {
	n := build[float64](t, learning(t, "sdnet8_all_narrow"), 1)
	trainer := sdnet.NewTrainer(n, 0.9, 0.01)
	x, labels := noise[float64](1, 1, 4, 3, 16, 16), []int{4, 0, 2, 1}
	before := n.Clone()
	n.UpdateSteps()
	trainer.Gradients(x, labels)
	for i, p := range n.Parameters() {
		if p.Len() != 1 {
			continue
		}
		g, start := trainer.Grad(p.Tensor).Data[0], before.Parameters()[i].Data[0]
		if p.Data[0] != start || g == 0 {
			t.Errorf("%s: %g before the step, started at %g; gradient %g", p.Name, p.Data[0], start, g)
		}
	}
	trainer.Apply(0.05)
	for i, p := range n.Parameters() {
		if start := before.Parameters()[i].Data[0]; p.Len() == 1 && (p.Data[0] == start || math.Abs(p.Data[0]-start) > 0.5) {
			t.Errorf("%s: from %g to %g", p.Name, start, p.Data[0])
		}
	}
	for range 3 { // at an absurd rate
		trainer.Step(x, labels, 20)
		for _, l := range n.Layers {
			if !(l.Penalty.Data[0] >= 0) || !(l.StepFactor.Data[0] >= 0) {
				t.Fatalf("%s: lambda %g, factor %g", l.Name, l.Penalty.Data[0], l.StepFactor.Data[0])
			}
		}
	}
}

// TestImplicitGradientOfNetworks: with enough iterations the implicit gradients of a network come near the unrolled ones.
func TestImplicitGradientOfNetworks(t *testing.T) {
	spec := small(t, "sdnet8_narrow", 8)
	spec.CSC.Iterations, spec.CSC.Mu, spec.CSC.Variant, spec.CSC.LearnLambda = 400, 0.5, csc.Paper, true
	var all [2][]*tensor.Tensor[float64]
	for i, g := range []csc.Gradient{csc.Unrolled, csc.Implicit} {
		spec.CSC.Gradient = g
		n := build[float64](t, spec, 1)
		l := &lossOf{Network: n, x: noise[float64](3, 1, 3, 3, 8, 8), labels: []int{4, 0, 2}, training: true}
		all[i] = l.gradients()
	}
	for i, want := range all[0] {
		if !near(all[1][i].Data, want.Data, 1e-6) {
			t.Errorf("parameter %d: implicit gradient %.4g, unrolled %.4g", i, norm(all[1][i]), norm(want))
		}
	}
	spec.CSC.LearnStep = true
	if err := spec.Check(); err == nil || !strings.Contains(err.Error(), "step size") {
		t.Errorf("a step size learned from the implicit gradient: %v", err)
	}
}
