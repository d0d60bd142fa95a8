package csc_test

import (
	"fmt"

	"sdref/autodiff"
	"sdref/conv"
	"sdref/csc"
	"sdref/tensor"
)

// Code a signal that is one shifted copy of the first atom, by a graph that holds the gradient of the code's sum as well.
func ExampleFISTA() {
	w := tensor.From([]float64{0.6, 0.8, 0.8, -0.6}, 2, 1, 1, 2) // two atoms of norm 1
	x := tensor.From([]float64{0, 0, 3, 4, 0, 0}, 1, 1, 1, 6)    // 5 times the first, shifted by two

	v := tensor.New[float64](1, 2, 1, 5) // where power iteration starts
	tensor.FillUniform(v, 1, 1, 0)
	s := csc.Settings{Lambda: 0.5, Nonnegative: true, Iterations: 100, Variant: csc.Paper}
	step := csc.PowerIteration(v, w, 1, 6, s.Geometry).Step()

	g := autodiff.NewGraph()
	signal, atoms, t := g.Input("x", x.Shape...), g.Input("w", w.Shape...), g.Input("t")
	z := csc.FISTA("", signal, atoms, t, nil, s)
	seed := g.Input("dz", z.Shape...)
	dx := autodiff.Backward(z, seed, signal)[0] // the gradient of <dz, z>

	ones := tensor.New[float64](z.Shape...)
	ones.Fill(1)
	p := autodiff.NewProgram(autodiff.NewPlan(autodiff.Wanted{Outputs: []*autodiff.Node{z, dx}}), tensor.NewArena[float64]())
	p.Set(signal, x)
	p.Set(atoms, w)
	p.Set(t, tensor.From([]float64{step}))
	p.Set(seed, ones)
	p.Run()

	fmt.Printf("code of atom 0: %.3f\n", p.Value(z).Data[:5])
	fmt.Printf("code of atom 1: %.3f\n", p.Value(z).Data[5:])
	total, sparsity, _, fidelity := csc.Objective(x, p.Value(z), w, s)
	fmt.Printf("objective %.4f = %.4f + %.4f\n", total, sparsity, fidelity)
	fmt.Printf("gradient of the signal, where the atom lies: %.3f\n", p.Value(dx).Data[2:4])
	// Output:
	// code of atom 0: [0.000 0.000 4.500 0.000 0.000]
	// code of atom 1: [0.000 0.000 0.000 0.000 0.000]
	// objective 2.3750 = 2.2500 + 0.1250
	// gradient of the signal, where the atom lies: [0.600 0.800]
}

// The largest eigenvalue of A*A gives the step size. Each call goes on from the vector that the last one left.
func ExamplePowerIteration() {
	w, v := tensor.New[float64](8, 3, 3, 3), tensor.New[float64](1, 8, 16, 16)
	tensor.FillUniform(w, 1, 0.25, 0)
	tensor.FillUniform(v, 2, 1, 0)
	csc.NormalizeAtoms(w)
	for range 3 {
		e := csc.PowerIteration(v, w, 16, 16, conv.Geometry{Padding: 1})
		fmt.Printf("%d rounds, converged %t, value %.4f, step %.4f\n", e.Rounds, e.Converged, e.Value, e.Step())
	}
	// Output:
	// 50 rounds, converged false, value 8.0970, step 0.1112
	// 5 rounds, converged true, value 8.0979, step 0.1111
	// 1 rounds, converged true, value 8.0980, step 0.1111
}

// The paper writes A as a convolution, the published weights as a transposed one: the same operator.
func ExamplePaperKernel() {
	w := tensor.From([]float64{1, 2, 3, 4}, 1, 1, 2, 2)
	z := tensor.From([]float64{1, 0, 0, 0, 0, 10}, 1, 1, 2, 3) // the atom at the top left, and ten times at the bottom right
	g := conv.Geometry{}

	x := tensor.New[float64](1, 1, 3, 4)
	conv.Transpose(x, z, w, g)
	fmt.Println(x.Data)

	p := csc.PaperKernel(w)
	conv.Forward(x, z, p, csc.PaperGeometry(g, 2))
	fmt.Println(x.Data)
	fmt.Println("kernel", p.Data, "at padding", csc.PaperGeometry(g, 2).Padding)
	// Output:
	// [1 2 0 0 3 4 10 20 0 0 30 40]
	// [1 2 0 0 3 4 10 20 0 0 30 40]
	// kernel [4 3 2 1] at padding 1
}

// A layer's step sizes are set from its weights, then it codes signals.
func ExampleLayer() {
	l := csc.NewLayer[float32](8, 1, 3, 12, 12, csc.Settings{
		Geometry: conv.Geometry{Stride: 2, Padding: 1}, Lambda: 0.1, Nonnegative: true, Iterations: 2, UnitNormAtoms: true,
	})
	tensor.FillUniform(l.Weight, 1, 0.5, 0)
	tensor.FillUniform(l.Vector, 2, 1, 0)
	l.Normalize()
	l.UpdateStep()
	fmt.Printf("step %.3f\n", l.StepSize.Data[0])

	x := tensor.New[float32](4, 1, 12, 12)
	tensor.FillUniform(x, 3, 1, 0)
	z := csc.Solve(x, l.Weight, l.Step(), l.Current())
	fmt.Println("code", z.Shape, "not zero:", tensor.CountNonzero(z), "of", z.Len())

	r := l.Reconstruct(z)
	tensor.AddScaled(r, x, r, -1)
	fmt.Printf("%.0f %% of the energy is explained\n", 100*(1-tensor.SumSquares(r)/tensor.SumSquares(x)))
	// Output:
	// step 0.118
	// code [4 8 6 6] not zero: 476 of 1152
	// 26 % of the energy is explained
}
