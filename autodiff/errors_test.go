package autodiff

import (
	"slices"
	"strings"
	"testing"

	"sdref/conv"
	"sdref/tensor"
)

// anyShape lists operators whose first input may have any shape if no other one has to fit it.
var anyShape = []string{"relu", "gelu", "sum_squares", "unit", "unit_atoms", "scale", "add", "prox", "sum", "exp", "log"}

// Every operator refuses every input that has one dimension more than it should, and the message says which.
func TestShapesThatDoNotFit(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range table() {
		in, y := r.start()
		if wanted := r.wanted(in); len(wanted) > 0 {
			Backward(y, y.Graph().Input("seed", y.Shape...), wanted...)
		}
		for _, n := range y.Graph().Nodes {
			seen[n.Op.Name] = seen[n.Op.Name] || len(n.Inputs) == 1 && slices.Contains(anyShape, n.Op.Name)
			for i, in := range n.Inputs {
				if i == 0 && slices.Contains(anyShape, n.Op.Name) &&
					(len(n.Inputs) == 1 || n.Op.Aligned == 1) {
					continue
				}
				if slices.Index(n.Inputs, in) != i || strings.HasSuffix(r.name, "itself") {
					continue // all places of one node change together, which may fit
				}
				seen[n.Op.Name] = true
				g := NewGraph()
				var inputs []*Node
				for k, in := range n.Inputs {
					shape := in.Shape
					if k == i {
						shape = slices.Concat(shape, []int{2})
					}
					inputs = append(inputs, g.Input(string(rune('a'+k)), shape...))
				}
				t.Run(n.Op.Name, func(t *testing.T) {
					mustShapePanic(t, n.Op.Name, func() { Apply(n.Op, n.Attrs, inputs...) })
				})
			}
		}
	}
	for _, op := range Ops() {
		if !seen[op.Name] {
			t.Errorf("no wrong shape for %s", op.Name)
		}
	}
}

func TestSizesThatDoNotFit(t *testing.T) {
	g := NewGraph()
	names := 0
	in := func(shape ...int) *Node {
		names++
		return g.Input(strings.Repeat("x", names), shape...)
	}
	x, c := in(2, 3, 4, 5), in(3)
	norm := func(x, gamma, beta *Node, statistics int, training bool) func() {
		layer := strings.Repeat("y", names)
		mean, variance := in(statistics), in(statistics)
		return func() { BatchNorm(layer, x, Norm{gamma, beta, mean, variance, 1e-5, 0.1}, training) }
	}
	for _, m := range []struct {
		op string
		f  func()
	}{
		{"add", func() { Add(x, c) }},
		{"add", func() { Add(x, x, c) }},
		{"axpy", func() { Axpy(c, in(4), 2, nil) }},
		{"axpy", func() { Axpy(c, c, 2, in(1)) }},
		{"scale", func() { Scale(x, 2, in(2)) }},
		{"prox", func() { Prox(x, c, nil, Shrinkage{}) }},
		{"prox", func() { Prox(x, in(), c, Shrinkage{}) }},
		{"extrapolate", func() { Extrapolate(x, c, 1) }},
		{"channel_mean", norm(in(2, 3, 4), c, c, 3, true)},
		{"batchnorm", norm(x, in(4), c, 3, true)},
		{"batchnorm", norm(x, c, in(2), 3, false)},
		{"batchnorm", norm(x, c, c, 4, false)},
		{"running", norm(x, c, c, 4, true)},
		{"batchnorm", norm(in(1, 3, 1, 1), c, c, 3, true)}, // of one element there is no unbiased variance
		{"max_pool", func() { MaxPool(in(2, 3, 4), 2, 2, 0) }},
		{"max_pool", func() { MaxPool(x, 6, 1, 0) }},
		{"max_pool", func() { MaxPool(x, 3, 0, 1) }},
		{"max_pool", func() { MaxPool(x, 2, 2, 2) }},
		{"average_pool", func() { AveragePool(c) }},
		{"linear", func() { Linear(in(2, 3), in(5, 4), in(5)) }},
		{"linear", func() { Linear(in(2, 3), in(5, 3), in(3)) }},
		{"linear", func() { Linear(x, in(5, 3), in(5)) }},
		{"cross_entropy", func() { CrossEntropy(in(2, 3), in(1)) }},
		{"cross_entropy", func() { CrossEntropy(in(3), in(3)) }},
		{"analysis", func() { Analysis(in(3, 4, 5), in(2, 3, 3, 3), conv.Geometry{}) }},
		{"analysis", func() { Analysis(x, in(2, 4, 3, 3), conv.Geometry{}) }},
		{"analysis", func() { Analysis(x, in(2, 3, 7, 7), conv.Geometry{}) }},
		{"synthesis", func() { Synthesis(x, in(3, 3), 1, 1, conv.Geometry{}) }},
		{"synthesis", func() { Synthesis(x, in(4, 2, 3, 3), 4, 5, conv.Geometry{Padding: 1}) }},
		{"synthesis", func() { Synthesis(x, in(3, 2, 3, 3), 9, 11, conv.Geometry{Stride: 2, Padding: 1}) }},
		{"filter", func() { Filter(x, in(2, 3, 4, 5), []int{9, 9}, conv.Geometry{}) }},
		{"filter", func() { Filter(x, in(3), []int{3, 3}, conv.Geometry{}) }},
		{"unit_atoms", func() { UnitAtoms(in()) }},
		{"step", func() { StepSize(c, 1) }},
		{"rounds", func() { Rounds(1, in(), c) }},
		{"velocity", func() { Velocity(c, c, in(2), Descent{}) }},
		{"nesterov", func() { Nesterov(c, in(2), c, nil, Descent{}) }},
		{"nesterov", func() { Nesterov(c, c, c, c, Descent{}) }},
		{"distance", func() { Distance(c, in(2)) }},
		{"dot", func() { Dot(c, in(2), 1) }},
	} {
		t.Run(m.op, func(t *testing.T) { mustShapePanic(t, m.op, m.f) })
	}
}

func TestGraphsThatCannotBe(t *testing.T) {
	one, two := NewGraph(), NewGraph()
	x, y := one.Input("x", 2), two.Input("y", 2)
	mustPanic(t, "different graphs", func() { Add(x, y) })
	mustPanic(t, "different graphs", func() { Axpy(Scale(x, 2, nil), Scale(y, 2, nil), 2, nil) })
	mustShapePanic(t, "add", func() { Add(x, y) })
	const taken = "no new name"
	mustPanic(t, `"x" is `+taken, func() { one.Input("x", 3) })
	mustPanic(t, `"" is `+taken, func() { one.Input("", 3) })
	mustPanic(t, `"x" is `+taken, func() { Scale(x, 2, nil).At("", 0, "x") })
	h := Scale(x, 2, nil)
	h.At("layer", 2, "h")
	mustPanic(t, `"layer/2/h" is `+taken, func() { Scale(x, 2, nil).At("layer", 2, "h") })
	if one.Node("layer/2/h") != h || h.Graph() != one || one.Node("scale_3") != nil ||
		one.Node("nobody") != nil {
		t.Error("a node is not found by its name, or by one that it has had")
	}
	if got := h.String(); got != "layer/2/h = scale(x; scale 2) [2]" {
		t.Errorf("the node is %q", got)
	}
}

func TestProgramsThatCannotRun(t *testing.T) {
	g := NewGraph()
	x, y, spare := g.Input("x", 2), g.Input("y", 2), g.Input("spare", 2)
	sum, other := Add(x, y), Scale(spare, 2, nil)
	p := programOf[float32](sum)
	mustPanic(t, "input x has not been set", p.Run)
	p.Set(x, vector[float32](1, 2))
	mustPanic(t, "input y has not been set", p.Run)
	mustShapePanic(t, "input", func() { p.Set(y, vector[float32](1, 2, 3)) })
	mustShapePanic(t, "input", func() { p.Set(y, tensor.New[float32](2, 1)) })
	mustShapePanic(t, "input", func() { p.Set(y, &tensor.Tensor[float32]{Shape: []int{2}}) })
	p.Set(y, vector[float32](1, 2))
	p.Set(spare, vector[float32](1, 2, 3, 4)) // not needed: ignored
	p.Run()
	for _, n := range []*Node{x, other, spare} {
		mustPanic(t, n.Name+" is no output", func() { p.Value(n) })
		mustPanic(t, n.Name+" is no output", func() { p.Number(n) })
	}
	mustEqual(t, "sum", p.Value(sum), vector[float32](2, 4))
}

// An operator may have a kernel for one type only.
func TestOperatorOfOneType(t *testing.T) {
	op := &Op{Name: "half", Shape: likeInput(0),
		Float64: Kernel[float64]{Each: func(c *Call[float64], _, lo, hi int) {
			for i := lo; i < hi; i++ {
				c.Out.Data[i] = c.In[0].Data[i] / 2
			}
		}}}
	g := NewGraph()
	x := g.Input("x", 2)
	y := Apply(op, nil, x)
	mustEqual(t, "in float64", evaluate(values[float64]{x: vector(1.0, 3)}, y)[0], vector(0.5, 1.5))
	mustPanic(t, "operator half has no kernel for this type", func() { programOf[float32](y) })
}
