package cases

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/internal/random"
)

// TestHigherPrecision computes elements of every operator, drawn from all cases and one more, with 256 bits. Expected
// values must be right to float64's rounding: in units of 2^-53 of the magnitude, to a hundredth of the
// calibrated bounds' least unit, 2^-24, divided by 2^20 - that is to 2^-49, sixteen units.
func TestHigherPrecision(t *testing.T) {
	const limit, each = 16, 300
	worst, counted := map[string]float64{}, map[string]int{}
	draws := random.New(1)
	for i, c := range slices.Concat(All(), []*graph.Case{ownCase(), ownLoss()}) {
		of := c.Generate()
		values, err := c.Evaluate(of)
		if err != nil {
			t.Fatal(err)
		}
		for name, v := range values {
			of[name] = v
		}
		for j := range c.Nodes {
			n := &c.Nodes[j]
			s := draws.Sub(n.Op, uint64(i), uint64(j))
			if counted[n.Op] > each && s.Intn(0, 20) > 0 {
				continue
			}
			v, err := c.Recompute(n, of)
			if err != nil {
				t.Fatal(err)
			}
			for k := range min(v.Len(), 3) {
				at := s.Intn(uint64(k+1), v.Len())
				e := unitsOff(c, n, of, v, at)
				counted[n.Op]++
				worst[n.Op] = max(worst[n.Op], e)
				if !(e <= limit) {
					t.Errorf("%s: %s: element %d is %v, %g units off", c.ID, n.Name, at, v.Data[at], e)
				}
			}
		}
	}
	for _, op := range graph.Ops() {
		if counted[op.Name] == 0 {
			t.Errorf("no case has operator %s", op.Name)
		}
		t.Logf("%s: %d elements, %.2f units at the worst", op.Name, counted[op.Name], worst[op.Name])
	}
}

// ownCase has the operators that are in no case of the table.
func ownCase() *graph.Case {
	b := graph.New("own", "own", "")
	for i := range uint64(100) {
		x := b.Input(fmt.Sprint("x", i), golden.Fill{Shape: []int{9}, Seed: i, Scale: 0.1 * float64(i)})
		y := b.Node("gelu", graph.Place{Quantity: fmt.Sprint("y", i)}, nil, x)
		b.Backward(y, b.Input("grad/"+y, golden.Fill{Shape: []int{9}, Seed: i + 100, Scale: 1}), x)
	}
	b.Node("bias", graph.Place{Quantity: "biased"}, nil, b.Input("planes", golden.Fill{Shape: []int{2, 3, 4, 5}, Seed: 300, Scale: 1}),
		b.Input("bias", golden.Fill{Shape: []int{3}, Seed: 301, Scale: 1}))
	return b.Case
}

// ownLoss is the mean of (e^x - y)^2 log y: the operators that losses of one's own are made of, which no case of the list has.
func ownLoss() *graph.Case {
	b := graph.New("loss", "training_step", "test", "real")
	x := b.Input("x", golden.Fill{Shape: []int{5, 70}, Seed: 1, Scale: 2})
	y := b.Input("y", golden.Fill{Shape: []int{5, 70}, Seed: 2, Scale: 0.5, Offset: 1})
	at := func(quantity string) graph.Place { return graph.Place{Quantity: quantity} }
	d := b.Node("axpy", at("d"), graph.Attrs{"scale": -1}, b.Node("exp", at("e"), nil, x), y)
	weighted := b.Node("mul", at("weighted"), nil, b.Node("mul", at("square"), nil, d, d), b.Node("log", at("log"), nil, y))
	b.Backward(b.Node("sum", at("loss"), graph.Attrs{"divisor": 350}, weighted), "", x, y)
	b.List()
	return b.Case
}

// unitsOff is the distance of an element from its formula, in units of 2^-53 of its magnitude.
func unitsOff(c *graph.Case, n *graph.Node, of graph.Values, v graph.Value, at int) float64 {
	a := args{Node: n}
	for _, name := range n.Inputs {
		a.in = append(a.in, of[name])
		for _, x := range of[name].Data {
			if x != x {
				return 0 // math/big has no NaN
			}
		}
	}
	off, _ := less(formulas[n.Op](a, at), num(v.Data[at])).Float64()
	if off == 0 {
		return 0
	}
	return math.Abs(off) / (v.Magnitude[at] * 0x1p-53)
}
