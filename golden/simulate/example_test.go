package simulate_test

import (
	"fmt"
	"math"

	"sdref/golden"
	"sdref/golden/graph"
	"sdref/golden/precision"
	"sdref/golden/simulate"
)

// One sum of products on three honest machines: added up forwards, in lanes, and from factors of ten bits.
func ExampleMachine() {
	b := graph.New("example", "linear", "to show how machines differ")
	y := b.Node("linear", graph.Place{Quantity: "y"}, nil, b.Input("x", golden.Fill{Shape: []int{1, 4096}, Seed: 1, Scale: 1}),
		b.Input("w", golden.Fill{Shape: []int{1, 4096}, Seed: 2, Scale: 1}), b.Input("b", golden.Fill{Shape: []int{1}, Seed: 3, Scale: 1}))
	b.Require(y)
	in := b.Generate()
	exact, err := b.Evaluate(in)
	if err != nil {
		panic(err)
	}
	lanes := simulate.New(precision.FP32)
	lanes.Order, lanes.Width = simulate.Lanes, 8
	for _, m := range []simulate.Machine{simulate.New(precision.FP32), lanes, simulate.New(precision.TF32)} {
		got, err := m.Run(b.Case, in)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%v: off by %.1g\n", m, math.Abs(got[y].Data[0]-exact[y].Data[0]))
	}
	// Output:
	// fp32, forward: off by 2e-05
	// fp32, lanes by 8: off by 6e-06
	// tf32, forward: off by 0.004
}
