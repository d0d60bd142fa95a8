package csc

import (
	"math"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/tensor"
)

// The stopping rule of the power iteration and the share of 1/lambda_max that the step size takes, as published.
const (
	PowerTolerance = 1e-5 // on the squared norm of the update
	PowerRounds    = 50   // at the most
	StepShare      = 0.9
)

// Power says how a power iteration is written down in a graph, which cannot stop by itself.
type Power struct {
	Rounds    int     // so many, as the rule gives in float64
	Tolerance float64 // the rule: until the squared norm of the vector's update is at most this
	Share     float64 // the step size is Share/eigenvalue
}

// PublishedPower is the published power iteration of so many rounds.
func PublishedPower(rounds int) Power { return Power{rounds, PowerTolerance, StepShare} }

// Append appends rounds of power iteration on A*A from the vector v (1, M, Ho, Wo), for signals of the given height and
// width, and returns the last vector and the step size. The nodes are those of powerRound, LAYER/power/rounds, the number of the first
// change within the tolerance, and those of eigenvalue, then LAYER/step.
func (p Power) Append(layer string, v, w *autodiff.Node, height, width int, g conv.Geometry) (vector, step *autodiff.Node) {
	var changes []*autodiff.Node
	for k := 1; k <= p.Rounds; k++ {
		next, change := powerRound(layer, k, v, w, height, width, g)
		v, changes = next, append(changes, change)
	}
	autodiff.Rounds(p.Tolerance, changes...).At(inPower(layer), 0, "rounds")
	value := eigenvalue(layer, v, w, height, width, g)
	return v, autodiff.StepSize(value, p.Share).At(layer, 0, "step")
}

// inPower is where a layer's power iteration stands.
func inPower(layer string) string {
	if layer == "" {
		return "power"
	}
	return layer + "/power"
}

// powerRound appends round k from v and returns the next vector and the squared norm of the update:
//
//	v <- A*A v / |A*A v|       (A.4)
//
// The nodes are LAYER/power/k/ and synthesis (A v), analysis (A*A v), vector, change.
func powerRound(layer string, k int, v, w *autodiff.Node, height, width int, g conv.Geometry) (next, change *autodiff.Node) {
	place := inPower(layer)
	signal := autodiff.Synthesis(v, w, height, width, g).At(place, k, "synthesis")
	code := autodiff.Analysis(signal, w, g).At(place, k, "analysis")
	next = autodiff.Unit(code).At(place, k, "vector")
	return next, autodiff.Distance(next, v).At(place, k, "change")
}

// eigenvalue appends LAYER/power/synthesis, A v, and LAYER/eigenvalue, |A v|^2 (A.5).
func eigenvalue(layer string, v, w *autodiff.Node, height, width int, g conv.Geometry) *autodiff.Node {
	signal := autodiff.Synthesis(v, w, height, width, g).At(inPower(layer), 0, "synthesis")
	return autodiff.SumSquares(signal).At(layer, 0, "eigenvalue")
}

// Estimate is what power iteration found out about the largest eigenvalue of A*A.
type Estimate struct {
	Value     float64 // <v, A*A v> = |A v|^2: a lower bound of the largest eigenvalue, (A.5)
	Rounds    int     // how many were done
	Change    float64 // squared norm of the last update of v
	Converged bool    // Change <= PowerTolerance; otherwise the rounds ran out
}

// Step is the step size 0.9/lambda.
func (e Estimate) Step() float64 { return StepShare / e.Value }

// PowerIteration improves v (1, M, Ho, Wo) in place towards the eigenvector of A*A with the largest eigenvalue, by (A.4), until the
// squared norm of the update is at most PowerTolerance or PowerRounds are done, and returns |A v|^2 (A.5). height and
// width are the signal's. The norm is floored at 1e-12. At least one round is done.
//
// Fifty rounds often do not converge: the value is then a lower bound that may be a few per cent low, and the step 0.9/value
// exceeds 0.9/lambda_max by as much.
func PowerIteration[T tensor.Float](v, w *tensor.Tensor[T], height, width int, g conv.Geometry) Estimate {
	return newPower[T](v.Shape, w.Shape, height, width, g).run(v, w, g.Workers)
}

// power runs power iterations: one program for a round, one for the eigenvalue.
type power[T tensor.Float] struct {
	round, value                   *autodiff.Program[T]
	v, w, next, change, eigenvalue *autodiff.Node
}

func newPower[T tensor.Float](v, w []int, height, width int, g conv.Geometry) *power[T] {
	graph := autodiff.NewGraph()
	p := &power[T]{v: graph.Input("v", v...), w: graph.Input("w", w...)}
	p.next, p.change = powerRound("", 1, p.v, p.w, height, width, g)
	p.eigenvalue = eigenvalue("", p.v, p.w, height, width, g)
	arena := tensor.NewArena[T]()
	p.round = autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{p.next, p.change}}), arena)
	p.value = autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{p.eigenvalue}}), arena)
	return p
}

// run is PowerIteration on at most so many goroutines.
func (p *power[T]) run(v, w *tensor.Tensor[T], workers int) Estimate {
	for _, program := range []*autodiff.Program[T]{p.round, p.value} {
		program.Set(p.v, v)
		program.Set(p.w, w)
		program.Workers = workers
	}
	e := Estimate{Change: math.Inf(1)}
	for e.Rounds < PowerRounds && !e.Converged {
		p.round.Run()
		copy(v.Data, p.round.Value(p.next).Data)
		e.Rounds++
		e.Change = p.round.Number(p.change)
		e.Converged = e.Change <= PowerTolerance
	}
	p.round.Release()
	p.value.Run()
	e.Value = p.value.Number(p.eigenvalue)
	return e
}

// signalShape is the shape of n signals for atoms w.
func signalShape(n int, w []int, height, width int) []int {
	shape := conv.WithSizes(w, height, width)
	shape[0] = n
	return shape
}

// NormalizeAtoms divides each atom w[m] by its l2 norm, floored at 1e-12, in place.
func NormalizeAtoms[T tensor.Float](w *tensor.Tensor[T]) { autodiff.NormalizeAtoms(w, w) }
