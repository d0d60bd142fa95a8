package autodiff

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"sdref/tensor"
)

// Every operator against its definition: every node of every row's graph, with the gradient's, from the
// inputs that the program had.
func TestValues(t *testing.T) {
	seen := map[string]bool{}
	t.Run("float32", func(t *testing.T) { testValues[float32](t, 2e-6, seen) })
	t.Run("float64", func(t *testing.T) { testValues[float64](t, 4e-15, seen) })
	for _, op := range Ops() {
		if !seen[op.Name] {
			t.Errorf("no row has operator %s", op.Name)
		}
		if definitions[op.Name] == nil {
			t.Errorf("operator %s has no definition", op.Name)
		}
	}
}

// testValues allows differences of tolerance times the largest element: some tens of roundings of 2^-24 =
// 6e-8 or 2^-53 = 1.1e-16, since no sum here has more than some hundred terms.
func testValues[T tensor.Float](t *testing.T, tolerance float64, seen map[string]bool) {
	worst := 0.0
	for _, r := range table() {
		in, y := r.start()
		v := draw[T](r, 3, in)
		if wanted := r.wanted(in); len(wanted) > 0 {
			seed := y.Graph().Input("seed", y.Shape...)
			v[seed] = normal[T](4, y.Shape...)
			Backward(y, seed, wanted...)
		}
		p := programOf[T](y.Graph().Nodes...)
		v.set(p)
		p.Run()
		for _, n := range y.Graph().Nodes {
			seen[n.Op.Name] = true
			var from [][]float64
			for _, in := range n.Inputs {
				from = append(from, digits(p, in))
			}
			got, want := digits(p, n), definitions[n.Op.Name](n, from)
			difference, largest := 0.0, 0.0
			for i := range want {
				difference = max(difference, math.Abs(got[i]-want[i]))
				largest = max(largest, math.Abs(want[i]))
			}
			if !(difference <= tolerance*largest) || len(got) != len(want) {
				t.Errorf("%s: %v differs by %.1e of the largest element from its definition", r.name, n,
					difference/largest)
			}
			if largest > 0 {
				worst = max(worst, difference/largest)
			}
		}
	}
	t.Logf("largest difference %.1e of the largest element", worst)
}

// digits is a value of the program with every digit.
func digits[T tensor.Float](p *Program[T], n *Node) []float64 {
	c := p.of(p.Plan.values[n])
	if c.wide != nil {
		return c.wide
	}
	return tensor.Convert[float64](&c.tensor).Data
}

// Operators that move or choose elements are exact, and so is a sum of two: the definition rounded is what
// they give.
func TestExactValues(t *testing.T) {
	t.Run("float32", testExactValues[float32])
	t.Run("float64", testExactValues[float64])
}

func testExactValues[T tensor.Float](t *testing.T) {
	exact := []string{"relu", "relu_grad", "max_pool", "rounds", "add"}
	for _, r := range table() {
		in, y := r.start()
		if !slices.Contains(exact, y.Op.Name) || len(y.Inputs) > 3 {
			continue
		}
		v := draw[T](r, 5, in)
		var from [][]float64
		for _, n := range y.Inputs {
			from = append(from, tensor.Convert[float64](v[n]).Data)
		}
		want := tensor.Convert[T](tensor.From(definitions[y.Op.Name](y, from), y.Shape...))
		mustEqual(t, r.name, evaluate(v, y)[0], want)
	}
}

// gradientOf applies an operator to one input and returns its value and the gradient for a seed of ones.
func gradientOf(x *tensor.Tensor[float64], op func(v *Node) *Node) (y, dx *tensor.Tensor[float64]) {
	g := NewGraph()
	in := g.Input("x", x.Shape...)
	out := op(in)
	seed := g.Input("seed", out.Shape...)
	ones := tensor.New[float64](out.Shape...)
	ones.Fill(1)
	list := evaluate(values[float64]{in: x, seed: ones}, out, Backward(out, seed, in)[0])
	return list[0], list[1]
}

// Where the derivative jumps it is taken as 0.
func TestKinks(t *testing.T) {
	above, below, zero := math.Nextafter(0.5, 1), math.Nextafter(0.5, 0), math.Copysign(0, -1)
	prox := func(nonnegative bool) func(v *Node) *Node {
		return func(v *Node) *Node {
			return Prox(v, v.Graph().Input("t"), nil, Shrinkage{Lambda: 0.5, Nonnegative: nonnegative})
		}
	}
	for _, c := range []struct {
		name     string
		op       func(v *Node) *Node
		x, y, dx []float64
	}{
		{"relu", ReLU, []float64{-1, zero, 0, 5e-324, 1}, []float64{0, zero, 0, 5e-324, 1},
			[]float64{0, 0, 0, 1, 1}},
		{"prox", prox(false), []float64{-above, -0.5, -below, zero, 0, below, 0.5, above},
			[]float64{0.5 - above, 0, 0, 0, 0, 0, 0, above - 0.5}, []float64{1, 0, 0, 0, 0, 0, 0, 1}},
		{"prox nonnegative", prox(true), []float64{-2, -0.5, zero, 0, below, 0.5, above},
			[]float64{0, 0, 0, 0, 0, 0, above - 0.5}, []float64{0, 0, 0, 0, 0, 0, 1}},
	} {
		g := NewGraph()
		x := g.Input("x", len(c.x))
		y := c.op(x)
		seed := g.Input("seed", y.Shape...)
		v := values[float64]{x: vector(c.x...), seed: vector(slices.Repeat([]float64{1}, len(c.x))...)}
		if step := g.Node("t"); step != nil {
			v[step] = number(1.0)
		}
		list := evaluate(v, y, Backward(y, seed, x)[0])
		mustEqual(t, c.name, list[0], vector(c.y...))
		mustEqual(t, c.name+" gradient", list[1], vector(c.dx...))
	}
}

func TestNaNPropagates(t *testing.T) {
	image := tensor.From([]float64{1, 2, math.NaN(), 4}, 1, 1, 2, 2)
	for name, op := range map[string]func(v *Node) *Node{
		"relu":         ReLU,
		"gelu":         GELU,
		"max_pool":     func(v *Node) *Node { return MaxPool(v, 2, 2, 0) },
		"average_pool": AveragePool,
		"unit":         Unit,
		"sum_squares":  SumSquares,
		"unit_atoms":   UnitAtoms,
		"distance":     func(v *Node) *Node { return Distance(v, v) },
	} {
		g := NewGraph()
		x := g.Input("x", 1, 1, 2, 2)
		y := evaluate(values[float64]{x: image}, op(x))[0]
		if at := min(2, y.Len()-1); !math.IsNaN(y.Data[at]) {
			t.Errorf("%s hides a NaN: %v", name, y.Data)
		}
	}
	for _, nonnegative := range []bool{true, false} {
		g := NewGraph()
		x, step := g.Input("x", 2), g.Input("t")
		y := Prox(x, step, nil, Shrinkage{Lambda: 100, Nonnegative: nonnegative})
		if z := evaluate(values[float64]{x: vector(math.NaN(), 1), step: number(1.0)},
			y)[0]; !math.IsNaN(z.Data[0]) || z.Data[1] != 0 {
			t.Errorf("prox, nonnegative %t, of NaN and 1 with a large lambda: %v", nonnegative, z)
		}
	}
}

// Of equal elements the first in row-major order wins, and padding never does.
func TestMaxPoolTies(t *testing.T) {
	equal := tensor.From([]float64{-5, -5, -5, -5}, 1, 1, 2, 2)
	y, dx := gradientOf(equal, func(v *Node) *Node { return MaxPool(v, 3, 2, 1) })
	mustEqual(t, "value", y, tensor.From([]float64{-5}, 1, 1, 1, 1))
	mustEqual(t, "gradient", dx, tensor.From([]float64{1, 0, 0, 0}, 1, 1, 2, 2))
}

// The kernels of windows side by side give what windows says, on every row and with any number of goroutines, whose pieces
// are several planes.
func TestMaxPoolOfPairs(t *testing.T) {
	t.Run("float32", testMaxPoolOfPairs[float32])
	t.Run("float64", testMaxPoolOfPairs[float64])
}

func testMaxPoolOfPairs[T tensor.Float](t *testing.T) {
	for _, size := range [][2]int{{2, 2}, {3, 3}, {7, 7}, {8, 5}, {15, 15}, {31, 31}, {32, 30}} {
		g := NewGraph()
		x := g.Input("x", 9, 11, size[0], size[1])
		y := MaxPool(x, 2, 2, 0)
		dy := g.Input("dy", y.Shape...)
		dx := Backward(y, dy, x)[0]
		v := values[T]{x: normal[T](10, x.Shape...), dy: normal[T](11, dy.Shape...)}
		for i := range v[x].Data {
			if i%3 > 0 { // ties
				v[x].Data[i] = max(0, T(math.Trunc(float64(v[x].Data[i]))))
			}
			if i%50 == 0 {
				v[x].Data[i] = T(math.NaN())
			}
		}
		wantY, wantDX := tensor.New[T](y.Shape...), tensor.New[T](x.Shape...)
		windows(y, v[x].Data, x.Shape, y.Shape, 0, 9*11, func(out, winner int) {
			wantY.Data[out] = v[x].Data[winner]
			wantDX.Data[winner] += v[dy].Data[out]
		})
		p := programOf[T](y, dx)
		v.set(p)
		everywhere(t, func(where string) {
			p.Run()
			mustEqual(t, fmt.Sprint(size, " on ", where), p.Value(y), wantY)
			mustEqual(t, fmt.Sprint("gradient of ", size, " on ", where), p.Value(dx), wantDX)
		})
	}
}

func TestCrossEntropyOfHugeLogits(t *testing.T) {
	for _, c := range []struct {
		logits []float64
		loss   float64
		dx     []float64
	}{
		{[]float64{1e300, 0, -1e300}, 0, []float64{0, 0, 0}},
		{[]float64{0, 1e6, 0}, 1e6, []float64{-1, 1, 0}},
		{[]float64{-1e300, -1e300, -1e300}, math.Log(3), nil},
		{[]float64{1e308, 1e308, math.Inf(-1)}, math.Log(2), []float64{-0.5, 0.5, 0}},
	} {
		g := NewGraph()
		logits, labels := g.Input("logits", 1, 3), g.Input("labels", 1)
		loss := CrossEntropy(logits, labels)
		list := evaluate(values[float64]{logits: tensor.From(c.logits, 1, 3), labels: vector(0.0)}, loss,
			Backward(loss, nil, logits)[0])
		if math.Abs(list[0].Data[0]-c.loss) > 1e-15*c.loss {
			t.Errorf("loss of %v is %v, want %v", c.logits, list[0].Data[0], c.loss)
		}
		if c.dx != nil {
			mustEqual(t, "gradient", list[1], tensor.From(c.dx, 1, 3))
		}
	}
}
