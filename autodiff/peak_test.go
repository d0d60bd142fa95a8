package autodiff

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sdref/internal/kernel"
	"sdref/tensor"
)

// measured runs the program's steps and returns how many elements its buffers had at the most, and in which
// step.
func measured[T tensor.Float](r *Program[T]) (most int, step *Step) {
	r.Release()
	for _, a := range r.steps {
		for _, b := range a.alloc {
			r.allocate(b)
		}
		r.run(a, kernel.Active[T]())
		now := 0
		for _, t := range r.memory {
			now += t.Len()
		}
		if now > most {
			most, step = now, a.Step
		}
		for _, b := range a.free {
			r.free(b)
		}
	}
	return most, step
}

// The peak that a plan without packed values gives is what a program of it needs.
func TestPeakIsWhatARunNeeds(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 1))
	for range 200 {
		g := drawGraph(r)
		p := programOf[float32](g.outputs()...)
		if p.Plan.planned(Packed) != nil {
			p = programOf[float32](g.result)
		}
		drawValues[float32](g, 1).set(p)
		most, step := measured(p)
		peak := p.Plan.Peak(0)
		if peak.Elements != most || peak.Step != step {
			t.Fatalf("the peak is %d elements at step %d, measured %d at %d", peak.Elements, peak.Step.at,
				most, step.at)
		}
		sum := 0
		for _, b := range peak.Buffers {
			sum += b.Size
		}
		if sum != most ||
			!slices.IsSortedFunc(peak.Buffers, func(a, b *Buffer) int { return b.Size - a.Size }) {
			t.Fatalf("the buffers at the peak have %d elements of %d", sum, most)
		}
	}
}

// A plan can be printed even if it needs no memory, or has nothing to do.
func TestPlansWithoutMemory(t *testing.T) {
	g := NewGraph()
	x := g.Input("x", 3)
	var b strings.Builder
	NewPlan(Wanted{Outputs: []*Node{SumSquares(x)}}).Print(&b, 0)
	NewPlan(Wanted{Outputs: []*Node{x}}).Print(&b, 0)
	if got := strings.Count(b.String(), "most memory: 0 elements"); got != 2 {
		t.Errorf("printed %s", b.String())
	}
}
