package csc_test

import (
	"fmt"

	"sdref/csc"
	"sdref/tensor"
)

// A dictionary for tokens: one plain matrix codes each of B*T vectors by itself. Here the atoms are the four directions
// (1, 0), (-1, 0), (0, 1), (0, -1), so that the code is z = max(|x_c| - lambda, 0) on the side where x_c points.
func ExampleNewMatrixLayer() {
	l := csc.NewMatrixLayer[float64](4, 2, csc.Settings{Lambda: 0.5, Nonnegative: true, Iterations: 200, Variant: csc.Paper, UnitNormAtoms: true})
	copy(l.Weight.Data, []float64{1, 0, -1, 0, 0, 1, 0, -1})
	tensor.FillUniform(l.Vector, 1, 1, 0)
	l.UpdateStep()

	tokens := tensor.From([]float64{3, 0.2, -1, 2, 0.4, -4}, 1, 3, 2) // one sentence of three tokens
	batch := tokens.Reshape(3, 2)
	z := csc.Solve(batch, l.Weight, l.Step(), l.Current())
	for i := range 3 {
		fmt.Printf("%.1f coded as %.2f\n", batch.Row(i).Data, z.Row(i).Data)
	}
	fmt.Printf("reconstructed %.2f\n", l.Reconstruct(z).Data)
	// Output:
	// [3.0 0.2] coded as [2.50 0.00 0.00 0.00]
	// [-1.0 2.0] coded as [0.00 0.50 1.50 0.00]
	// [0.4 -4.0] coded as [0.00 0.00 0.00 3.50]
	// reconstructed [2.50 0.00 -0.50 1.50 0.00 -3.50]
}

// A line, for instance a sound: two atoms, an edge and a bump, found where they were put.
func ExampleNewLayer1D() {
	l := csc.NewLayer1D[float64](2, 1, 3, 12, csc.Settings{Lambda: 0.1, Iterations: 400, Variant: csc.Paper, UnitNormAtoms: true})
	copy(l.Weight.Data, []float64{-1, 0, 1, 1, 2, 1})
	l.Normalize()
	tensor.FillUniform(l.Vector, 1, 1, 0)
	l.UpdateStep()

	put := tensor.New[float64](1, 2, 10)
	put.Set(2, 0, 0, 1)  // the edge at 1
	put.Set(-3, 0, 1, 7) // the bump, upside down, at 7
	x := l.Reconstruct(put)
	z := csc.Solve(x, l.Weight, l.Step(), l.Current())
	fmt.Printf("signal %.2f\nedges  %.2f\nbumps  %.2f\n", x.Data, z.Row(0).Row(0).Data, z.Row(0).Row(1).Data)
	// Output:
	// signal [0.00 -1.41 0.00 1.41 0.00 0.00 0.00 -1.22 -2.45 -1.22 0.00 0.00]
	// edges  [0.00 1.90 0.00 0.00 0.00 0.00 0.00 0.00 0.00 0.00]
	// bumps  [0.00 0.00 0.00 0.00 0.00 0.00 0.00 -2.90 0.00 0.00]
}
