package onnx_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sdref/autodiff"
	. "sdref/autodiff/onnx"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// implicit are the operators of csc, which are made for each layer and so in no list.
var implicit = []string{"solution", "solution_dlambda", "solution_system"}

// Every operator has a row, and every row is an operator's. Whoever adds an operator says what it is in ONNX,
// or why it is nothing.
func TestEveryOperator(t *testing.T) {
	known := slices.Clone(implicit)
	for _, op := range autodiff.Ops() {
		known = append(known, op.Name)
	}
	slices.Sort(known)
	if rows := Operators(); !slices.Equal(rows, known) {
		t.Errorf("rows    %q\nfor ops %q", rows, known)
	}
	g, _, _ := layer(csc.Settings{Iterations: 1, Gradient: csc.Implicit}, []int{2, 3, 5, 5}, 4, true)
	var seen []string
	for _, n := range g.Nodes {
		if strings.HasPrefix(n.Op.Name, "solution") && !slices.Contains(seen, n.Op.Name) {
			seen = append(seen, n.Op.Name)
		}
	}
	if slices.Sort(seen); !slices.Equal(seen, implicit) {
		t.Errorf("the implicit gradient's operators are %q", seen)
	}
}

// layer writes down a CSC layer of one kernel side for signals of a shape, with lambda as an input, and its
// gradients if asked for.
func layer(s csc.Settings, x []int, atoms int, gradients bool) (g *autodiff.Graph, code *autodiff.Node, all []*autodiff.Node) {
	g = autodiff.NewGraph()
	w := append([]int{atoms, x[1]}, 3, 3)[:len(x)]
	in := []*autodiff.Node{g.Input("x", x...), g.Input("w", w...), g.Input("lambda")}
	code = csc.Code("layer", in[0], in[1], g.Input("t"), in[2], s)
	all = []*autodiff.Node{code}
	if gradients {
		all = append(all, autodiff.Backward(code, g.Input("dz", code.Shape...), in...)...)
	}
	return g, code, all
}

// checked makes a model and fails unless it can be read back, each name is made once and before it is used,
// and no constant is idle.
func checked(t *testing.T, e Export) *Model {
	t.Helper()
	m, err := e.Model()
	if err != nil {
		t.Fatal(err)
	}
	if again := read(t, m.Encode()); fmt.Sprint(again) != fmt.Sprint(m) {
		t.Errorf("model %s is another one when it is read back", m.Name)
	}
	made, used := map[string]bool{}, map[string]bool{}
	add := func(name string) {
		if made[name] || name == "" {
			t.Errorf("%q is made twice", name)
		}
		made[name] = true
	}
	for _, v := range m.Inputs {
		add(v.Name)
	}
	for _, v := range m.Constants {
		add(v.Name)
		if max(len(v.Floats), len(v.Ints)) != tensor.Size(v.Shape) {
			t.Errorf("%s: %d and %d elements of shape %v", v.Name, len(v.Floats), len(v.Ints), v.Shape)
		}
	}
	for _, n := range m.Nodes {
		for _, in := range n.Inputs {
			if !made[in] {
				t.Errorf("node %s uses %q, which is not there yet", n.Name, in)
			}
			used[in] = true
		}
		for _, out := range n.Outputs {
			add(out)
		}
	}
	for _, v := range m.Outputs {
		if !made[v.Name] {
			t.Errorf("output %s is not made", v.Name)
		}
	}
	for _, v := range m.Constants {
		if !used[v.Name] {
			t.Errorf("constant %s is not used", v.Name)
		}
	}
	return m
}

// Codes and gradients of layers of every sort, and in signals of two axes, one and none.
func TestLayers(t *testing.T) {
	for _, x := range [][]int{{2, 3, 7, 6}, {2, 3, 7}, {2, 3}} {
		for _, iterations := range []int{1, 2, 5} {
			for _, variant := range []csc.Variant{csc.Published, csc.Paper} {
				for _, nonnegative := range []bool{true, false} {
					for _, mu := range []float64{0, 0.25} {
						s := csc.Settings{Iterations: iterations, Variant: variant, Nonnegative: nonnegative, Mu: mu}
						if len(x) > 2 {
							s.Geometry = conv.Geometry{Stride: 2, Padding: 1}
						}
						g, _, _ := layer(s, x, 4, true)
						m := checked(t, Export{Name: "layer", Inputs: g.Inputs, Outputs: g.Nodes})
						shrinkage := "Clip"
						if nonnegative {
							shrinkage = "Relu"
						}
						if count(m, "Conv")+count(m, "Gemm") < iterations || (mu > 0) != (count(m, "Div") == 1) ||
							count(m, shrinkage) != iterations {
							t.Errorf("%v, %+v: %v", x, s, m.Nodes)
						}
					}
				}
			}
		}
	}
}

func count(m *Model, op string) (n int) {
	for _, node := range m.Nodes {
		if node.Op == op {
			n++
		}
	}
	return n
}

// The gradient of a kernel is a Conv whose padding ends where the signal does, cut where the signal has rows
// that no code reaches.
func TestFilter(t *testing.T) {
	for _, c := range []struct {
		x, k int
		conv.Geometry
		pads []int
		cut  bool
	}{
		{7, 3, conv.Geometry{Padding: 1}, []int{1, 1, 1, 1}, false},
		{7, 3, conv.Geometry{Stride: 2, Padding: 1}, []int{1, 1, 1, 1}, false},
		{8, 3, conv.Geometry{Stride: 2, Padding: 1}, []int{1, 1, 0, 0}, false},
		{8, 3, conv.Geometry{Stride: 2}, []int{0, 0, 0, 0}, true},
		{9, 3, conv.Geometry{Stride: 2, Dilation: 2}, []int{0, 0, 0, 0}, false},
	} {
		g := autodiff.NewGraph()
		x := g.Input("x", 2, 3, c.x, c.x)
		side := c.CodeSize(c.x, c.k)
		w := autodiff.Filter(x, g.Input("y", 2, 4, side, side), []int{c.k, c.k}, c.Geometry)
		m := checked(t, Export{Inputs: g.Inputs, Outputs: []*autodiff.Node{w}})
		conv := m.Nodes[slices.IndexFunc(m.Nodes, func(n Node) bool { return n.Op == "Conv" })]
		i := slices.IndexFunc(conv.Attributes, func(a Attribute) bool { return a.Name == "pads" })
		if !slices.Equal(conv.Attributes[i].Value.([]int), c.pads) {
			t.Errorf("%+v: %v", c, conv)
		}
		if (count(m, "Slice") > 0) != c.cut {
			t.Errorf("%+v: %v", c, m.Nodes)
		}
	}
}

// With the number of images left open it is the first size of all that depends on the images, and of nothing
// else.
func TestFreeBatch(t *testing.T) {
	g, code, all := layer(csc.Settings{Iterations: 2}, []int{1, 3, 6, 6}, 4, true)
	constants := map[*autodiff.Node]*tensor.Tensor[float32]{}
	for _, n := range g.Inputs[1:4] {
		constants[n] = tensor.New[float32](n.Shape...)
	}
	e := Export{Inputs: g.Inputs[:1], Outputs: []*autodiff.Node{code}, Constants: constants, FreeBatch: true,
		Names: map[*autodiff.Node]string{code: "code"}, Metadata: []Property{{"key", "value"}}, Doc: "a layer"}
	m := checked(t, e)
	if got, want := fmt.Sprint(m.Inputs, m.Outputs), "[{x 1 [-1 3 6 6]}] [{code 1 [-1 4 4 4]}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	e.Inputs = []*autodiff.Node{g.Node("x"), g.Node("dz")}
	e.Outputs = all[2:3] // grad/w, which sums over images
	mustNeedImages(t, e)
	rest := g.Input("rest", 1, 4, 4, 4)
	constants[rest] = tensor.New[float32](rest.Shape...)
	e.Inputs = g.Inputs[:1]
	e.Outputs = []*autodiff.Node{autodiff.Add(rest, code)} // of one image and of many is not what the graph says
	mustNeedImages(t, e)
}

func mustNeedImages(t *testing.T, e Export) {
	t.Helper()
	var u *Unsayable
	if _, err := e.Model(); !errors.As(err, &u) || !strings.Contains(u.Why, "number of images") {
		t.Errorf("%v", err)
	}
}

// A node among the inputs stands for all that would compute it.
func TestCut(t *testing.T) {
	g, code, _ := layer(csc.Settings{Iterations: 2}, []int{1, 3, 6, 6}, 4, false)
	before := g.Node("layer/2/prethreshold")
	m := checked(t, Export{Inputs: append([]*autodiff.Node{before}, g.Inputs...), Outputs: []*autodiff.Node{code}})
	const want = "[{layer/2/prethreshold 1 [1 4 4 4]} {lambda 1 []} {t 1 []}]"
	if got := fmt.Sprint(m.Inputs); got != want || count(m, "Conv") > 0 {
		t.Errorf("inputs %s, nodes %v", got, m.Nodes)
	}
}

// GELU and its gradient are sums and products around one Tanh, whose values are those of this program.
func TestGELU(t *testing.T) {
	const n = 121
	g := autodiff.NewGraph()
	x, dy := g.Input("x", n), g.Input("dy", n)
	y := autodiff.GELU(x).At("", 0, "y")
	outputs := []*autodiff.Node{y, autodiff.Backward(y, dy, x)[0]}
	m := checked(t, Export{Inputs: g.Inputs, Outputs: outputs})
	if count(m, "Tanh") != 1 {
		t.Errorf("%v", m.Nodes)
	}
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: outputs}), tensor.NewArena[float64]())
	in := map[*autodiff.Node]*tensor.Tensor[float64]{x: tensor.New[float64](n), dy: tensor.New[float64](n)}
	for i := range n {
		in[x].Data[i], in[dy].Data[i] = float64(i-n/2)/10, float64(i%7)-2.75
	}
	for node, v := range in {
		p.Set(node, v)
	}
	p.Run()
	for i := range n {
		of := arithmetic(t, m, map[string]float64{x.Name: in[x].Data[i], dy.Name: in[dy].Data[i]})
		for _, out := range outputs {
			// The model's constants are float32's: 2^-24 of each, times the largest slope in x, some 30.
			if got, want := of[out.Name], p.Value(out).Data[i]; !(math.Abs(got-want) <= 2e-6) {
				t.Errorf("%s at %v is %v, want %v", out.Name, in[x].Data[i], got, want)
			}
		}
	}
}

// arithmetic computes a model of sums, products and tanh for one element.
func arithmetic(t *testing.T, m *Model, of map[string]float64) map[string]float64 {
	for _, c := range m.Constants {
		of[c.Name] = float64(c.Floats[0])
	}
	for _, n := range m.Nodes {
		a, b := of[n.Inputs[0]], of[n.Inputs[len(n.Inputs)-1]]
		value, known := map[string]float64{"Add": a + b, "Sub": a - b, "Mul": a * b, "Tanh": math.Tanh(a)}[n.Op]
		if !known {
			t.Fatalf("node %v", n)
		}
		of[n.Outputs[0]] = value
	}
	return of
}

// Class labels are whole numbers.
func TestLabels(t *testing.T) {
	g := autodiff.NewGraph()
	loss := autodiff.CrossEntropy(g.Input("logits", 2, 10), g.Input("labels", 2))
	m := checked(t, Export{Inputs: g.Inputs, Outputs: append(autodiff.Backward(loss, nil, g.Node("logits")), loss)})
	if m.Inputs[0].Type != Float32 || m.Inputs[1].Type != Int64 {
		t.Errorf("%v", m.Inputs)
	}
}

// A loss of one's own, and its gradients: the mean of (e^x - y)^2 log y, and a sum of a number, whose gradient has no axes.
func TestOwnLoss(t *testing.T) {
	g := autodiff.NewGraph()
	x, y := g.Input("x", 5, 7), g.Input("y", 5, 7)
	d := autodiff.Axpy(autodiff.Exp(x), y, -1, nil)
	loss := autodiff.Sum(autodiff.Mean(autodiff.Mul(autodiff.Mul(d, d), autodiff.Log(y))))
	m := checked(t, Export{Inputs: g.Inputs, Outputs: append(autodiff.Backward(loss, nil, x, y), loss)})
	if count(m, "Exp") != 1 || count(m, "Log") != 1 || count(m, "ReduceSum") != 2 || count(m, "Expand") != 1 {
		t.Errorf("%v", m.Nodes)
	}
}

func TestRefusals(t *testing.T) {
	g, _, all := layer(csc.Settings{Iterations: 1, Gradient: csc.Implicit}, []int{1, 3, 6, 6}, 4, true)
	e := Export{Inputs: g.Inputs, Outputs: all}
	var u *Unsayable
	if _, err := e.Model(); !errors.As(err, &u) || u.Op != "solution_system" {
		t.Errorf("%v", err)
	}
	list := Refusals(g)
	if len(list) == 0 || list[0].Op != "solution_system" || list[1].Why != "it depends on "+list[0].Node {
		t.Errorf("%v", list)
	}
	for _, r := range list[1:] {
		if !strings.HasPrefix(r.Why, "it depends on ") {
			t.Errorf("%v", r)
		}
	}
	e.Outputs = all[:1]
	checked(t, e)
	e.Inputs = e.Inputs[1:]
	if _, err := e.Model(); err == nil || !strings.Contains(err.Error(), "input x is neither") {
		t.Errorf("%v", err)
	}
	own := &autodiff.Op{Name: "own", Shape: func(n *autodiff.Node) ([]int, error) { return n.Inputs[0].Shape, nil }}
	e.Outputs = []*autodiff.Node{autodiff.Apply(own, nil, g.Node("x"))}
	e.Inputs = g.Inputs
	if _, err := e.Model(); !errors.As(err, &u) || !strings.Contains(u.Error(), "no row") {
		t.Errorf("%v", err)
	}
}

// Test data are tensors by themselves.
func TestTensor(t *testing.T) {
	for _, want := range []Tensor{
		{Name: "x", Shape: []int{2, 1}, Floats: []float32{1.5, -0.25}},
		{Name: "labels", Shape: []int{3}, Ints: []int64{7, -1, 0}},
		{Name: "step", Shape: []int{}, Floats: []float32{0x1p-130}},
	} {
		if got := readTensor(t, want.Encode()); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}

// Two iterations of FISTA.
func ExampleExport() {
	g := autodiff.NewGraph()
	x, w, t := g.Input("x", 1, 3, 8, 8), g.Input("w", 16, 3, 3, 3), g.Input("t")
	s := csc.Settings{Geometry: conv.Geometry{Padding: 1}, Lambda: 0.1, Nonnegative: true, Iterations: 2}
	z := csc.FISTA("", x, w, t, nil, s)
	weights := map[*autodiff.Node]*tensor.Tensor[float32]{w: tensor.New[float32](w.Shape...), t: tensor.New[float32]()}
	e := Export{Name: "layer", Inputs: []*autodiff.Node{x}, Outputs: []*autodiff.Node{z}, FreeBatch: true, Constants: weights}
	m, err := e.Model()
	if err != nil {
		panic(err)
	}
	for _, n := range m.Nodes {
		fmt.Printf("%s = %s(%s)\n", n.Outputs[0], n.Op, strings.Join(n.Inputs, ", "))
	}
	// Output:
	// 1/analysis = Conv(x, w)
	// 1/prethreshold = Mul(1/analysis, t)
	// 1/code:1 = Mul(number:0.1, t)
	// 1/code:2 = Sub(1/prethreshold, 1/code:1)
	// 1/code = Relu(1/code:2)
	// 2/synthesis = ConvTranspose(1/code, w)
	// 2/residual = Sub(x, 2/synthesis)
	// 2/analysis = Conv(2/residual, w)
	// 2/prethreshold:1 = Mul(2/analysis, t)
	// 2/prethreshold = Add(1/code, 2/prethreshold:1)
	// 2/code:1 = Sub(2/prethreshold, 1/code:1)
	// 2/code = Relu(2/code:1)
}
