package autodiff

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// randomGraph is a random computation on values of shape (2, 3, 4, 5), its gradient, and nodes that follow on
// both, such as an optimiser's.
type randomGraph struct {
	*Graph
	leaves     []*Node // of that shape
	parameters []*Node // kernel, gamma, beta, t, lambda
	side       []*Node // running statistics
	values     []*Node // leaves and what is computed of them
	result     *Node
	gradients  []*Node
	later      []*Node
	random     *rand.Rand
}

var randomShape = []int{2, 3, 4, 5}

func drawGraph(r *rand.Rand) *randomGraph {
	g := &randomGraph{Graph: NewGraph(), random: r}
	for i := range 1 + r.IntN(3) {
		g.leaves = append(g.leaves, g.Input(fmt.Sprint("leaf", i), randomShape...))
	}
	g.parameters = []*Node{g.Input("kernel", 3, 3, 3, 3), g.Input("gamma", 3), g.Input("beta", 3),
		g.Input("t"), g.Input("lambda")}
	g.side = []*Node{g.Input("mean", 3), g.Input("variance", 3)}
	g.values = slices.Clone(g.leaves)
	used := map[*Node]bool{}
	for range 3 + r.IntN(12) {
		a, b := g.near(), g.near()
		g.values = append(g.values, g.apply(a, b))
		used[a], used[b] = true, true
	}
	g.result = g.values[len(g.values)-1]
	for _, v := range g.values[:len(g.values)-1] {
		if !used[v] {
			g.result = Add(v, g.result)
		}
	}
	g.differentiate()
	return g
}

// near is mostly a recent value, often the same one twice.
func (g *randomGraph) near() *Node { return g.values[max(0, len(g.values)-1-g.random.IntN(4))] }

// parameter is made from an input, so that its memory is at risk too: as a value that may be packed, since a
// third of it is 0.
func (g *randomGraph) parameter(i int) *Node {
	return Prox(g.parameters[i], g.parameters[3], nil, Shrinkage{Lambda: 0.5})
}

// apply appends an operator, with its parameters.
func (g *randomGraph) apply(a, b *Node) *Node {
	padded, t := conv.Geometry{Padding: 1}, g.parameters[3]
	switch g.random.IntN(19) {
	case 0:
		return Add(a, b)
	case 1:
		return Add(a, b, g.near(), g.near())
	case 2:
		return Axpy(a, b, -0.75, nil)
	case 3: // a residual, which is computed again
		return Axpy(a, Synthesis(b, g.parameter(0), 4, 5, padded), -1, nil)
	case 4:
		return Scale(a, 0.875, nil)
	case 5:
		return ReLU(a)
	case 6: // a value with few zeros
		return Prox(a, t, nil, Shrinkage{Lambda: 0.01})
	case 7: // a code, which is packed
		return Prox(a, t, g.parameters[4], Shrinkage{Mu: 0.25, Nonnegative: true})
	case 8:
		return Analysis(a, g.parameter(0), padded)
	case 9:
		return Synthesis(a, g.parameter(0), 4, 5, padded)
	case 10:
		return MaxPool(a, 3, 1, 1)
	case 11:
		return Extrapolate(a, b, 0.375)
	case 12:
		return Axpy(a, Analysis(b, g.parameter(0), padded), 0.5, t)
	case 13:
		return Scale(a, 0.5, t)
	case 14: // two uses of one contraction
		y := Analysis(a, g.parameter(0), padded)
		return Axpy(ReLU(y), y, -0.25, nil)
	case 15:
		return Extrapolate(Prox(a, t, nil, Shrinkage{Lambda: 0.125}), b, 0.25)
	case 16: // computed again, from a value that its gradient reads too
		return GELU(a)
	default:
		p := Norm{g.parameter(1), g.parameter(2), g.side[0], g.side[1], 1e-5, 0.1}
		y, mean, variance := BatchNorm(fmt.Sprint("bn", len(g.Nodes)), a, p, g.random.IntN(4) > 0)
		if mean.Op != nil {
			g.later = append(g.later, mean, variance)
		}
		return y
	}
}

// differentiate appends the gradient with respect to whatever has one, sometimes of a value on the way too,
// then the optimiser's nodes and a few more.
func (g *randomGraph) differentiate() {
	seed := g.Input("seed", randomShape...)
	reached := map[*Node]bool{g.result: true}
	for _, n := range slices.Backward(g.Nodes) {
		for i, in := range n.Inputs {
			reached[in] = reached[in] || reached[n] && n.Op.Pull != nil && !slices.Contains(n.Op.Constants, i)
		}
	}
	var wanted []*Node
	for _, n := range slices.Concat(g.leaves, g.parameters) {
		if reached[n] {
			wanted = append(wanted, n)
		}
	}
	if middle := g.near(); reached[middle] && !slices.Contains(wanted, middle) && g.random.IntN(3) == 0 {
		wanted = append(wanted, middle)
	}
	g.gradients = Backward(g.result, seed, wanted...)
	d := Descent{Rate: 0.25, Momentum: 0.5, Decay: 0.125}
	for i, n := range wanted {
		if g.random.IntN(2) == 0 {
			v := Velocity(g.Input("velocity/"+n.Name, n.Shape...), g.gradients[i], n, d)
			g.later = append(g.later, v, Nesterov(n, g.gradients[i], v, nil, d))
		}
	}
	for range g.random.IntN(4) {
		y := g.apply(g.near(), g.near())
		g.values, g.later = append(g.values, y), append(g.later, y)
	}
}

func (g *randomGraph) outputs() []*Node { return append(slices.Concat(g.gradients, g.later), g.result) }

// drawValues gives the inputs values.
func drawValues[T tensor.Float](g *randomGraph, seed uint64) values[T] {
	v := drawn[T](g.Graph, seed)
	v[g.Node("t")].Fill(0.75 + T(seed)/1024)
	v[g.Node("lambda")].Fill(0.5)
	for i, x := range v[g.side[1]].Data {
		v[g.side[1]].Data[i] = x*x + 0.5
	}
	return v
}

// poison fills the arena's free memory with NaN.
func poison[T tensor.Float](arena *tensor.Arena[T]) {
	const n = 128
	var list []*tensor.Tensor[T]
	for range arena.Capacity() / n {
		x := arena.Get(n)
		x.Fill(T(math.NaN()))
		list = append(list, x)
	}
	for _, x := range list {
		arena.Put(x)
	}
}

// checkRun runs the program on its inputs twice, and fails unless outputs and watched nodes have the naive
// bits, watched nodes are shown once, inputs have not changed and all memory is given back.
func checkRun[T tensor.Float](p *Program[T], v values[T], want *naive[T], w Wanted) error {
	inputs := v.clone()
	for run := range 2 {
		shown := map[*Node]int{}
		var wrong *Node
		p.Observe = func(n *Node, value *tensor.Tensor[T]) {
			if shown[n]++; !tensor.SameBits(value, want.value[n]) {
				wrong = n
			}
		}
		poison(p.arena)
		p.Run()
		if wrong != nil {
			return fmt.Errorf("run %d shows %s with other bits", run, wrong)
		}
		for _, n := range w.Watched {
			if shown[n] != 1 {
				return fmt.Errorf("run %d shows %s %d times", run, n, shown[n])
			}
		}
		for _, n := range w.Outputs {
			if !tensor.SameBits(p.Value(n), want.value[n]) {
				return fmt.Errorf("run %d gives other bits for %s", run, n)
			}
		}
		for n, t := range inputs {
			if !tensor.SameBits(v[n], t) {
				return fmt.Errorf("run %d changed input %s", run, n)
			}
		}
		p.Release()
		if out := p.arena.Live(); out != 0 {
			return fmt.Errorf("run %d: %d tensors are out after Release", run, out)
		}
	}
	return nil
}

// plans are the ways to ask for a graph: only what is required, with some nodes shown, and every node.
func (g *randomGraph) plans() map[string]Wanted {
	var some []*Node
	for _, n := range g.Nodes {
		if g.random.IntN(3) == 0 {
			some = append(some, n)
		}
	}
	return map[string]Wanted{"outputs": {Outputs: g.outputs()},
		"watched": {Outputs: g.outputs(), Watched: some}, "all": {Outputs: g.Nodes}}
}

// kinds counts what plans do.
type kinds struct{ packed, again, residuals, joined, overwritten, pairs int }

func (k *kinds) count(p *Plan) {
	k.packed += len(p.planned(Packed))
	for _, v := range p.planned(Again) {
		if v.Node.Op == synthesisOp {
			k.residuals++
		} else {
			k.again++
		}
	}
	for _, s := range p.Steps {
		if s.Pair != nil {
			k.pairs++
		} else {
			k.joined += len(s.Values) - 1
		}
	}
	for _, b := range p.buffers {
		k.overwritten += len(b.Values) - 1
	}
}

// No plan changes a bit: what a program computes only for what is required, with nodes shown on the way, and
// for all nodes, is what every node's kernel gives alone. It does so again with other inputs, which it reads
// when it runs.
func TestPlansChangeNoBit(t *testing.T) {
	var k kinds
	t.Run("float32", func(t *testing.T) { testPlans[float32](t, 150, &k) })
	t.Run("float64", func(t *testing.T) { testPlans[float64](t, 150, &k) })
	if min(k.packed, k.again, k.residuals, k.joined, k.overwritten, k.pairs) < 50 {
		t.Errorf("plans hardly do anything: %+v", k)
	}
	t.Logf("%+v", k)
}

func testPlans[T tensor.Float](t *testing.T, graphs int, k *kinds) {
	r := rand.New(rand.NewPCG(11, 1))
	arena := tensor.NewArena[T]() // shared: stale contents come back
	for range graphs {
		g := drawGraph(r)
		v, other := drawValues[T](g, 1), drawValues[T](g, 2)
		want, wantOther := naively(g.Graph, v), naively(g.Graph, other)
		for name, w := range g.plans() {
			p := NewProgram(NewPlan(w), arena)
			k.count(p.Plan)
			v.set(p)
			if err := checkRun(p, v, want, w); err != nil {
				t.Fatalf("%s: %v; graph\n%s", name, err, describe(g.Graph))
			}
			mine := v.clone() // the same tensors with other contents
			mine.set(p)
			for n := range mine {
				copy(mine[n].Data, other[n].Data)
			}
			if err := checkRun(p, mine, wantOther, w); err != nil {
				t.Fatalf("%s, other inputs: %v; graph\n%s", name, err, describe(g.Graph))
			}
		}
	}
}

// describe lists a graph's nodes.
func describe(g *Graph) (s string) {
	for _, n := range g.Nodes {
		s += n.String() + "\n"
	}
	return s
}

// The same on every kernel row with any number of goroutines.
func TestPlansChangeNoBitAnywhere(t *testing.T) {
	t.Run("float32", testPlansAnywhere[float32])
	t.Run("float64", testPlansAnywhere[float64])
}

func testPlansAnywhere[T tensor.Float](t *testing.T) {
	r := rand.New(rand.NewPCG(12, 1))
	for range 12 {
		g := drawGraph(r)
		v := drawValues[T](g, 3)
		want := naively(g.Graph, v)
		w := Wanted{Outputs: g.outputs()}
		p := NewProgram(NewPlan(w), tensor.NewArena[T]())
		v.set(p)
		everywhere(t, func(where string) {
			if err := checkRun(p, v, want, w); err != nil {
				t.Fatalf("%s: %v; graph\n%s", where, err, describe(g.Graph))
			}
		})
	}
}
