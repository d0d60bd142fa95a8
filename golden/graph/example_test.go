package graph_test

import (
	"fmt"

	"sdref/conv"
	"sdref/csc"
	"sdref/golden"
	"sdref/golden/graph"
	"sdref/tensor"
)

// Two iterations of FISTA as a list of nodes; then one node again, from the values that somebody else gives
// for its inputs.
func Example() {
	b := graph.New("example", "fista", "to show what a case is")
	x := b.Input("x", golden.Fill{Shape: []int{1, 1, 1, 6}, Seed: 1, Scale: 2})
	w := b.Input("w", golden.Fill{Shape: []int{2, 1, 1, 2}, Seed: 2, Scale: 1})
	step := b.Constant("step", 0.25)
	b.Require(b.FISTA("layer", x, w, step, csc.Settings{Geometry: conv.Geometry{}, Lambda: 0.1,
		Iterations: 2}))
	for _, n := range b.Nodes {
		fmt.Println(n.Name, n.Op, n.Inputs, n.Shape)
	}

	of := b.Generate()
	of["layer/2/synthesis"] = tensor.New[float64](1, 1, 1, 6)
	residual, err := b.Recompute(b.Case.Node("layer/2/residual"), of)
	fmt.Println(tensor.SameBits(residual.Tensor, of["x"]), err)
	// Output:
	// layer/1/analysis analysis [x w] [1 2 1 5]
	// layer/1/prethreshold scale [layer/1/analysis step] [1 2 1 5]
	// layer/1/code prox [layer/1/prethreshold step] [1 2 1 5]
	// layer/2/synthesis synthesis [layer/1/code w] [1 1 1 6]
	// layer/2/residual axpy [x layer/2/synthesis] [1 1 1 6]
	// layer/2/analysis analysis [layer/2/residual w] [1 2 1 5]
	// layer/2/prethreshold axpy [layer/1/code layer/2/analysis step] [1 2 1 5]
	// layer/2/code prox [layer/2/prethreshold step] [1 2 1 5]
	// true <nil>
}
