package autodiff

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// A graph is a random program over values of one shape: value i is leaf i, or the result of an operation on earlier ones.
type graph struct {
	leaves int
	nodes  []node
}

type node struct{ op, a, b int }

const graphOps = 12

func drawGraph(r *rand.Rand) graph {
	g := graph{leaves: 1 + r.IntN(3)}
	for range 3 + r.IntN(12) {
		values := g.leaves + len(g.nodes)
		near := func() int { return max(0, values-1-r.IntN(4)) } // mostly recent values, often the same one twice
		g.nodes = append(g.nodes, node{r.IntN(graphOps), near(), near()})
	}
	return g
}

// uses counts how often each value is an argument.
func (g graph) uses() []int {
	uses := make([]int, g.leaves+len(g.nodes))
	for _, n := range g.nodes {
		uses[n.a]++
		if n.binary() {
			uses[n.b]++
		}
	}
	return uses
}

func (n node) binary() bool { return n.op < 4 }

// apply computes a node. Its parameters are made from leaves, a kernel, gamma and beta, so that their memory is at risk too: as
// results that may be packed, since a third of the kernel is 0.
func (n node) apply(a, b *Var[float64], parameters []*Var[float64]) *Var[float64] {
	parameter := func(i int) *Var[float64] { return Shrink(parameters[i], 1, 0.5, false) }
	padded := conv.Geometry{Padding: 1}
	switch n.op {
	case 0, 1:
		return Add(a, b)
	case 2:
		return AddScaled(a, b, -0.75)
	case 3: // a residual, which is computed again
		return AddScaled(a, ConvolveTransposed(b, parameter(0), 4, 5, padded), -1)
	case 4:
		return Scale(a, 0.875)
	case 5:
		return ReLU(a)
	case 6:
		return Shrink(a, 0.9, 0.1, false)
	case 7: // a code, which is packed
		return Shrink(a, 0.5, 0.5, true)
	case 8:
		return Convolve(a, parameter(0), padded)
	case 9:
		return ConvolveTransposed(a, parameter(0), 4, 5, padded)
	case 10:
		return MaxPool(a, 3, 1, 1)
	}
	running := Running[float64]{Mean: tensor.New[float64](3), Var: tensor.New[float64](3)}
	return BatchNorm(a, parameter(1), parameter(2), running, true)
}

// outcome is the result of a graph, the values on the way, and the gradients of all leaves and parameters.
type outcome struct {
	result            *tensor.Tensor[float64]
	values, gradients []*tensor.Tensor[float64]
	evicted           evicted
}

// evicted counts the values that pullbacks find packed, to be computed again, and of these the residuals.
type evicted struct{ packed, again, residuals int }

func (e *evicted) count(tape *Tape[float64]) {
	for _, r := range tape.records {
		for _, s := range r.saved {
			switch {
			case s.Tensor != nil:
			case !s.todo.cheap:
				e.packed++
			case s.todo.joins && len(s.todo.reads) > 2:
				e.residuals++
			default:
				e.again++
			}
		}
	}
}

// evaluation is one run of a graph.
type evaluation struct {
	graph
	values   []*Var[float64]
	left     []int                     // uses to come
	snapshot []*tensor.Tensor[float64] // the values when they were new
}

// checkLive returns an error if a value that may still be used has changed.
func (e *evaluation) checkLive() error {
	for i, v := range e.values {
		if (i < e.leaves || e.left[i] > 0) && !tensor.SameBits(v.Value(), e.snapshot[i]) {
			return fmt.Errorf("value %d of %d changed while it was still needed; graph %+v", i, len(e.values), e.graph)
		}
	}
	return nil
}

// run evaluates a graph and checks after every operation that nothing live has changed. With keepAll every value is kept
// to the end, so that no operation can work in place. Unless observed, nobody looks at values on the way, so that operations
// may wait for each other. The result is the sum of the values that no node uses.
func (g graph) run(tape *Tape[float64], keepAll, observed bool) (outcome, error) {
	e := &evaluation{graph: g, left: g.uses()}
	kernels := normal[float64](50, 3, 3, 3, 3)
	parameters := []*Var[float64]{tape.Leaf(kernels), tape.Leaf(normal[float64](51, 3)), tape.Leaf(normal[float64](52, 3))}
	add := func(v *Var[float64], uses int) {
		e.values = append(e.values, v)
		if observed || len(e.values) <= g.leaves {
			e.snapshot = append(e.snapshot, v.Value().Clone())
		}
		for range uses - 1 {
			v.Keep()
		}
		if keepAll {
			v.Keep()
			e.left[len(e.values)-1]++
		}
	}
	var loose []int
	for i, uses := range e.left {
		if uses == 0 {
			loose = append(loose, i)
			e.left[i] = 1
		}
	}
	for i := range g.leaves {
		add(tape.Leaf(normal[float64](uint64(i), 2, 3, 4, 5)), e.left[i])
	}
	for i, n := range g.nodes {
		e.left[n.a]--
		if n.binary() {
			e.left[n.b]--
		}
		add(n.apply(e.values[n.a], e.values[n.b], parameters), e.left[g.leaves+i])
		if observed {
			if err := e.checkLive(); err != nil {
				return outcome{}, err
			}
		}
	}
	y := Scale(e.values[loose[0]], 1)
	for _, i := range loose[1:] {
		y = Add(y, e.values[i])
	}
	return e.finish(tape, y, parameters)
}

// finish runs Backward, if the tape records, and checks that no leaf or parameter changed.
func (e *evaluation) finish(tape *Tape[float64], y *Var[float64], parameters []*Var[float64]) (outcome, error) {
	result := outcome{result: y.Value().Clone(), values: e.snapshot}
	if tape.recording {
		result.evicted.count(tape)
		tape.Backward(y, normal[float64](60, y.Shape()...))
	}
	for i, v := range append(e.values[:e.leaves:e.leaves], parameters...) {
		if i < e.leaves && !tensor.SameBits(v.Value(), e.snapshot[i]) {
			return outcome{}, fmt.Errorf("leaf %d changed; graph %+v", i, e.graph)
		}
		g := tensor.New[float64]() // stands for no gradient
		if v.Grad() != nil {
			g = v.Grad().Clone()
		}
		result.gradients = append(result.gradients, g)
	}
	if !tensor.SameBits(parameters[0].Value(), normal[float64](50, 3, 3, 3, 3)) {
		return outcome{}, fmt.Errorf("the kernel changed; graph %+v", e.graph)
	}
	tape.Reset()
	for i, v := range append(e.values[:e.leaves:e.leaves], parameters...) {
		if v.buf.refs != 1 || v.buf.saves != 0 {
			return outcome{}, fmt.Errorf("leaf or parameter %d is held %d times, %d for pullbacks; graph %+v", i, v.buf.refs, v.buf.saves, e.graph)
		}
	}
	if out := tape.arena.Out(); out != 0 {
		return outcome{}, fmt.Errorf("%d tensors are out after Reset; graph %+v", out, e.graph)
	}
	return result, nil
}

// Working in place and giving memory back early changes no value, no gradient, and nothing that is still needed.
func TestMemoryIsNeverTakenTooEarly(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	arena := tensor.NewArena[float64]() // shared: stale contents come back
	saved, evicted := 0, evicted{}
	for range 400 {
		g := drawGraph(r)
		want, err := g.run(newTape[float64](), true, true)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			recording, observed := i%2 == 0, i/2 == 0
			name, tape := fmt.Sprintf("recording %t, observed %t", recording, observed), NoGrad(arena)
			if recording {
				tape = NewTape(arena)
			}
			got, err := g.run(tape, false, observed)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			evicted.packed += got.evicted.packed
			evicted.again += got.evicted.again
			evicted.residuals += got.evicted.residuals
			mustEqual(t, name+": result", got.result, want.result)
			for i, v := range got.values {
				mustEqual(t, fmt.Sprintf("%s: value %d of %+v", name, i, g), v, want.values[i])
			}
			for i, v := range want.gradients {
				if tape.recording {
					mustEqual(t, fmt.Sprintf("%s: gradient %d of %+v", name, i, g), got.gradients[i], v)
				}
			}
		}
		saved += savedBy(g)
	}
	if saved == 0 {
		t.Error("no graph needed less memory in place: the test tests nothing")
	}
	if min(evicted.packed, evicted.again, evicted.residuals) < 50 {
		t.Errorf("hardly anything was evicted: %+v", evicted)
	}
}

// savedBy is the number of elements that a graph's inference saves by working in place.
func savedBy(g graph) int {
	kept, inPlace := NoGrad(tensor.NewArena[float64]()), NoGrad(tensor.NewArena[float64]())
	g.run(kept, true, true)
	g.run(inPlace, false, true)
	return kept.arena.Held() - inPlace.arena.Held()
}
